"""What the tests of both stand-alone checkers do with a certificate's document."""

from __future__ import annotations

import copy
import re
from types import ModuleType
from typing import Any

Document = dict[str, Any]

NOT_PROVED, NO_CERTIFICATE = 1, 2


def add(number: str, amount: float) -> str:
    """A number of a document, moved."""
    return (float.fromhex(number) + amount).hex()


def check_times_are_rounded_up(checker: ModuleType, document: Document) -> None:
    """The time from which the rate is proved is not rounded down, wherever it lies between two of six digits."""
    longer = copy.deepcopy(document)
    for _ in range(4):
        longer["steps"][-1] = add(longer["steps"][-1], 2.6e-6)
        total = sum(map(float.fromhex, longer["steps"]))
        told = re.search(r"from t = ([\d.]+) on", checker.TOLD.format(**checker.check(longer)))
        assert told is not None
        assert total <= float(told[1]) <= total * (1 + 1e-4)
