"""The command beside a control gives the very control again, or there is none."""

from __future__ import annotations

import json
import shlex

import pytest

from luckproof import Control, RunInfo
from tests.test_verify.judging.toy_statements import REFUTED, Point, below_fifty_exactly
from verify.report.records import replaying_command

RUN = RunInfo(0, "quick", "cpu")


def replayed(**parts: object) -> str:
    given = {"name": "a control", "evidence": REFUTED.evidence, "instance": Point(b=60), **parts}
    return replaying_command(REFUTED, Control(**given), RUN)  # type: ignore[arg-type]


def test_an_altered_argument_is_typed() -> None:
    """Statement, instance and argument, as a shell takes them apart."""
    words = shlex.split(replayed(altered={"bound": 70.0}))
    assert words[:3] == ["luckproof", "verify", REFUTED.name]
    assert json.loads(words[words.index("--instance") + 1])["b"] == 60
    assert json.loads(words[words.index("--alter") + 1]) == {"bound": 70.0}
    assert "--alter" not in replayed()


@pytest.mark.parametrize(
    "parts",
    [
        {"moved": 1e-6},  # the measured quantity is moved: no argument says so
        {"evidence": below_fifty_exactly},  # another function
        {"altered": {"bound": float("nan")}},  # JSON has no such number
        {"altered": {"bound": {1, 2}}},
    ],
    ids=lambda parts: " and ".join(parts),
)
def test_what_cannot_be_typed_has_no_command(parts: dict[str, object]) -> None:
    """Rather than one that does something else."""
    assert replayed(**parts) == ""
