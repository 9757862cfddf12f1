"""``luckproof verify KEY --instance``: exit 1 only where a claim fails that is expected to stand."""

from __future__ import annotations

import json

import pytest

from luckproof import statements
from verify.command.main import run
from verify.judging.collecting import FAILURES

FAILING = [
    "luckmatters.lemma1.eps.necessity",
    "specialization.theorem1.necessity",
    "luckmatters.lemma3.difference.printed",
]


@pytest.mark.parametrize("name", FAILING)
def test_a_failure_on_record_is_no_surprise(name, capsys):
    """Refuted claims and hypotheses that are needed fail as they should: exit 0."""
    statement = statements[name]
    assert statement.expected in FAILURES
    control = next(c for c in statement.controls if not c.must_hold and not c.altered and not c.moved)
    words = json.dumps(control.instance.__dict__)
    assert run(["verify", name, "--device", "cpu", "--instance", words]) == 0
    assert "verdict: the claim fails here" in capsys.readouterr().out
