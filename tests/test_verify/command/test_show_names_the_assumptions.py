"""``luckproof show`` names the assumptions of a claim, with how many instances met and failed each."""

from __future__ import annotations

import re

import pytest

from luckproof import Assumption, statements
from verify.command.show import description
from verify.judging.assumption_counts import counted, in_a_sentence

SHOWN = [
    "luckmatters.lemma3.difference.printed",
    "luckmatters.theorem5.flat_minima.sharp",
    "specialization.theorem3.corrected",
    "specialization.theorem3.many_outputs.corrected",
]
WITH_ASSUMPTIONS = [name for name, s in statements.items() if s.assumptions.__name__ != "<lambda>"]


@pytest.mark.parametrize("name", SHOWN)
def test_each_assumption_is_named_with_its_counts(name):
    """All of them, in words, met and failed adding up to what was drawn."""
    statement = statements[name]
    lines = description(statement).splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("assumptions: "))
    assert lines[start] == f"assumptions: {in_a_sentence(statement.assumptions)}"
    for place, assumption in enumerate(statement.assumptions(statement.controls[0].instance), start + 1):
        shown = re.fullmatch(r"    (.*): met by (\d+), failed by (\d+) of (\d+) instances", lines[place])
        assert shown is not None
        assert shown[1] == assumption.name
        assert int(shown[2]) + int(shown[3]) == int(shown[4]) >= 20


def test_a_claim_without_assumptions_says_so():
    """It is about every instance of its domain."""
    assert "\nassumptions: none\n" in description(statements["luckmatters.theorem1.printed"])


@pytest.mark.parametrize("name", WITH_ASSUMPTIONS)
def test_the_sentence_stands_alone(name):
    """It says what is assumed to a reader who sees nothing else of the code."""
    sentence = in_a_sentence(statements[name].assumptions)
    assert sentence.endswith(".")
    assert not re.search(r"`|\bsee [a-z_]|^The same|^Those|^Everything but", sentence)


def test_counts_are_met_and_failed():
    """One that is asked of some instances only is counted on those; a NaN is outside and no margin."""
    first = (Assumption("a > 0", 1.0), Assumption("b > 0", float("nan")))
    found = counted([first, (Assumption("a > 0", -2.0),)])
    assert [(c.name, c.met, c.failed, c.asked) for c in found] == [("a > 0", 1, 1, 2), ("b > 0", 0, 1, 1)]
    assert (found[0].smallest, found[0].largest) == (-2.0, 1.0)
