"""How every picture of the project looks: matplotlib's settings, and the colours of what holds and what fails."""

from __future__ import annotations

from typing import Any

STYLE: Any = {  # matplotlib types its keys one by one
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a9099",
    "axes.labelcolor": "#3a3f47",
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "xtick.color": "#5b616b",
    "ytick.color": "#5b616b",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "svg.fonttype": "path",
    "svg.hashsalt": "luckproof",
}

HOLDING, FAILING, REFERENCE = "#2b6cb0", "#b3261e", "#8a9099"
"""Colours of claims (or students) that hold, of those that fail, and of lines to compare with."""
