"""Steps controlled by the loss: their order, their errors, and what they save where a field jumps at gates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy.integrate import DOP853

from dynamics.ode.steppers.heun_descent import HeunDescent
from luckproof import Array, DeepFlow, DeepProblem, EmpiricalMeasure, Trajectory, integrate, teachers


@dataclass
class Quartic:
    """Gradient flow of ``J = sum k/4 y^4 + s |z|``: smooth, or (s > 0) sliding on the kink z = 0."""

    kink: float = 0.0
    sign: float = 1.0
    discontinuous = True

    def initial_state(self) -> Array:
        return np.array([1.0, 2.0, 0.01 * (self.kink > 0)])

    def __call__(self, t: float, y: Array) -> Array:
        return -self.sign * np.array([y[0] ** 3, 0.5 * y[1] ** 3, self.kink * np.sign(y[2])])

    def with_loss(self, t: float, y: Array) -> tuple[Array, Array, Array]:
        f = self(t, y)
        loss = 0.25 * y[0] ** 4 + 0.125 * y[1] ** 4 + self.kink * abs(y[2])
        return f, np.array(loss), np.array(-self.sign * (f**2).sum())

    @staticmethod
    def exact(t: float) -> Array:
        """y' = -k y^3 has ``y = y0 / sqrt(1 + 2 k y0^2 t)``."""
        return np.array([1 / np.sqrt(1 + 2 * t), 2 / np.sqrt(1 + 4 * t)])


def error(run: Trajectory) -> float:
    return float(np.abs(run.state["y"][-1, :2] - Quartic.exact(run.t[-1])).max())


def with_steps(h: float) -> type[HeunDescent]:
    """Heun's steps of length h, whatever the loss says."""

    class Fixed(HeunDescent):
        def __init__(self, fun: Any, t0: float, y0: Array, t_bound: float, **options: Any) -> None:
            super().__init__(fun, t0, y0, t_bound, first_step=h, max_step=h, rtol=1.0, atol=1e9)

    return Fixed


def test_equal_steps_have_order_two() -> None:
    """On a smooth flow the error falls with h^2."""
    errors = [error(integrate(Quartic(), (0.0, 2.0), method=with_steps(h))) for h in (0.04, 0.02, 0.01)]
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2, atol=0.1)


@pytest.mark.parametrize("kink", [0.0, 0.01])
def test_the_error_follows_the_tolerance(kink: float) -> None:
    """Smooth or sliding: the error is below ten times sqrt(rtol) and falls with it, and the kink is held.

    A step's imbalance is O(h^3) and the error O(h^2): rtol^(1/3), ten times from end to end.
    """
    errors = []
    for rtol in (1e-3, 1e-4, 1e-5, 1e-6):
        run = integrate(Quartic(kink), (0.0, 4.0), rtol=rtol, atol=1e-12)
        assert run.success
        assert run.attributes["method"] == "HeunDescent"
        errors.append(error(run))
        assert errors[-1] < 10 * np.sqrt(rtol)
        if kink:
            assert np.abs(run.state["y"][-1, 2]) < 2e-3
    assert errors[3] < errors[0] / 5


def test_sliding_is_where_dop853_stops() -> None:
    """The kink is reached at t = 1. An estimate of the local error does not get past it at any price; the balance of
    the loss shortens the steps (to its tolerance over the kink's slope) and follows it."""
    by_loss = integrate(Quartic(0.01), (0.0, 4.0), rtol=1e-6)
    by_error = integrate(Quartic(0.01), (0.0, 4.0), rtol=1e-6, method="DOP853", max_steps=2000)
    assert by_loss.success
    assert by_error.status == "step_limit"
    assert by_error.t[-1] < 1.1
    assert by_error.nfev > 20 * by_loss.nfev


def test_it_runs_backwards_and_to_a_point() -> None:
    """The balance knows the sign of time; a span of no length gives the start."""
    there = integrate(Quartic(), (0.0, 1.0), rtol=1e-10)
    assert error(there) < 1e-4
    back = integrate(Quartic(sign=-1.0), (1.0, 0.0), rtol=1e-10)
    np.testing.assert_allclose(back.state["y"][-1, :2], Quartic.exact(1.0), atol=1e-4)
    assert integrate(Quartic(), (2.0, 2.0)).t.tolist() == [2.0]


