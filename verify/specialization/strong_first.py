"""Section 5.3 in the population gradient flow: strong teachers are covered first."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.figure import Figure

from verify.judging import SPECIALIZATION, Context, Evidence, Item, Source, Verdict
from verify.mathematics.mean_over_seeds import exceeds
from verify.mathematics.runs.teacher_races import Race, course_of, drawn_race
from verify.specialization import VERSION

STRONG_FIRST = Item(
    "specialization.strong_first",
    Source(
        SPECIALIZATION,
        "paragraph: strong teacher nodes are learned first",
        "words, made a check",
        VERSION,
        "5.3",
    ),
)

HEAD_START = 2.0
"""Teacher 1 is first if it is covered in less than half the weakest one's time, as a geometric mean over starts."""


@STRONG_FIRST.claim(
    "printed",
    expected="observed",
    on=Race,
    examples=(Race(), Race(p=2.0, seeds=12)),
    compares=("ln of the weakest teacher's time over the strongest's, mean over starts", ">", "ln 2"),
    population="gradient flows of 8 students from small Gaussian starts, 4 random teachers in d = 10, 10 outputs",
)
def strongest_before_weakest(race: Race, context: Context, *, head_start: float = HEAD_START) -> Evidence:
    """Strong teachers are learned first

    Strong teacher nodes are learned first, weak ones later
    (judged at ‖v*_j‖ = 1/j^p, p > 0, from small random starts: teacher 1 is covered in under half teacher m's time, in
      the geometric mean over starts)

    Holds as a tendency although its premise fails (strong_first.premise). Four teachers with ‖v*_j‖ = 1/j are covered
    at median times 5.7, 17, 40 and 56.
    """
    covered = course_of(race).covered
    medians = [float(x) for x in np.median(covered, axis=0)]
    # A teacher not covered by the end counts with the end: the ratio is then too small, never too large.
    ratio = np.log(covered[:, -1] / covered[:, 0])
    return exceeds(ratio, math.log(head_start), context, medians=medians)


strongest_before_weakest.rejects(
    "equal strengths, an eighth of the time", Race(p=0.0, seeds=16), head_start=8.0
)


@strongest_before_weakest.drawn_by
def figure(verdict: Verdict) -> Figure:
    """One seed of the race."""
    return drawn_race(verdict.records[0].instance)
