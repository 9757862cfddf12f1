"""Jacobians: closed form against differences, and the spectral rate against known values and runs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from dynamics.two_layer import linearization as linearize
from dynamics.two_layer.linearization import difference_jacobian, sphere_basis, tangent_jacobian
from luckproof import (
    BiasedGaussian,
    GradientFlow,
    IsotropicGaussian,
    ProjectedFlow,
    TeacherStudent,
    TwoLayerDynamics,
    TwoLayerFlow,
    integrate,
    spectral_rate,
    teachers,
)

pytestmark = pytest.mark.statement("luckmatters.theorem4")


def projected(d: int, m: int, seed: int, std: float = 1.0) -> ProjectedFlow:
    rng = np.random.default_rng(seed)
    teacher = teachers.random_unit(d, m, rng)
    return ProjectedFlow(TeacherStudent.at_angle(teacher, 0.3, rng, measure=IsotropicGaussian(d, std)))


def two_layer(d: int, m: int, n: int, seed: int) -> TwoLayerFlow:
    rng = np.random.default_rng(seed)
    teacher = teachers.random_unit(d, m, rng)
    return TwoLayerFlow(TeacherStudent.near_teacher(teacher, rng.standard_normal((m, 2)), n, rng))


@settings(max_examples=20)
@given(d=st.integers(2, 7), m=st.integers(1, 4), extra=st.integers(0, 3), seed=st.integers(0, 10**6))
def test_closed_form_equals_differences(d: int, m: int, extra: int, seed: int) -> None:
    """The Gram matrix of the tangent features is minus the Jacobian, flow by flow."""
    flows: list[TwoLayerDynamics] = [projected(d, m, seed, 1.3), two_layer(d, m, m + extra, seed)]
    for flow in flows:
        state = flow.equilibrium()
        closed, differences = tangent_jacobian(flow, state), difference_jacobian(flow, state)
        # Extrapolated central differences with step 1e-5: 1e-10 of curvature (large where two columns are near
        # each other, hence the angle), 1e-11 of rounding.
        W, _ = flow.matrices(state)
        nearest = 1 - np.abs(np.triu(W.T @ W, 1)).max()
        assert np.abs(closed - differences).max() < 2e-9 / nearest**1.5
        np.testing.assert_allclose(closed, closed.T, atol=1e-14)


def test_the_formula_on_paper() -> None:
    """(J delta)_j = -1/2 delta_j - sum_k P_j [d**_jk delta_k + w*_k (w*_j . delta_k) / (2 pi sin t_jk)]."""
    flow = projected(6, 3, 1)
    W = flow.problem.teacher_W
    rng = np.random.default_rng(0)
    delta = rng.standard_normal(W.shape)
    delta -= W * np.sum(W * delta, axis=0)
    angle = np.arccos(np.clip(W.T @ W, -1, 1))
    expected = -0.5 * delta
    for j in range(3):
        for k in {0, 1, 2} - {j}:
            d_jk = (np.pi - angle[j, k]) / (2 * np.pi)
            term = d_jk * delta[:, k] + W[:, k] * (W[:, j] @ delta[:, k]) / (2 * np.pi * np.sin(angle[j, k]))
            expected[:, j] -= term - W[:, j] * (W[:, j] @ term)
    basis = sphere_basis(W)
    coordinates = np.einsum("jdi,dj->ji", basis, delta).ravel()
    moved = (tangent_jacobian(flow, flow.equilibrium()) @ coordinates).reshape(3, 5)
    np.testing.assert_allclose(np.einsum("jdi,ji->dj", basis, moved), expected, atol=1e-13)


def test_known_rates() -> None:
    """One teacher: 1/2. Orthonormal teachers: 1/4 - 1/2 pi (from the plane of two teachers), m >= 3."""
    rng = np.random.default_rng(0)
    assert spectral_rate(projected(5, 1, 0)) == pytest.approx(0.5, rel=1e-13)
    for d, m in ((4, 3), (9, 5), (40, 30)):
        flow = ProjectedFlow(TeacherStudent.at_angle(teachers.orthonormal(d, m, rng), 0.1, rng))
        assert spectral_rate(flow) == pytest.approx(0.25 - 1 / (2 * np.pi), rel=1e-12)


def test_matrix_free_equals_dense(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the dense limit Lanczos gives the same rate."""
    flow = projected(12, 6, 3)
    dense = spectral_rate(flow)
    monkeypatch.setattr(linearize, "DENSE_LIMIT", 10)
    assert spectral_rate(flow) == pytest.approx(dense, rel=1e-8)
    with pytest.raises(ValueError, match="return_spectrum: expected tangent dimension"):
        spectral_rate(flow, return_spectrum=True)


def test_flat_directions_are_left_out() -> None:
    """With n > m the r-set's columns are free once their fan-outs are zero: (n - m)(d - 1) flat directions."""
    flow = two_layer(5, 2, 4, 0)
    rate, spectrum = spectral_rate(flow, return_spectrum=True)  # type: ignore[misc]
    assert np.sum(np.abs(spectrum) < 1e-12) == 2 * 4
    assert rate > 1e-4


def test_measures_without_closed_form_use_differences() -> None:
    """Biased input: a run's late displacement is carried by the exponential of the Jacobian.

    Eqn 6 is no gradient flow there, the Jacobian is not normal, and the size of the displacement approaches the
    spectral rate only slowly: the displacement itself is compared.
    """
    rng = np.random.default_rng(3)
    teacher = teachers.thresholded(4, 2, 0.5, rng)
    flow = ProjectedFlow(TeacherStudent.at_angle(teacher, 0.05, rng, measure=BiasedGaussian(4)))
    jacobian = tangent_jacobian(flow, flow.equilibrium())
    times = np.array([0.0, 45.0, 75.0])
    run = integrate(flow, (0.0, 75.0), t_eval=times, rtol=1e-13, atol=1e-15)
    early, late = (np.einsum("jdi,dj->ji", sphere_basis(teacher), run.state["W"][i]).ravel() for i in (1, 2))
    carried = expm(30.0 * jacobian) @ early
    # What is left of the nonlinearity is the displacement itself, 1e-5, relative; the integrator adds 1e-12.
    assert np.linalg.norm(carried - late) < 1e-4 * np.linalg.norm(late)
    assert np.linalg.norm(expm(33.0 * jacobian) @ early - late) > 0.1 * np.linalg.norm(late)


def test_unprojected_flows_use_the_full_space() -> None:
    """Without projection every coordinate is a direction."""
    full = GradientFlow(two_layer(4, 1, 1, 0).problem)
    assert tangent_jacobian(full, full.equilibrium()).shape == (4 + 2, 4 + 2)


def test_an_ensemble_gives_its_instances_rates() -> None:
    """Rates of a stack, shaped as the ensemble."""
    rng = np.random.default_rng(1)
    stack = TeacherStudent.at_angle(teachers.random_unit(5, 3, rng, (2, 2)), 0.2, rng)
    rates = np.asarray(spectral_rate(ProjectedFlow(stack)))
    assert rates.shape == (2, 2)
    assert rates[1, 0] == pytest.approx(spectral_rate(ProjectedFlow(stack.instance((1, 0)))), rel=1e-12)


def test_a_moving_state_is_refused() -> None:
    """Linearising where the flow still moves is an error, not a number."""
    flow = projected(4, 2, 0)
    with pytest.raises(ValueError, match="state: expected an equilibrium"):
        spectral_rate(flow, flow.initial_state())
