"""The statements: every numbered item of the two papers as a claim that is checked, with a verdict.

>>> import verify
>>> list(verify.statements)                                   # doctest: +SKIP
>>> verify.check("luckmatters.theorem4.sharp").outcome        # doctest: +SKIP

``statements`` maps every statement's full name to the statement. Imports ``nets`` and ``dynamics``; neither imports it.
The names here are imported when first asked for, and with the statements torch and Hypothesis, so that
``luckproof --help`` answers at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from dynamics.lazy_names import lazy_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verify.certificates.certificate import Certificate, certify
    from verify.comparisons.comparison import Comparison, compare
    from verify.figures import figure_named
    from verify.judging import (
        ALGEBRA,
        BUDGETS,
        FLOW,
        SAMPLING,
        SEARCH,
        SEED,
        TRAINING,
        AnyStatement,
        Assumption,
        Budget,
        CannotJudgeError,
        Context,
        Control,
        Cost,
        Each,
        Evidence,
        Form,
        Instance,
        Item,
        OneOf,
        Outcome,
        Record,
        Source,
        Statement,
        Verdict,
        drawn,
        drawn_fields,
        fixed,
        integers,
        reals,
    )
    from verify.judging.registry import (
        select,
        statements_from,
    )
    from verify.judging.trials.runner import check, check_all, judge, make_context
    from verify.mathematics.bounds import BOUNDS
    from verify.mathematics.rates import fit_decay
    from verify.report import RunInfo, write_html, write_json
    from verify.report.findings import findings
    from verify.sweeps.sweep import Sweep, sweep

    statements: Mapping[str, AnyStatement]
else:
    _named, __dir__ = lazy_names(
        __name__,
        {
            "verify.certificates.certificate": ["Certificate", "certify"],
            "verify.comparisons.comparison": ["Comparison", "compare"],
            "verify.figures": ["figure_named"],
            "verify.judging": [
                "ALGEBRA",
                "BUDGETS",
                "FLOW",
                "SAMPLING",
                "SEARCH",
                "SEED",
                "TRAINING",
                "AnyStatement",
                "Assumption",
                "Budget",
                "CannotJudgeError",
                "Context",
                "Control",
                "Cost",
                "Each",
                "Evidence",
                "Form",
                "Instance",
                "Item",
                "OneOf",
                "Outcome",
                "Record",
                "Source",
                "Statement",
                "Verdict",
                "drawn",
                "drawn_fields",
                "fixed",
                "integers",
                "reals",
            ],
            "verify.judging.registry": [
                "select",
                "statements",
                "statements_from",
            ],
            "verify.judging.trials.runner": ["check", "check_all", "judge", "make_context"],
            "verify.mathematics.bounds": ["BOUNDS"],
            "verify.mathematics.rates": ["fit_decay"],
            "verify.report": ["RunInfo", "write_html", "write_json"],
            "verify.report.findings": ["findings"],
            "verify.sweeps.sweep": ["Sweep", "sweep"],
        },
    )

    def __getattr__(name: str) -> Any:
        """A public name from its home; ``statements`` is collected by the registry."""
        if name == "statements":
            return importlib.import_module("verify.judging.registry").registered()
        return _named(name)


__all__ = [
    "ALGEBRA",
    "BOUNDS",
    "BUDGETS",
    "FLOW",
    "SAMPLING",
    "SEARCH",
    "SEED",
    "TRAINING",
    "AnyStatement",
    "Assumption",
    "Budget",
    "CannotJudgeError",
    "Certificate",
    "Comparison",
    "Context",
    "Control",
    "Cost",
    "Each",
    "Evidence",
    "Form",
    "Instance",
    "Item",
    "OneOf",
    "Outcome",
    "Record",
    "RunInfo",
    "Source",
    "Statement",
    "Sweep",
    "Verdict",
    "certify",
    "check",
    "check_all",
    "compare",
    "drawn",
    "drawn_fields",
    "figure_named",
    "findings",
    "fit_decay",
    "fixed",
    "integers",
    "judge",
    "make_context",
    "reals",
    "select",
    "statements",
    "statements_from",
    "sweep",
    "write_html",
    "write_json",
]
