"""Section 5.3, focus shifting: students that lose a strong teacher to others turn to a weaker one."""

from __future__ import annotations

from matplotlib.figure import Figure

from verify.judging import SPECIALIZATION, Context, Evidence, Item, Source, Verdict
from verify.mathematics.mean_over_seeds import exceeds
from verify.mathematics.runs.teacher_races import Race, drawn_race, shifting_share

FOCUS_SHIFTING = Item(
    "specialization.focus_shifting",
    Source(SPECIALIZATION, "section 5.3, focus shifting; Figs. 6b and 11", "words, made a check"),
)

FEW = 0.02
"""A larger share of the students must shift."""


@FOCUS_SHIFTING.claim("printed", expected="holds", on=Race, examples=(Race(),))
def some_students_shift(race: Race, context: Context) -> Evidence:
    """Students shift their focus to weaker teachers

    ‖v*_j‖ = 1/j:   of all students, over 2 % are nearest to teacher 1 when it is first covered
    and cover another teacher in the end
    """
    return exceeds(shifting_share(race), FEW, context)


some_students_shift.rejects("before anyone has covered a second teacher", Race(time=6.0, seeds=16))


@some_students_shift.drawn_by
def figure(verdict: Verdict) -> Figure:
    """One seed of the race."""
    return drawn_race(verdict.records[0].instance)
