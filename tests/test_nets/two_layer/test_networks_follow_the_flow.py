"""Trained networks follow the projected flow: a bias of O(lr), plus sampling error that batches average out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from luckproof import (
    Array,
    ProjectedFlow,
    TeacherStudent,
    Trajectory,
    TwoLayerFlow,
    TwoLayerStudents,
    integrate,
    population_descent,
    teachers,
    train,
    unit_columns,
)

pytestmark = pytest.mark.statement("luckmatters.theorem4")

FALSE_ALARM = 1e-6
"""Chance of one false alarm of a test that samples, shared over its comparisons."""


def mean_sine(run: Trajectory) -> Array:
    """Mean over nodes of sin theta, ``(time, network)``."""
    return run.observables["sin_theta"].mean(-1)


def same_start(d: int, m: int, networks: int, seed: int) -> TeacherStudent:
    """Copies of one problem at angle 0.3: networks then differ by their samples only."""
    rng = np.random.default_rng(seed)
    problem = TeacherStudent.at_angle(teachers.random_unit(d, m, rng), 0.3, rng)
    return TeacherStudent(np.broadcast_to(problem.teacher_W, (networks, d, m)), problem.student_W)


def deviation(networks: Array, predicted: Array) -> tuple[float, float]:
    """Largest t statistic of ``(time, network)`` against a prediction, and the quantile it must stay under."""
    times, count = networks.shape
    gap = networks - predicted
    error = gap.std(axis=1, ddof=1) / np.sqrt(count)
    return float(np.abs(gap.mean(axis=1) / error).max()), float(
        stats.t.isf(FALSE_ALARM / (2 * times), count - 1)
    )


def test_bias_of_the_step_is_first_order() -> None:
    """Population descent approaches the ODE in proportion to lr, and its extrapolation in proportion to lr^2."""
    flow = ProjectedFlow(same_start(10, 5, 1, 0))
    times = np.linspace(0, 16, 11)
    exact = mean_sine(integrate(flow, (0, 16), t_eval=times, rtol=1e-10, atol=1e-12))
    rates = np.array([0.2, 0.1, 0.05, 0.025])
    runs = [
        population_descent(flow, lr=lr, steps=round(16 / lr), record_every=round(1.6 / lr)) for lr in rates
    ]
    bias = [np.abs(mean_sine(run) - exact).max() for run in runs]
    extrapolated = [np.abs(2 * mean_sine(b) - mean_sine(a) - exact).max() for a, b in pairwise(runs)]
    # The next term of the expansion moves an observed order by O(lr).
    assert np.abs(np.diff(np.log2(bias)) + 1).max() < 0.2
    assert np.abs(np.diff(np.log2(extrapolated)) + 2).max() < 0.2


def test_deviation_from_the_ode_shrinks_with_lr_on_one_sample_budget(device: str) -> None:
    """At equal samples per unit of time the distance to the ODE falls in proportion to lr.

    Its second-order term is taken from population descent; the sampling error is that of 32 networks.
    """
    problem = same_start(10, 5, 32, 0)
    flow = ProjectedFlow(problem)
    exact = mean_sine(integrate(flow, (0, 16), t_eval=np.linspace(0, 16, 6), rtol=1e-9, atol=1e-12))
    gaps, errors, biases = [], [], []
    for lr, batch_size in ((0.8, 8192), (0.4, 4096), (0.2, 2048)):
        students = TwoLayerStudents.from_problem(problem, device)
        settings = {"lr": lr, "steps": round(16 / lr), "record_every": round(3.2 / lr)}
        gap = (mean_sine(train(students, batch_size=batch_size, seed=1, **settings)) - exact).mean(axis=0)
        gaps.append(gap.mean() / lr)
        errors.append(gap.std(ddof=1) / np.sqrt(gap.size) / lr)
        biases.append((mean_sine(population_descent(flow, **settings)) - exact).mean() / lr)
    quantile = stats.t.isf(FALSE_ALARM / 6, 31)
    for k in (1, 2):
        sampling = quantile * np.hypot(errors[0], errors[k])
        assert abs(gaps[k] - gaps[0]) <= sampling + 2 * abs(biases[k] - biases[0])
        # Control: a distance that did not fall with lr would double gap / lr with every halving.
        assert abs(gaps[0]) * (2**k - 1) > sampling
    assert abs(gaps[0]) > 2 * quantile * errors[0]  # the bias stands out of the noise


@pytest.mark.parametrize(("m", "seed"), [(1, 0), (3, 1), (5, 2)])
def test_mean_network_follows_population_descent(m: int, seed: int, device: str) -> None:
    """The ensemble mean of sin theta is that of the exact gradient at the same lr, within sampling error.

    Controls: a rate ten percent higher and lower are rejected.
    """
    problem = same_start(10, m, 64, seed)
    settings = {"lr": 0.1, "steps": 200, "record_every": 40}
    run = train(TwoLayerStudents.from_problem(problem, device), batch_size=256, seed=seed, **settings)
    predicted = population_descent(ProjectedFlow(problem), **settings)
    largest, quantile = deviation(mean_sine(run)[1:], mean_sine(predicted)[1:])
    assert largest <= quantile
    for factor in (1.1, 0.9):
        altered = population_descent(ProjectedFlow(problem), **{**settings, "lr": 0.1 * factor})
        assert deviation(mean_sine(run)[1:], mean_sine(altered)[1:])[0] > quantile


class TransposedOverlap(ProjectedFlow):
    """Eqn 6 as printed: the student-teacher matrix without its transpose, which only shapes with n = m let pass."""

    def field(self, W: Array, V: Array) -> tuple[Array, Array]:
        psi_d = self.problem.measure.psi_d
        return self.problem.teacher_W @ psi_d(W, self.problem.teacher_W) - W @ psi_d(W, W), V


class WithoutRepulsion(ProjectedFlow):
    """The push between students with the wrong sign."""

    def field(self, W: Array, V: Array) -> tuple[Array, Array]:
        pull, _ = super().field(W, V)
        return pull + 2 * W @ self.problem.measure.psi_d(W, W), V


@pytest.mark.parametrize("wrong", [TransposedOverlap, WithoutRepulsion])
def test_wrong_flows_are_rejected(wrong: type[ProjectedFlow], device: str) -> None:
    """Control: networks are told apart from flows with a transposed factor or a flipped sign."""
    problem = same_start(6, 3, 64, 5)
    settings = {"lr": 0.1, "steps": 100, "record_every": 25}
    run = train(TwoLayerStudents.from_problem(problem, device), batch_size=256, seed=0, **settings)
    predicted = population_descent(wrong(problem), **settings)
    largest, quantile = deviation(mean_sine(run)[1:], mean_sine(predicted)[1:])
    assert largest > 2 * quantile


@pytest.mark.statement("luckmatters.theorem5")
def test_over_parameterised_networks_follow_theorem_5s_flow(device: str) -> None:
    """With W and V trained, n > m and c outputs, fan-out norms and loss follow the projected Eqn 6."""
    rng = np.random.default_rng(8)
    one = TeacherStudent.near_teacher(
        teachers.orthonormal(6, 2, rng), rng.standard_normal((2, 3)), 4, rng, p_W=2
    )
    problem = TeacherStudent(
        np.broadcast_to(one.teacher_W, (64, 6, 2)), one.student_W, one.teacher_V, one.student_V
    )
    settings = {"lr": 0.05, "steps": 200, "record_every": 40}
    students = TwoLayerStudents.from_problem(problem, device)
    run = train(students, batch_size=512, seed=3, train_V=True, **settings)
    predicted = population_descent(TwoLayerFlow(problem), **settings)
    for node in range(4):
        norms = (r.observables["fan_out_norm"][1:, :, node] for r in (run, predicted))
        largest, quantile = deviation(*norms)
        assert largest <= quantile
    frozen = population_descent(TwoLayerFlow(problem, trains_V=False), **settings)
    assert deviation(run.observables["loss"][1:], frozen.observables["loss"][1:])[0] > quantile  # control


def test_spread_of_networks_falls_as_one_over_root_batch(device: str) -> None:
    """Sixteen times the batch gives a sixteenth of the variance across networks (F test); no less is accepted."""
    problem = same_start(10, 5, 128, 4)
    variance = []
    for batch_size in (64, 1024):
        students = TwoLayerStudents.from_problem(problem, device)
        run = train(students, lr=0.1, batch_size=batch_size, steps=60, seed=batch_size, record_every=60)
        variance.append(mean_sine(run)[-1].var(ddof=1))
    ratio = variance[0] / variance[1]
    limit = stats.f.isf(FALSE_ALARM / 2, 127, 127)
    assert 16 / limit <= ratio <= 16 * limit
    assert limit < 4  # control: a spread that falls as 1 / B, or not at all, would be seen


def test_projected_training_keeps_unit_columns(device: str) -> None:
    """Columns stay unit to rounding under projection; plain descent moves their norms."""
    problem = same_start(10, 5, 4, 6)
    settings = {"lr": 0.2, "batch_size": 64, "steps": 500, "seed": 0}
    projected = train(TwoLayerStudents.from_problem(problem, device), **settings)
    assert np.abs(projected.observables["norm_drift"]).max() <= 8 * np.finfo(np.float64).eps
    plain = train(TwoLayerStudents.from_problem(problem, device), projected=False, **settings)
    assert np.abs(plain.observables["norm_drift"]).max() > 1e-3
    assert np.allclose(np.linalg.norm(unit_columns(plain.state["W"]), axis=-2), 1)
