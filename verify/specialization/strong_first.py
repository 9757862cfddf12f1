"""Section 5.3 in the population gradient flow: strong teachers are covered first, students then shift their focus."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from dynamics.arrays import Array
from dynamics.ode.integrate import integrate
from dynamics.two_layer.problem import TeacherStudent
from dynamics.two_layer.residual_flow import ResidualFlow
from dynamics.two_layer.teachers import polarised, random_unit
from verify.judging import (
    SPECIALIZATION,
    Context,
    Control,
    Cost,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
    Verdict,
)
from verify.mathematics.mean_over_seeds import exceeds

COVERED = 0.95
"""Cosine from which a teacher counts as covered, as in the paper's experiments."""

FACTOR = 2.0
"""A head start counts from here: teacher 1 covered in half the weakest one's time, as a geometric mean over starts."""

SHIFTS = 0.02
"""A share of students that shift counts from here."""


@dataclass(frozen=True)
class Race:
    """m teachers of polarity p, n students from small Gaussian weights; ``seeds`` independent flows up to ``time``."""

    d: int = 10
    m: int = 4
    n: int = 8
    outputs: int = 10
    p: float = 1.0
    scale: float = 0.01
    time: float = 120.0
    seeds: int = 96
    seed: int = 0

    def problem(self) -> TeacherStudent:
        """Teachers, and students at their starts, one flow a seed."""
        rng, S = np.random.default_rng(self.seed), (self.seeds,)
        teacher = random_unit(self.d, self.m, rng, S)
        fan_out = polarised(np.swapaxes(random_unit(self.outputs, self.m, rng, S), -1, -2), self.p)
        W = self.scale * rng.standard_normal((*S, self.d, self.n))
        V = self.scale * rng.standard_normal((*S, self.n, self.outputs))
        return TeacherStudent(teacher, W, fan_out, V)


@dataclass(frozen=True)
class Course:
    """Times (T,), cosines (T, S, n, m), and when each teacher is first covered (S, m; the end of the run if never)."""

    t: Array
    cosine: Array
    covered: Array


@lru_cache(maxsize=8)
def run(race: Race) -> Course:
    """Integrate the exact population gradient flow with V learned."""
    times = np.concatenate([[0.0], np.geomspace(0.5, race.time, 80)])
    flow = ResidualFlow(race.problem(), form="exact", trains_V=True)
    # A cosine is read to two digits and a time to the grid's 7 %.
    done = integrate(flow, (0.0, race.time), t_eval=times, method="RK45", rtol=1e-5, atol=1e-7)
    if not done.success:
        raise RuntimeError(done.message)
    cosine = done.observables["cosine"]
    reached = cosine.max(axis=-2) > COVERED
    first = np.where(reached.any(axis=0), times[np.argmax(reached, axis=0)], race.time)
    return Course(times, cosine, first)


def order_of_cover(race: Race, context: Context) -> Evidence:
    """Mean over seeds of ``ln`` (time at which the weakest is covered / time for the strongest), against ln 2.

    A teacher not covered by the end counts with the end: the ratio is then too small, never too large.
    """
    covered = run(race).covered
    medians = [float(x) for x in np.median(covered, axis=0)]
    ratio = np.log(covered[:, -1] / covered[:, 0])
    return exceeds(ratio, math.log(FACTOR), context, 1, medians=medians)


def shifted(race: Race) -> Array:
    """Per seed, the share of students nearest to teacher 1 when it is covered that end up covering another, (S,)."""
    course = run(race)
    nearest, seeds = course.cosine.argmax(axis=-1), np.arange(race.seeds)
    then = np.searchsorted(course.t, course.covered[:, 0])
    early = nearest[then, seeds] == 0
    elsewhere = (nearest[-1] != 0) & (course.cosine[-1].max(axis=-1) > COVERED)
    return np.asarray((early & elsewhere).sum(axis=1) / race.n)


def focus(race: Race, context: Context) -> Evidence:
    """Mean share of students that shift, against :data:`SHIFTS`."""
    return exceeds(shifted(race), SHIFTS, context)


def focus_figure(verdict: Verdict) -> Figure:
    """One seed of the race: cosines of the students to the strongest and to a weaker teacher."""
    race: Race = verdict.records[0].instance
    course, share = run(race), shifted(race)
    pick = int(np.argmax(share))
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes: Any = figure.subplots(1, race.m, sharey=True)
    for j, axis in enumerate(axes):
        axis.semilogx(course.t[1:], course.cosine[1:, pick, :, j], lw=1.2)
        axis.set(title=f"teacher {j + 1}", xlabel="time")
        axis.axhline(COVERED, color="0.7", lw=0.8, ls=":")
    axes[0].set_ylabel("cosine of each student")
    return figure


_RACE = Race()
_EVEN = Race(p=0.0, seeds=16)
_BUDGET = Cost(1, 1, 1)


def _examples(*races: Race) -> dict[str, Any]:
    return {"examples": races, "instances": None, "cost": _BUDGET}


FIRST = Statement(
    key="specialization.strong_first",
    form=Form.PRINTED,
    title="Strong teachers are learned first",
    claim="‖v*_j‖ = 1/j^p, p > 0, small random start:   teacher 1 is covered in under half\n"
    "teacher m's time, on average over starts",
    source=Source(
        SPECIALIZATION, "section 5.3, strong teacher nodes are learned first", "words, made a check"
    ),
    expected=Outcome.HOLDS,
    instance_type=Race,
    evidence=order_of_cover,
    controls=(Control("equal strengths", lambda c: order_of_cover(_EVEN, c)),),
    figure=focus_figure,
    remark="Holds as a tendency although its premise fails (strong_first.premise). Four teachers with ‖v*_j‖ = 1/j are "
    "covered at median times 5.7, 17, 40 and 56.",
    **_examples(_RACE, Race(p=2.0, seeds=12)),
)

FOCUS = Statement(
    key="specialization.focus_shifting",
    form=Form.PRINTED,
    title="Students shift their focus to weaker teachers",
    claim="‖v*_j‖ = 1/j:   of all students, over 2 % are nearest to teacher 1 when it is first covered\n"
    "and cover another teacher in the end",
    source=Source(SPECIALIZATION, "section 5.3, focus shifting; Figs. 6b and 11", "words, made a check"),
    expected=Outcome.HOLDS,
    instance_type=Race,
    evidence=focus,
    controls=(
        Control("before anyone has covered a second teacher", lambda c: focus(Race(time=6.0, seeds=16), c)),
    ),
    figure=focus_figure,
    **_examples(_RACE),
)
