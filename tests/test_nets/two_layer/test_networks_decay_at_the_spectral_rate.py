"""Late decay of trained networks: the spectral rate of the flow, corrected for the step, down to rounding."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from luckproof import (
    Array,
    ProjectedFlow,
    TeacherStudent,
    Trajectory,
    TwoLayerStudents,
    population_descent,
    spectral_rate,
    teachers,
    train,
)

pytestmark = pytest.mark.statement("luckmatters.theorem4")

LR = 0.1
WINDOW = (1e-11, 1e-4)
"""Root-mean-square sin theta of the fit: below the nonlinear part, a thousand times above rounding."""


def at_angle(teacher: Array, networks: int, rng: np.random.Generator) -> TeacherStudent:
    """Copies of one teacher with students at 0.3 in directions of their own."""
    return TeacherStudent.at_angle(np.broadcast_to(teacher, (networks, *teacher.shape)), 0.3, rng)


def late_rates(run: Trajectory) -> Array:
    """Slope of minus log root-mean-square sin theta in ``WINDOW``, one for each network."""
    size = np.sqrt(np.mean(run.observables["sin_theta"] ** 2, axis=-1))
    inside = (size > WINDOW[0]) & (size < WINDOW[1])
    assert inside.sum(axis=0).min() >= 50
    return np.array(
        [-np.polyfit(run.t[k], np.log(s[k]), 1)[0] for s, k in zip(size.T, inside.T, strict=True)]
    )


def test_late_rate_is_the_spectral_rate(device: str) -> None:
    """16 networks (d = 10, m = 5 orthonormal, theta0 = 0.3, batch 256, lr 0.1): -log(1 - lr lambda)/lr within 1 %.

    The prediction also lies in the confidence interval of the mean across networks; a rate ten percent off does not.
    """
    rng = np.random.default_rng(0)
    problem = at_angle(teachers.orthonormal(10, 5, rng), 16, rng)
    rate = float(spectral_rate(ProjectedFlow(problem.instance(0))))
    assert rate == pytest.approx(1 / 4 - 1 / (2 * math.pi), rel=1e-9)  # orthonormal teachers, by hand
    predicted = -math.log1p(-LR * rate) / LR
    students = TwoLayerStudents.from_problem(problem, device)
    run = train(students, lr=LR, batch_size=256, steps=3400, seed=0, record_every=20)
    measured = late_rates(run)
    error = measured.std(ddof=1) / math.sqrt(measured.size)
    assert measured.mean() == pytest.approx(predicted, rel=0.01)
    assert abs(measured.mean() - predicted) <= stats.t.isf(1e-4, 15) * error
    for factor in (0.9, 1.1):
        assert abs(measured.mean() - factor * predicted) > stats.t.isf(1e-4, 15) * error
        assert measured.mean() != pytest.approx(factor * predicted, rel=0.01)


def test_networks_converge_to_rounding(device: str) -> None:
    """In float64 the angle to the teacher falls under 1e-12; in float32 it stops near single rounding."""
    rng = np.random.default_rng(1)
    problem = at_angle(teachers.orthonormal(6, 2, rng), 4, rng)
    final = {}
    for dtype in (torch.float64, torch.float32):
        run = train(
            TwoLayerStudents.from_problem(problem, device, dtype), lr=0.2, batch_size=64, steps=1500, seed=0
        )
        final[dtype] = float(run.observables["sin_theta"][-1].max())
    assert final[torch.float64] <= 1e-12
    # An error of one rounding a step, in a contraction of 1 - lr * rate a step, settles at eps / (lr * rate).
    settled = torch.finfo(torch.float32).eps / (
        0.2 * float(spectral_rate(ProjectedFlow(problem.instance(0))))
    )
    assert 1e-9 < final[torch.float32] <= settled


def test_decay_on_random_teachers_is_that_of_population_descent(device: str) -> None:
    """Where the second rate is close to the first, a window still sees both: compare with the exact gradient there."""
    rng = np.random.default_rng(2)
    problem = at_angle(teachers.random_unit(10, 5, rng), 16, rng)
    settings = {"lr": LR, "steps": 3000, "record_every": 20}
    run = train(TwoLayerStudents.from_problem(problem, device), batch_size=256, seed=0, **settings)
    ratio = late_rates(run) / late_rates(population_descent(ProjectedFlow(problem), **settings))
    error = ratio.std(ddof=1) / math.sqrt(ratio.size)
    assert abs(ratio.mean() - 1) <= min(0.01, stats.t.isf(1e-4, 15) * error)
    assert abs(ratio.mean() - 1.1) > stats.t.isf(1e-4, 15) * error
