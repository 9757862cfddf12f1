"""What a statement is, and how one comes to a verdict.

The words that a file with a statement needs are imported from here; the registry and the runner from their modules.
"""

from verify.judging.assumption import Assumption
from verify.judging.confirmation import Precise, Replication
from verify.judging.controls import Control
from verify.judging.domains import SEED, Each, Instance, OneOf, Range, integers, reals
from verify.judging.evidence import CannotJudgeError, Context, Evidence
from verify.judging.instances import drawn, drawn_fields, fixed
from verify.judging.item import Item, Relation
from verify.judging.statement import AnyStatement, Statement
from verify.judging.verdict import Attack, Record, Verdict
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
    Erratum,
    Form,
    Impact,
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
    "SEED",
    "SPECIALIZATION",
    "TRAINING",
    "AnyStatement",
    "Assumption",
    "Attack",
    "Budget",
    "CannotJudgeError",
    "Context",
    "Control",
    "Cost",
    "Each",
    "Erratum",
    "Evidence",
    "Form",
    "Impact",
    "Instance",
    "Item",
    "OneOf",
    "Outcome",
    "Precise",
    "Range",
    "Record",
    "Relation",
    "Replication",
    "Source",
    "Statement",
    "Verdict",
    "drawn",
    "drawn_fields",
    "fixed",
    "integers",
    "reals",
]
