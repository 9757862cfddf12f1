"""What a statement is, and how one comes to a verdict.

The words that a file with a statement needs are imported from here; the registry and the runner from their modules.
"""

from verify.judging.evidence import Assumption, Context, Evidence
from verify.judging.instances import drawn, drawn_fields
from verify.judging.statement import AnyStatement, Control, Item, Statement
from verify.judging.verdict import Record, Verdict
from verify.judging.vocabulary import (
    ALGEBRA,
    BUDGETS,
    FLOW,
    LUCK_MATTERS,
    SAMPLING,
    SEARCH,
    SPECIALIZATION,
    TRAINING,
    Budget,
    Cost,
    Form,
    Outcome,
    Source,
)

__all__ = [
    "ALGEBRA",
    "BUDGETS",
    "FLOW",
    "LUCK_MATTERS",
    "SAMPLING",
    "SEARCH",
    "SPECIALIZATION",
    "TRAINING",
    "AnyStatement",
    "Assumption",
    "Budget",
    "Context",
    "Control",
    "Cost",
    "Evidence",
    "Form",
    "Item",
    "Outcome",
    "Record",
    "Source",
    "Statement",
    "Verdict",
    "drawn",
    "drawn_fields",
]
