"""Section 5.3, focus shifting: students that lose a strong teacher to others turn to a weaker one."""

from __future__ import annotations

from matplotlib.figure import Figure

from verify.judging import SPECIALIZATION, Context, Evidence, Item, Source, Verdict
from verify.mathematics.mean_over_seeds import exceeds
from verify.mathematics.runs.teacher_races import Race, drawn_race, shifting_share
from verify.specialization import VERSION

FOCUS_SHIFTING = Item(
    "specialization.focus_shifting",
    Source(
        SPECIALIZATION,
        "paragraph on focus shifting; Figures 6b and 11",
        "words, made a check",
        VERSION,
        "5.3",
    ),
)

FEW = 0.02
"""A larger share of the students must shift."""


@FOCUS_SHIFTING.claim(
    "printed",
    expected="observed",
    on=Race,
    examples=(Race(),),
    compares=("share of students that shift from teacher 1 to another, mean over starts", ">", "2 %"),
    population="gradient flows of 8 students from small Gaussian starts, 4 random teachers in d = 10, 10 outputs",
)
def some_students_shift(race: Race, context: Context) -> Evidence:
    """Students shift their focus to weaker teachers

    Once the strong teacher is covered, students whose direction is closer to a weaker one shift their focus to it
    (judged at ‖v*_j‖ = 1/j: of all students, over 2 % are nearest to teacher 1 when it is first covered and cover
      another teacher in the end, mean over starts)
    """
    return exceeds(shifting_share(race), FEW, context)


some_students_shift.rejects("before anyone has covered a second teacher", Race(time=6.0, seeds=16))


@some_students_shift.drawn_by
def figure(verdict: Verdict) -> Figure:
    """One seed of the race."""
    return drawn_race(verdict.records[0].instance)
