"""The statements: every numbered item of the two papers as a claim that is checked, with a verdict.

>>> import verify
>>> list(verify.statements)                                   # doctest: +SKIP
>>> verify.check("luckmatters.theorem4.sharp").outcome        # doctest: +SKIP

Imports ``nets`` and ``dynamics``; nothing imports it. The statements themselves (and with them torch and
Hypothesis) are imported when first asked for, so that ``luckproof --help`` answers at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from verify.judging import (
    BUDGETS,
    AnyStatement,
    Assumption,
    Budget,
    Context,
    Control,
    Evidence,
    Form,
    Outcome,
    Record,
    Source,
    Statement,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verify.judging.registry import select
    from verify.judging.runner import check, check_all, judge
    from verify.report import write_html, write_json

    statements: Mapping[str, AnyStatement]

__all__ = [
    "BUDGETS",
    "AnyStatement",
    "Assumption",
    "Budget",
    "Context",
    "Control",
    "Evidence",
    "Form",
    "Outcome",
    "Record",
    "Source",
    "Statement",
    "Verdict",
    "check",
    "check_all",
    "judge",
    "select",
    "statements",
    "write_html",
    "write_json",
]

_HOME = {
    "select": "verify.judging.registry",
    "check": "verify.judging.runner",
    "check_all": "verify.judging.runner",
    "judge": "verify.judging.runner",
    "write_html": "verify.report",
    "write_json": "verify.report",
}


def __getattr__(name: str) -> Any:
    """Import the heavy half of the package on first use (PEP 562)."""
    if name == "statements":
        return importlib.import_module("verify.judging.registry").registered()
    if name not in _HOME:
        raise AttributeError(f"module 'verify' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)
