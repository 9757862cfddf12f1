"""With per-sample modulation the deep flow is the full-batch gradient flow; with the closure it is not."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamics.deep import sample_means as deep_samples
from luckproof import (
    DeepFlow,
    DeepProblem,
    EmpiricalMeasure,
    GradientFlow,
    IsotropicGaussian,
    TeacherStudent,
    TwoLayerFlow,
    teachers,
)
from tests.test_dynamics.deep.deep_cases import autograd, drawn, unit

pytestmark = pytest.mark.statement("luckmatters.theorem2")

PRECISION = 1e-12
"""Relative: sums of at most some hundred products a layer, 5 layers, at 2e-16 each, and cancellation of f* - f."""

widths = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=4)


@st.composite
def problems(draw: st.DrawFn) -> DeepProblem:
    """Depths 2 to 5, any widths, leaky or not, with biases or not, weighted samples or not, one or several."""
    hidden = draw(widths)
    d, c = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    teacher, student = ((d, *(pair[side] for pair in hidden), c) for side in (0, 1))
    return drawn(
        draw(st.integers(0, 10**6)),
        teacher,
        student,
        batch=draw(st.sampled_from([(), (3,), (2, 2)])),
        slope=draw(st.sampled_from([0.0, 0.2])),
        biased=draw(st.booleans()),
        weighted=draw(st.booleans()),
    )


def worst(found: list[np.ndarray], expected: list[np.ndarray]) -> float:
    """Largest error over the largest entry of all layers."""
    scale = max(np.abs(a).max() for a in expected)
    error = max(np.abs(a - b).max() for a, b in zip(found, expected, strict=True))
    return float(error / scale) if scale > 0 else float(error)


@given(problem=problems())
def test_per_sample_modulation_is_minus_the_gradient(problem: DeepProblem) -> None:
    """Eqn 6 with beta of every sample against torch autograd on networks with free biases: loss, field and dJ/dt."""
    flow = DeepFlow(problem)
    loss, expected = autograd(problem)
    y = flow.initial_state()
    field, told, slope = flow.with_loss(0.0, y)
    assert worst(list(flow.unpack(field).values()), expected) < PRECISION
    np.testing.assert_array_equal(field, flow(0.0, y))
    np.testing.assert_allclose(told, loss, rtol=PRECISION)
    squares = sum((g**2).sum(axis=(-2, -1)) for g in expected)
    np.testing.assert_allclose(slope, -squares, rtol=10 * PRECISION, atol=1e-30)


def test_the_closure_is_not_the_gradient() -> None:
    """Control: the separated flow differs by O(1) in every layer but the top one, where it is exact."""
    problem = drawn(1, (5, 4, 4, 3), (5, 6, 6, 3), samples=200)
    flow = DeepFlow(problem, "separated")
    found = list(flow.unpack(flow(0.0, flow.initial_state())).values())
    _, expected = autograd(problem)
    for lower in (0, 1):
        assert worst(found[lower : lower + 1], expected[lower : lower + 1]) > 0.1
    assert worst(found[2:], expected[2:]) < PRECISION
    watched = flow.observables(flow.initial_state())
    exact = [np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in zip(found, expected, strict=True)]
    np.testing.assert_allclose(watched["field_gap"], exact, rtol=1e-9, atol=PRECISION)


def beta_by_hand(problem: DeepProblem) -> list[tuple[np.ndarray, np.ndarray]]:
    """E[beta_l], E[beta*_l] for l = 1 .. L-1 by Eqn 3 with an n x n matrix for every sample."""
    x = problem.measure.samples
    nets = []
    for net in (problem.student, problem.teacher):
        f, gates = x, []
        for W in net[:-1]:
            z = f @ W
            gates.append(np.where(z > 0, 1.0, problem.slope))
            f = gates[-1] * z
        nets.append((net, gates))
    (own, ours), (theirs, gates) = nets
    found = []
    beta = beta_teacher = np.eye(own[-1].shape[-1])[None]
    for level in reversed(range(1, problem.depth)):
        if level < problem.depth - 1:
            beta = ours[level][:, :, None] * beta * ours[level][:, None, :]
            beta_teacher = ours[level][:, :, None] * beta_teacher * gates[level][:, None, :]
        beta, beta_teacher = own[level] @ beta @ own[level].T, own[level] @ beta_teacher @ theirs[level].T
        found.insert(0, (beta.mean(0), beta_teacher.mean(0)))
    return found


@pytest.mark.parametrize("slope", [0.0, 0.1])
def test_gaps_of_the_closure_are_those_of_the_printed_recursion(slope: float) -> None:
    """E[beta] from the factors V_l equals Eqn 3's sample by sample; the two layers under the top have no gap,
    further down it is O(1)."""
    problem = drawn(3, (5, 4, 3, 4, 3), (5, 6, 5, 6, 3), samples=60, slope=slope)
    means = deep_samples.over_samples(problem, problem.student, deep_samples.modulation_means)[0]
    for level, pair in enumerate(beta_by_hand(problem)):
        for found, expected in zip(means[2 * level : 2 * level + 2], pair, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
    watched = DeepFlow(problem).observables(DeepFlow(problem).initial_state())
    for name in ("beta_gap", "beta_teacher_gap"):
        assert watched[name].shape == (3,)
        assert np.all(watched[name][1:] < PRECISION), (
            "beta is the same for all samples there, or closed exactly"
        )
        assert 0.01 < watched[name][0] < 10


def test_two_layers_closed_are_eqn6() -> None:
    """Depth 2, separated: ``TwoLayerFlow`` on the same samples, with and without projection."""
    rng = np.random.default_rng(4)
    measure = EmpiricalMeasure(rng.standard_normal((70, 4)), rng.uniform(0.1, 1, 70))
    shallow = TeacherStudent.near_teacher(
        teachers.random_unit(4, 3, rng, (2,)), rng.standard_normal((3, 2)), 5, rng, measure=measure
    )
    deep = DeepProblem(
        (shallow.teacher_W, shallow.teacher_V), (shallow.student_W, shallow.student_V), measure
    )
    for projected in (False, True):
        one, two = (
            TwoLayerFlow(shallow, projected=projected),
            DeepFlow(deep, "separated", projected=projected),
        )
        y = one.initial_state() * 1.0
        y[: deep.student[0].size] *= 1.5 if projected else 1.0  # off the sphere the field is extended alike
        np.testing.assert_allclose(two(0.0, y), one(0.0, y), rtol=PRECISION, atol=PRECISION)
        np.testing.assert_allclose(two.observables(y)["loss"], one.observables(y)["loss"], rtol=1e-11)
        np.testing.assert_array_equal(two.equilibrium(), one.equilibrium())


def test_two_layers_on_many_samples_are_the_population_flow() -> None:
    """Depth 2, per sample, isotropic input: the closed-form gradient flow plus a sampling error of order 1/sqrt(N).

    Each entry's error is judged by the standard error from 100 independent batches; a field 10 % off is seen.
    """
    rng = np.random.default_rng(5)
    shallow = TeacherStudent.near_teacher(
        teachers.random_unit(4, 3, rng), rng.standard_normal((3, 2)), 5, rng
    )
    expected = GradientFlow(shallow)(0.0, GradientFlow(shallow).initial_state())
    fields = []
    for _ in range(100):
        measure = EmpiricalMeasure(IsotropicGaussian(4).sample(1000, rng))
        deep = DeepProblem(
            (shallow.teacher_W, shallow.teacher_V), (shallow.student_W, shallow.student_V), measure
        )
        flow = DeepFlow(deep)
        fields.append(flow(0.0, flow.initial_state()))
    error = np.std(fields, axis=0, ddof=1) / 10
    z = (np.mean(fields, axis=0) - expected) / error
    assert np.abs(z).max() < 5  # 30 entries: 5 standard errors happen once in 50,000 times
    assert np.abs((1.1 * np.mean(fields, axis=0) - expected) / error).max() > 10


@pytest.mark.parametrize("modulation", ["per_sample", "separated"])
@pytest.mark.parametrize("projected", [False, True])
@pytest.mark.parametrize("biased", [False, True])
def test_the_teacher_is_an_equilibrium(modulation: str, projected: bool, biased: bool) -> None:
    """Paired nodes at the teacher and no fan-out from the others to them: nothing moves, the loss is zero."""
    problem = unit(drawn(6, (4, 3, 2, 2), (4, 5, 4, 2), biased=biased, batch=(2,)))
    flow = DeepFlow(problem, modulation, projected=projected)  # type: ignore[arg-type]
    y = flow.equilibrium()
    assert np.abs(flow(0.0, y)).max() < 1e-13
    assert np.abs(flow.observables(y)["loss"]).max() < 1e-25
    assert np.abs(flow(0.0, flow.initial_state())).max() > 1e-2


@pytest.mark.parametrize("modulation", ["per_sample", "separated"])
def test_a_stack_is_its_instances(modulation: str) -> None:
    """Fields, losses and observables of an ensemble are those of its members one by one."""
    problem = drawn(7, (4, 3, 3, 2), (4, 5, 4, 2), batch=(2, 3), biased=True)
    whole = DeepFlow(problem, modulation)  # type: ignore[arg-type]
    y = whole.initial_state()
    fields, watched = whole.unpack(whole(0.0, y)), whole.observables(y)
    assert whole.instances == 6
    for index in np.ndindex(2, 3):
        one = DeepFlow(problem.instance(index), modulation)  # type: ignore[arg-type]
        start = one.initial_state()
        for name, field in one.unpack(one(0.0, start)).items():
            np.testing.assert_allclose(fields[name][index], field, rtol=1e-12, atol=1e-14)
        for name, values in one.observables(start).items():
            np.testing.assert_allclose(watched[name][index], values, rtol=1e-9, atol=1e-12)


def test_pieces_give_the_whole_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of one or a few samples give the same means, and the peak stays within a few times the bound.

    4 times: beside the numbers counted there are products with the samples' weights and the result itself.
    """
    problem = drawn(8, (6, 20, 20, 4), (6, 40, 40, 4), samples=4000)
    flow = DeepFlow(problem)
    y = flow.initial_state()
    whole, watched = flow(0.0, y), flow.observables(y)
    elements = 1 << 15
    monkeypatch.setattr(deep_samples, "CHUNK_ELEMENTS", elements)
    np.testing.assert_allclose(flow(0.0, y), whole, rtol=1e-11, atol=1e-14)
    for name, values in flow.observables(y).items():
        np.testing.assert_allclose(values, watched[name], rtol=1e-9, atol=1e-11)
    tracemalloc.start()
    flow.observables(y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 8 * elements
    assert 40 * peak < 8 * 4000 * 40 * 40, "control: beta sample by sample would be far more"