def test_an_unbalanced_loss_fails_with_a_status() -> None:
    """Control: a flow whose loss rises where it says it falls is refused every step; so is one that says NaN."""

    class Lying(Quartic):
        def with_loss(self, t: float, y: Array) -> tuple[Array, Array, Array]:
            f, loss, slope = super().with_loss(t, y)
            return f, loss * (1 + abs(np.sin(1e6 * t))), slope

    class Lost(Quartic):
        def with_loss(self, t: float, y: Array) -> tuple[Array, Array, Array]:
            f, loss, slope = super().with_loss(t, y)
            return (f if t == 0 else f * np.nan), loss, slope

    for flow in (Lying(), Lost()):
        run = integrate(flow, (0.0, 1.0), max_steps=100)
        assert not run.success
        assert run.status in ("step_too_small", "evaluation_limit", "step_limit", "nonfinite")
    assert integrate(Quartic(), (0.0, 1.0), max_steps=3).status == "step_limit"


def deep(samples: int) -> DeepFlow:
    """A teacher 6-4-5-3 and a student twice as wide."""
    rng = np.random.default_rng(0)
    measure = EmpiricalMeasure(rng.standard_normal((samples, 6)))
    teacher = teachers.separated_layers((6, 4, 5, 3), rng)
    return DeepFlow(
        DeepProblem.over_parameterised(teacher, 2, rng, measure=measure, p_W=0.5), watch_gaps=False
    )


def test_auto_takes_it_for_deep_flows_and_says_why() -> None:
    """Small or large, whatever the tolerance."""
    for rtol in (1e-3, 1e-8):
        run = integrate(deep(20), (0.0, 0.1), rtol=rtol)
        assert run.attributes["method"] == "HeunDescent"
        assert "the field jumps" in run.message


def test_every_instance_meets_its_own_balance() -> None:
    """An ensemble's steps are those of its most demanding member: each ends as near to its own fine run as alone."""
    rng = np.random.default_rng(1)
    measure = EmpiricalMeasure(rng.standard_normal((100, 4)))
    teacher = teachers.separated_layers((4, 3, 3, 2), rng, (4,))
    problem = DeepProblem.over_parameterised(teacher, 2, rng, measure=measure)
    options: dict[str, Any] = {"t_eval": [3.0], "rtol": 1e-8}
    whole = integrate(DeepFlow(problem, watch_gaps=False), (0.0, 3.0), **options)
    assert whole.attributes["solver_rtol"] == 1e-8, "a maximum over instances needs no division"
    for index in range(4):
        one = DeepFlow(problem.instance(index), watch_gaps=False)
        fine = integrate(one, (0.0, 3.0), t_eval=[3.0], method=with_steps(0.005))
        alone = integrate(one, (0.0, 3.0), **options)
        error, own = (
            float(np.abs(run.observables["loss"].reshape(-1)[place] / fine.observables["loss"][0] - 1))
            for run, place in ((whole, index), (alone, 0))
        )
        assert error < max(2 * own, 1e-3)


class Attempts(DOP853):  # type: ignore[misc]
    """DOP853 that counts its attempts at a step."""

    attempts = 0

    def _estimate_error_norm(self, *arguments: Any) -> Any:
        Attempts.attempts += 1
        return super()._estimate_error_norm(*arguments)


def test_a_method_of_high_order_wastes_steps_at_gates() -> None:
    """100 samples, loss along the run within 0.2 % of a run of 5000 equal steps: DOP853 takes more than ten times the
    evaluations, and most of its steps are rejected. At the same tolerance on a smooth flow few are (control)."""
    flow, times = deep(100), np.linspace(0.0, 10.0, 21)
    fine = integrate(flow, (0.0, 10.0), t_eval=times, method=with_steps(0.002)).observables["loss"]
    found = {}
    for method, tolerances in ((HeunDescent, (1e-6, 1e-7, 1e-8)), (Attempts, (1e-3, 1e-4, 1e-5))):
        for rtol in tolerances:
            Attempts.attempts = 0
            run = integrate(flow, (0.0, 10.0), t_eval=times, method=method, rtol=rtol, atol=1e-2 * rtol)
            off = np.abs(np.log(run.observables["loss"] / fine)).max()
            if off < 2e-3:
                found[method] = run.nfev
                break
    rejected = 1 - run.n_steps / Attempts.attempts
    assert found[Attempts] > 10 * found[HeunDescent], found
    assert rejected > 0.3
    Attempts.attempts = 0
    smooth = integrate(Quartic(), (0.0, 10.0), method=Attempts, rtol=1e-5, atol=1e-7)
    assert 1 - smooth.n_steps / Attempts.attempts < 0.2
