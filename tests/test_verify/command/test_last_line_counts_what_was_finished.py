"""The last line of ``luckproof verify`` says how many statements were finished, and praises nothing else."""

from __future__ import annotations

import dataclasses

import pytest

from luckproof import Outcome, Verdict
from tests.test_verify.judging.toy_statements import ALL
from verify.command.tables import print_verdicts, summary_of

VERDICTS = [Verdict(s, s.expected, (), {}) for s in ALL]
WRONG = [*VERDICTS[:-1], dataclasses.replace(VERDICTS[-1], outcome=Outcome.INCONCLUSIVE)]


@pytest.mark.parametrize(
    ("verdicts", "chosen", "ended", "said"),
    [
        (VERDICTS, 4, False, "4 statements, all as expected, 1.0 s."),
        (WRONG, 4, False, "4 statements, 1 not as expected, 1.0 s."),
        (
            VERDICTS,
            9,
            True,
            "The run was ended: 4 of 9 statements finished, of these all as expected, 1.0 s.",
        ),
        (WRONG, 9, True, "The run was ended: 4 of 9 statements finished, of these 1 not as expected, 1.0 s."),
        (
            VERDICTS,
            4,
            True,
            "The run was ended: 4 of 4 statements finished, of these all as expected, 1.0 s.",
        ),
        ([], 217, True, "The run was ended: none of 217 statements finished, 1.0 s."),
        ([], 2, False, "None of 2 statements finished, 1.0 s."),
        (VERDICTS[:1], 1, False, "1 statement, all as expected, 1.0 s."),
        (VERDICTS, 5, False, "4 of 5 statements finished, of these all as expected, 1.0 s."),
        ([], 0, False, "No statement was judged."),
    ],
)
def test_the_last_line_counts_what_was_finished(verdicts, chosen, ended, said):
    """Finished of chosen, whether the run was ended, and outcomes only where there are some."""
    assert summary_of(verdicts, 1.0, chosen, ended) == said


def test_a_table_of_nothing_is_not_shown(capsys):
    """An ended run without a verdict prints its last line alone."""
    print_verdicts([], 1.0, chosen=3, ended=True)
    assert capsys.readouterr().out == "The run was ended: none of 3 statements finished, 1.0 s.\n"
