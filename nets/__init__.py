"""The torch side: ensembles of really trained networks, built from the same problems as the flows.

May import ``dynamics``; never imports ``verify``. The names here are imported (and with them torch) when first asked
for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nets.two_layer.networks import TwoLayerStudents
    from nets.two_layer.population_descent import population_descent
    from nets.two_layer.training import train

__all__ = ["TwoLayerStudents", "population_descent", "train"]

_HOME = {
    "TwoLayerStudents": "nets.two_layer.networks",
    "population_descent": "nets.two_layer.population_descent",
    "train": "nets.two_layer.training",
}


def __getattr__(name: str) -> Any:
    """Import a public name from where it is defined, on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'nets' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)
