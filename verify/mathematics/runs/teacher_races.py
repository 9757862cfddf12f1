"""Races of teachers of different strength for small random students, by the exact population gradient flow."""

from __future__ import annotations

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
from verify.judging import SEED, Instance, fixed, integers, reals

COVERED = 0.95
"""Cosine from which a teacher counts as covered, as in the paper's experiments."""


@dataclass(frozen=True)
class Race(Instance):
    """m teachers of polarity p, n students from small Gaussian weights; ``seeds`` independent flows up to ``time``."""

    d: int = fixed(10, integers(2, 100))
    m: int = fixed(4, integers(1, 50))
    n: int = fixed(8, integers(1, 200))
    outputs: int = fixed(10, integers(1, 100))
    p: float = fixed(1.0, reals(0.0, 10.0))
    scale: float = fixed(0.01, reals(1e-6, 1.0))
    time: float = fixed(120.0, reals(1.0, 1e4))
    seeds: int = fixed(96, integers(3, 10_000))
    seed: int = fixed(0, SEED)

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


@lru_cache(maxsize=8)  # the statements, their controls and the figure look at the same flows
def course_of(race: Race) -> Course:
    """Integrate the exact population gradient flow with V learned."""
    times = np.concatenate([[0.0], np.geomspace(0.5, race.time, 80)])
    flow = ResidualFlow(race.problem(), form="exact", trains_V=True)
    # A cosine is read to two digits and a time to the grid's 7 %.
    run = integrate(flow, (0.0, race.time), t_eval=times, method="RK45", rtol=1e-5, atol=1e-7)
    if not run.success:
        raise RuntimeError(run.message)
    cosine = run.observables["cosine"]
    reached = cosine.max(axis=-2) > COVERED
    first = np.where(reached.any(axis=0), times[np.argmax(reached, axis=0)], race.time)
    return Course(times, cosine, first)


def shifting_share(race: Race) -> Array:
    """Per seed, the share of students nearest to teacher 1 when it is covered that end up covering another, (S,)."""
    course = course_of(race)
    nearest, seeds = course.cosine.argmax(axis=-1), np.arange(race.seeds)
    then = np.searchsorted(course.t, course.covered[:, 0])
    early = nearest[then, seeds] == 0
    elsewhere = (nearest[-1] != 0) & (course.cosine[-1].max(axis=-1) > COVERED)
    return np.asarray((early & elsewhere).sum(axis=1) / race.n)


def drawn_race(race: Race) -> Figure:
    """Cosines of the students to each teacher over time, of the seed in which most students shift."""
    course, share = course_of(race), shifting_share(race)
    pick = int(np.argmax(share))
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes: Any = figure.subplots(1, race.m, sharey=True)
    for j, axis in enumerate(axes):
        axis.semilogx(course.t[1:], course.cosine[1:, pick, :, j], lw=1.2)
        axis.set(title=f"teacher {j + 1}", xlabel="time")
        axis.axhline(COVERED, color="0.7", lw=0.8, ls=":")
    axes[0].set_ylabel("cosine of each student")
    return figure
