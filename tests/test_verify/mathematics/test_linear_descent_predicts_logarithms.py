"""Descent near a solution as a random linear map: the mean of a logarithm, against the map itself and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luckproof import BiasedGaussian, IsotropicGaussian, TeacherStudent, teachers
from verify.mathematics.linear_descent import LogDecay, log_decay
from verify.mathematics.tangent_network import TangentNetwork

pytestmark = pytest.mark.statement("luckmatters.theorem4.networks")


def linearised(d: int, m: int, seed: int) -> TangentNetwork:
    """Random teachers, isotropic input, V fixed."""
    teacher = teachers.random_unit(d, m, seed)
    problem = TeacherStudent(teacher, teacher, measure=IsotropicGaussian(d))
    return TangentNetwork.at_solution(problem, teacher, problem.teacher_V, trains_V=False)


def simulated(
    tangent: TangentNetwork, networks: int, steps: int, lr: float, batch: int, seed: int
) -> np.ndarray:
    """States of the linear map itself, every step on fresh inputs: ``(steps + 1, S, N)``, all from one unit vector."""
    rng = np.random.default_rng(seed)
    start = tangent.tangent(rng.standard_normal(tangent.size))
    delta = np.tile(start / np.linalg.norm(start), (networks, 1))
    states = [delta]
    for _ in range(steps):
        phi = tangent.sample(networks * batch, rng).reshape(networks, batch, -1, tangent.size)
        residual = np.einsum("sbcn,sn->sbc", phi, delta)
        delta = delta - lr / batch * np.einsum("sbcn,sbc->sn", phi, residual)
        states.append(delta)
    return np.array(states)


def off(states: np.ndarray, decay: LogDecay, *, sampling: bool = True) -> float:
    """Mean of measured less predicted logarithms in predicted standard errors, beyond the remainder."""
    measured = np.log(np.linalg.norm(states[-1], axis=-1) / np.linalg.norm(states[0], axis=-1))
    predicted = decay.expected if sampling else decay.mean_field
    error = math.hypot(math.sqrt(decay.variance.sum()) / len(measured), decay.sampling_error)
    return max(0.0, abs(float((measured - predicted).mean())) - decay.remainder) / error


@pytest.mark.parametrize(("d", "m", "batch"), [(8, 3, 32), (3, 1, 64), (5, 2, 32)])
def test_the_linear_map_itself_has_the_predicted_mean(d: int, m: int, batch: int) -> None:
    """1000 simulated networks: within 4.5 standard errors (chance 1e-5), at steps of 0.3 of the inverse curvature."""
    tangent = linearised(d, m, 1)
    states = simulated(tangent, 1000, 40, 0.3, batch, 2)
    decay = log_decay(tangent, states[:-1], 0.3, batch, np.random.default_rng(3))
    assert off(states, decay) < 4.5
    measured = np.log(np.linalg.norm(states[-1], axis=-1))
    # Networks differ by more than their own noise: where they go on from differs too. Their martingale does not.
    spread = float((measured - decay.mean_field - decay.sampling.mean()).var() / decay.variance.mean())
    assert 0.8 < spread < 1.25


def test_logarithms_do_not_decay_as_the_mean_does() -> None:
    """Without what sampling adds the prediction is rejected: in eight dimensions networks are the slower."""
    tangent = linearised(8, 3, 1)
    states = simulated(tangent, 1000, 40, 0.3, 32, 2)
    decay = log_decay(tangent, states[:-1], 0.3, 32, np.random.default_rng(3))
    assert decay.sampling.mean() > 0
    assert off(states, decay, sampling=False) > 8


@settings(max_examples=10)
@given(d=st.integers(2, 30), lr=st.floats(0.01, 0.3), batch=st.sampled_from((64, 512)))
def test_one_teacher_in_closed_form(d: int, lr: float, batch: int) -> None:
    """One teacher: all modes decay at 1/2, and sampling adds lr^2 / 2 B (1 - lr/2)^2 ((d - 2)/2 - 5/4) a step.

    ``E (phi.u)^4 = 3/2`` and ``E (phi.u)^2 ||phi||^2 = (d + 1)/2`` for a unit u and phi = f' P_perp x.
    """
    tangent = linearised(d, 1, 0)
    rng = np.random.default_rng(1)
    states = tangent.tangent(rng.standard_normal((1, 64, d)))
    decay = log_decay(tangent, states, lr, batch, rng)
    assert decay.mean_field == pytest.approx(math.log(1 - lr / 2), rel=1e-12)
    expected = lr**2 / (2 * batch * (1 - lr / 2) ** 2) * ((d - 2) / 2 - 5 / 4)
    third = 20 * d * (lr / (1 - lr / 2)) ** 3 / batch**2
    assert abs(float(decay.sampling.mean()) - expected) < 5 * decay.sampling_error + third
    assert decay.variance.mean() == pytest.approx(lr**2 / batch * 1.25 / (1 - lr / 2) ** 2, rel=0.3)


def of_the_two_layers(seed: int) -> TangentNetwork:
    rng = np.random.default_rng(seed)
    nodes, V = teachers.random_unit(5, 4, rng), teachers.random_unit(2, 4, rng).T.copy()
    problem = TeacherStudent(nodes[:, :2], nodes, V[:2], V)
    return TangentNetwork.at_solution(problem, nodes, V, trains_V=True)


def thresholded(seed: int) -> TangentNetwork:
    teacher = teachers.thresholded(5, 4, 0.7, seed)
    problem = TeacherStudent(teacher, teacher, measure=BiasedGaussian(5))
    return TangentNetwork.at_solution(problem, teacher, problem.teacher_V, trains_V=False)


@pytest.mark.parametrize(
    "tangent", [linearised(4, 3, 0), of_the_two_layers(0), thresholded(0)], ids=["W", "W and V", "thresholds"]
)
def test_closed_forms_are_the_mean_of_the_features(tangent: TangentNetwork) -> None:
    """``H delta`` in closed form against the average over inputs, entry by entry; twice H is rejected."""
    count = 200_000
    phi = tangent.sample(count, np.random.default_rng(5))
    delta = tangent.tangent(np.random.default_rng(6).standard_normal(tangent.size))
    each = np.einsum("kcn,kc->kn", phi, phi @ delta)
    error = each.std(axis=0) / math.sqrt(count)
    exact = tangent.shrink(delta)
    assert np.all(np.abs(each.mean(axis=0) - exact) <= 5 * error + 1e-12)
    assert not np.all(np.abs(each.mean(axis=0) - 2 * exact) <= 5 * error + 1e-12)


def test_deviations_have_the_size_of_the_sines() -> None:
    """Node by node the deviation is as large as the sine of the angle to the teacher."""
    rng = np.random.default_rng(4)
    problem = TeacherStudent.at_angle(teachers.random_unit(5, 3, rng), np.array([0.1, 0.4, 1.0]), rng)
    tangent = TangentNetwork.at_solution(problem, problem.student_W, problem.student_V, trains_V=False)
    dW, _ = tangent.matrices(tangent.deviation(problem.student_W, problem.student_V))
    assert np.linalg.norm(dW, axis=0) == pytest.approx(np.sin([0.1, 0.4, 1.0]), rel=1e-12)
