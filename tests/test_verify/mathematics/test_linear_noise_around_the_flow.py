"""Linear noise: what a finite step and batch do to an ensemble, against the flow, samples and networks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dynamics.geometry.columns import tangent_projection
from luckproof import (
    ProjectedFlow,
    TeacherStudent,
    TwoLayerStudents,
    integrate,
    population_descent,
    teachers,
    unit_columns,
)
from verify.mathematics.linear_noise import InputDirections, MeanField, NoisyFlow, descent_noise
from verify.mathematics.whitened_ensemble import spread_margin

pytestmark = pytest.mark.statement("luckmatters.theorem4.fluctuations")

RNG = np.random.default_rng(1)
PROBLEM = TeacherStudent.at_angle(teachers.random_unit(4, 2, RNG), 0.3, RNG)


def test_the_covariance_is_that_of_the_networks_gradients() -> None:
    """C by directions against the gradients of the networks' own code, one input a batch: 5 standard errors."""
    networks = 40_000
    parts = (PROBLEM.teacher_W, PROBLEM.student_W)
    copies = TeacherStudent(*(np.broadcast_to(x, (networks, *x.shape)) for x in parts))
    x = np.random.default_rng(2).standard_normal((networks, 1, PROBLEM.d))
    raw, _ = TwoLayerStudents.from_problem(copies, "cpu").negative_gradients(torch.tensor(x))
    W = PROBLEM.student_W
    g = tangent_projection(np.broadcast_to(W, raw.shape), raw.numpy()).reshape(networks, -1)
    F = MeanField(PROBLEM.teacher_W)(W)
    inputs = InputDirections(PROBLEM.d, np.random.default_rng(3), pairs=2048)
    C = inputs.covariance(PROBLEM.teacher_W, W, np.outer(F, F))
    products = g[:, :, None] * g[:, None] - np.outer(F, F)
    error = np.hypot(products.std(axis=0), C.std(axis=0) * np.sqrt(networks / len(C))) / np.sqrt(networks)
    assert np.all(np.abs(products.mean(axis=0) - C.mean(axis=0)) <= 5 * error)
    assert not np.all(np.abs(products.mean(axis=0) - 1.2 * C.mean(axis=0)) <= 5 * error)


def test_the_path_is_descent_along_the_population_gradient() -> None:
    """Step by step the mean is that of ``population_descent``, to rounding."""
    found = descent_noise(
        PROBLEM.teacher_W, PROBLEM.student_W, lr=0.2, batch=64, steps=20, rng=np.random.default_rng(0)
    )
    exact = population_descent(ProjectedFlow(PROBLEM), lr=0.2, steps=20, record_every=1).state["W"]
    assert np.abs(found.path - exact).max() < 1e-13


def test_steps_tend_to_the_flow_in_first_order() -> None:
    """Covariance step by step over that of the flow's equation: half the step, half the difference (15 % noise)."""
    inputs = InputDirections(PROBLEM.d, np.random.default_rng(3), pairs=2048)
    flow = NoisyFlow(PROBLEM.teacher_W, PROBLEM.student_W, inputs)
    run = integrate(flow, (0.0, 2.0), t_eval=[2.0], method="RK45", rtol=1e-3, atol=1e-7)
    assert run.success
    reference = float(np.trace(run.state["S"][-1]))
    gaps, errors = [], []
    for lr in (0.4, 0.1):
        found = descent_noise(
            PROBLEM.teacher_W,
            PROBLEM.student_W,
            lr=lr,
            batch=2**12,
            steps=round(2 / lr),
            rng=np.random.default_rng(0),
        )
        traces = np.trace(found.covariance, axis1=-2, axis2=-1) * 2**12 / lr
        gaps.append(traces.mean() / reference - 1)
        errors.append(traces.std() / np.sqrt(len(traces)) / reference)
        assert np.abs(found.path[-1] - unit_columns(run.state["W"][-1])).max() < 0.2 * lr
    assert abs(gaps[0]) > 5 * errors[0]
    assert abs(gaps[1] - gaps[0] / 4) <= 5 * max(errors) + 0.02


def test_slopes_are_those_of_the_step() -> None:
    """The derivative of a step predicts a small change of it to second order, tangent to the sphere."""
    field, W = MeanField(PROBLEM.teacher_W), PROBLEM.student_W
    push = tangent_projection(W, np.random.default_rng(0).standard_normal(W.shape)) * 1e-4
    change = field.step(W + push, 0.3) - field.step(W, 0.3)
    predicted = (field.slopes(W, 0.3) @ push.ravel()).reshape(W.shape)
    assert np.abs(change - predicted).max() < 1e-6
    assert np.abs((field.step(W, 0.3) * predicted).sum(axis=0)).max() < 1e-9


def test_an_interval_of_chi_square_is_held_by_normal_numbers_alone() -> None:
    """Variances of 500 normal vectors are inside at 1e-6, those 1.3 times as large are not."""
    variances = np.random.default_rng(0).standard_normal((500, 12)).var(axis=0, ddof=1)
    assert spread_margin(variances, 500, 1e-6, 0.0) > 0
    assert spread_margin(1.3 * variances, 500, 1e-6, 0.0) < 0
