"""Every mutant still applies to the code, and the tests that must notice it are there."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.mutants.mutant import ROOT, Mutant, StaleMutantError, known_mutants

MUTANTS = known_mutants()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.room}: {mutant.name}")
def test_its_text_stands_there_once_and_its_tests_are_there(mutant: Mutant) -> None:
    """A file that was changed takes its mutants along: put them where the same fault would be now."""
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert mutant.changed(text) != text
    assert mutant.tests
    for argument in mutant.tests:
        path, _, test = argument.partition("::")
        assert (ROOT / path).exists(), argument
        assert f"def {test.partition('[')[0]}(" in (ROOT / path).read_text(encoding="utf-8") if test else True


def test_there_are_a_hundred_in_all_rooms_with_names_of_their_own() -> None:
    """No fewer than a hundred, over networks, flows, judging, statements, files and sweeps."""
    assert len(MUTANTS) >= 100
    assert {"dynamics", "nets", "judging", "statements", "files"} < {mutant.room for mutant in MUTANTS}
    assert max(Counter(mutant.name for mutant in MUTANTS).values()) == 1


def test_a_mutant_whose_text_has_gone_is_told() -> None:
    """Controls: text that is not there, text that is there twice, and a result that is no Python."""
    mutant = Mutant("a fault", "nowhere", "file.py", "a = 1", "a = (", ("tests",))
    for text in ("b = 1", "a = 1\na = 1", "a = 1"):
        with pytest.raises(StaleMutantError, match="a fault"):
            mutant.changed(text)
