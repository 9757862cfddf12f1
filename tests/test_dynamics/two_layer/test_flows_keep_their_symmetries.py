"""What every flow must respect: fixed points, permutations, rotations, stacking, and a loss that only falls."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luckproof import (
    BiasedGaussian,
    GradientFlow,
    IsotropicGaussian,
    ProjectedFlow,
    TeacherStudent,
    TwoLayerDynamics,
    TwoLayerFlow,
    integrate,
    population_loss,
    teachers,
)

FLOWS = ("projected", "matched", "eqn6", "eqn6 unprojected", "gradient", "biased")


def problem_for(kind: str, seed: int, batch: tuple[int, ...] = ()) -> TeacherStudent:
    rng = np.random.default_rng(seed)
    if kind in ("projected", "matched"):
        return TeacherStudent.at_angle(teachers.random_unit(5, 3, rng, batch), 0.4, rng)
    measure = BiasedGaussian(4) if kind == "biased" else IsotropicGaussian(5, std=1.5)
    teacher = teachers.random_unit(5, 3, rng, batch)
    fan_out = rng.standard_normal((3, 2))
    return TeacherStudent.near_teacher(teacher, fan_out, 5, rng, measure=measure)


def flow_for(kind: str, problem: TeacherStudent) -> TwoLayerDynamics:
    if kind == "projected":
        return ProjectedFlow(problem)
    if kind == "matched":
        return ProjectedFlow(problem, modulation="matched")
    if kind == "gradient":
        return GradientFlow(problem)
    return TwoLayerFlow(problem, projected=kind != "eqn6 unprojected")


def velocity(kind: str, problem: TeacherStudent) -> dict[str, np.ndarray]:
    flow = flow_for(kind, problem)
    return flow.unpack(flow(0.0, flow.initial_state()))


@pytest.mark.parametrize("kind", FLOWS)
@given(seed=st.integers(0, 10**6))
def test_teacher_equals_student_is_a_fixed_point(kind: str, seed: int) -> None:
    """At W_u = W*, V_u = V*, V_r = 0 nothing moves, to rounding."""
    flow = flow_for(kind, problem_for(kind, seed))
    assert np.abs(flow(0.0, flow.equilibrium())).max() < 1e-13


@pytest.mark.parametrize("kind", FLOWS)
@given(seed=st.integers(0, 10**6))
def test_permuting_the_nodes_permutes_the_field(kind: str, seed: int) -> None:
    """Students are exchangeable; so are teachers (a relabelled teacher gives the same field)."""
    problem = problem_for(kind, seed)
    rng = np.random.default_rng(seed)
    targets, students = rng.permutation(problem.m), rng.permutation(problem.n)
    if kind == "matched":  # each student hears its own teacher: both must move together
        students = targets
    moved = TeacherStudent(
        problem.teacher_W[:, targets],
        problem.student_W[:, students],
        problem.teacher_V[targets],
        problem.student_V[students],
        problem.measure,
    )
    before, after = velocity(kind, problem), velocity(kind, moved)
    np.testing.assert_allclose(after["W"], before["W"][:, students], atol=1e-13)
    if "V" in before:
        np.testing.assert_allclose(after["V"], before["V"][students], atol=1e-13)


@pytest.mark.parametrize("kind", FLOWS)
@given(seed=st.integers(0, 10**6))
def test_rotating_space_rotates_the_field(kind: str, seed: int) -> None:
    """The input measure is isotropic (in the direction part), so the field turns with the space."""
    problem = problem_for(kind, seed)
    rotation = teachers.orthonormal(5, 5, np.random.default_rng(seed))
    if kind == "biased":
        rotation = np.eye(5)
        rotation[:4, :4] = teachers.orthonormal(4, 4, np.random.default_rng(seed))
    moved = TeacherStudent(
        rotation @ problem.teacher_W,
        rotation @ problem.student_W,
        problem.teacher_V,
        problem.student_V,
        problem.measure,
    )
    before, after = velocity(kind, problem), velocity(kind, moved)
    np.testing.assert_allclose(after["W"], rotation @ before["W"], atol=1e-12)


@pytest.mark.parametrize("kind", FLOWS)
def test_a_stack_moves_as_its_instances(kind: str) -> None:
    """The field of an ensemble is the fields of its instances."""
    stack = problem_for(kind, 5, (2, 3))
    whole = velocity(kind, stack)
    for index in np.ndindex(2, 3):
        alone = velocity(kind, stack.instance(index))
        for name, value in alone.items():
            np.testing.assert_allclose(whole[name][index], value, atol=1e-14)


@pytest.mark.parametrize("kind", ["projected", "eqn6", "gradient"])
@given(seed=st.integers(0, 10**6))
def test_the_field_is_minus_the_gradient_of_the_loss(kind: str, seed: int) -> None:
    """Isotropic input: directional derivatives of the closed-form loss (on the spheres where projected)."""
    problem = problem_for(kind, seed)
    flow = flow_for(kind, problem)
    rng = np.random.default_rng(seed)
    W, V = problem.student_W, problem.student_V
    moved = flow.unpack(flow(0.0, flow.initial_state()))
    step, size = rng.standard_normal(W.shape), 1e-5
    if flow.projected:
        step -= W * np.sum(W * step, axis=0)
    ahead, behind = (population_loss(problem, W + sign * size * step, V) for sign in (1, -1))
    slope = float(ahead - behind) / (2 * size)
    # The third derivative of the loss is O(1): a central difference is off by size^2, and by rounding / size.
    assert abs(slope + np.sum(moved["W"] * step)) < 1e-8 * max(1.0, abs(slope))


def test_eqn6_unprojected_is_not_the_gradient() -> None:
    """The control of the check above: without projection Eqn 6 is off by O(1)."""
    problem = problem_for("eqn6", 0)
    eqn6, exact = velocity("eqn6 unprojected", problem)["W"], velocity("gradient", problem)["W"]
    assert np.linalg.norm(eqn6 - exact) > 0.1 * np.linalg.norm(exact)


@pytest.mark.parametrize("kind", ["projected", "eqn6", "gradient"])
def test_the_loss_never_increases(kind: str) -> None:
    """Along a gradient flow the loss falls at every record, until it is rounding."""
    flow = flow_for(kind, problem_for(kind, 3))
    run = integrate(flow, (0.0, 60.0), t_eval=np.linspace(0, 60, 300), rtol=1e-10, atol=1e-12)
    assert run.success
    loss = run.observables["loss"]
    assert np.all(np.diff(loss) <= 1e-14)
    assert loss[-1] < 0.1 * loss[0]


@pytest.mark.parametrize("kind", ["projected", "eqn6"])
def test_norm_drift_stays_with_the_tolerance_and_out_of_the_directions(kind: str) -> None:
    """Columns keep unit norm to the integrator's accuracy; a scaled column moves by scaling only."""
    problem = problem_for(kind, 4)
    flow = flow_for(kind, problem)
    run = integrate(flow, (0.0, 40.0), rtol=1e-9, atol=1e-11)
    assert np.abs(run.observables["norm_drift"]).max() < 1e-6
    state = flow.initial_state()
    along = np.sum(problem.student_W * flow.unpack(flow(0.0, state))["W"], axis=-2)
    assert np.abs(along).max() < 1e-14  # the field itself, whatever coordinates a run is integrated in
    size = problem.student_W.size
    scaled = state.copy()
    scaled[:size] *= 1.7
    np.testing.assert_allclose(
        flow(0.0, scaled)[:size], 1.7 * flow(0.0, state)[:size], rtol=1e-12, atol=1e-15
    )
    np.testing.assert_allclose(flow(0.0, scaled)[size:], flow(0.0, state)[size:], rtol=1e-12, atol=1e-14)
