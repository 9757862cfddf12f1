"""What is read off a run of the two-layer experiments: which teacher nodes are covered, when, and by whom."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from dynamics.arrays import Array
from dynamics.ode.trajectory import Trajectory
from nets.specialization.observables import best_per_student, best_per_teacher, covered


def coverage(run: Trajectory) -> Array:
    """Share of teacher nodes covered, (records, networks)."""
    return np.asarray(covered(run.observables["correlation"]).mean(axis=-1))


def coverage_of_halves(run: Trajectory) -> tuple[Array, Array]:
    """Coverage of the strong and of the weak half of the teacher nodes, (records, networks) each."""
    hit = covered(run.observables["correlation"])
    m = hit.shape[-1]
    return np.asarray(hit[..., : m // 2].mean(-1)), np.asarray(hit[..., (m + 1) // 2 :].mean(-1))


def lead_of_the_strong(run: Trajectory) -> Array:
    """Coverage of the strong half minus that of the weak half, averaged over the run's time, one a network.

    The average counts the time by which a node is ahead: it sees the order even where all are covered in the end.
    """
    strong, weak = coverage_of_halves(run)
    return time_average(run, strong - weak)


def rank_correlation(a: Array, b: Array) -> Array:
    """Spearman's rank correlation along the last axis; 0 where one side is constant."""
    x, y = (rankdata(values, axis=-1) for values in (a, b))
    x, y = (ranks - ranks.mean(axis=-1, keepdims=True) for ranks in (x, y))
    size = np.sqrt((x**2).sum(-1) * (y**2).sum(-1))
    return np.asarray((x * y).sum(-1) / np.where(size > 0, size, 1.0))


def specialisation_and_fan_out(run: Trajectory) -> tuple[Array, Array]:
    """Best correlation and fan-out norm of every student node at the end, (networks, n) each."""
    return best_per_student(run.observables["correlation"][-1]), run.observables["fan_out_norm"][-1]


def first_covered(run: Trajectory) -> Array:
    """Epoch at which each teacher node is first seen covered, (networks, m); infinite where it never is."""
    hit = covered(run.observables["correlation"])
    return np.where(hit.any(axis=0), run.t[np.argmax(hit, axis=0)], np.inf)


def best_student(run: Trajectory) -> Array:
    """Best correlation with each teacher node, (records, networks, m)."""
    return best_per_teacher(run.observables["correlation"])


def time_average(run: Trajectory, values: Array) -> Array:
    """Average over the time of the run of ``values (records, networks)``, one a network."""
    return np.asarray(np.trapezoid(values, run.t, axis=0) / (run.t[-1] - run.t[0]))
