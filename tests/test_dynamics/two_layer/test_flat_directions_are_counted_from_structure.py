"""The slowest rate is not swallowed as flat: flat directions are counted from the nodes, the rest is told from zero."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dynamics.two_layer import linearization as linearize
from dynamics.two_layer.flat_directions import flat_directions
from luckproof import (
    Array,
    GradientFlow,
    IsotropicGaussian,
    ProjectedFlow,
    TeacherStudent,
    TwoLayerFlow,
    spectral_rate,
    teachers,
)

pytestmark = pytest.mark.statement("luckmatters.theorem4")


def twins(apart: float) -> TeacherStudent:
    """Two teachers in space, and students on them."""
    W = np.array([[1.0, np.cos(apart)], [0.0, np.sin(apart)], [0.0, 0.0]])
    return TeacherStudent(W, W)


@pytest.mark.parametrize("apart", [1e-2, 1e-5, 1e-7, 1e-9, 1e-12])
def test_the_rate_of_two_near_teachers_is_their_angle(apart: float) -> None:
    """eps / 2 pi: turning both against each other changes the function by as much as they differ."""
    # To an ulp of the eigenvalues' scale, 1, of which the rate is a share of eps / 2 pi.
    assert spectral_rate(ProjectedFlow(twins(apart))) == pytest.approx(
        apart / (2 * np.pi), rel=1e-13 + 3e-16 / apart
    )


def test_what_cannot_be_told_from_zero_is_said() -> None:
    """Between one direction and two that rounding tells apart there is no rate; one direction has flat steps."""
    for apart in (1e-14, 1e-15):
        with pytest.raises(
            ValueError, match=r"^state: expected a rate that can be told from zero; 2 eigenvalues"
        ):
            spectral_rate(ProjectedFlow(twins(apart)))
        assert spectral_rate(ProjectedFlow(twins(apart)), flat=2) == pytest.approx(1.0, rel=1e-12)
    assert spectral_rate(ProjectedFlow(twins(0.0))) == pytest.approx(1.0, rel=1e-12)
    with pytest.raises(ValueError, match=r"^state: .* below 1e-07 of the largest, and 2 flat"):
        spectral_rate(GradientFlow(twins(1e-5)))
    stack = TeacherStudent(*(np.stack([twins(apart).teacher_W for apart in (0.5, 1e-15)]) for _ in range(2)))
    with pytest.raises(ValueError, match=r"eigenvalues of instance \(1,\)"):
        spectral_rate(ProjectedFlow(stack))


def test_the_number_of_flat_directions_is_checked() -> None:
    """A whole number, and never more than vanish."""
    with pytest.raises(ValueError, match=r"^flat: expected a non-negative integer"):
        spectral_rate(ProjectedFlow(twins(0.1)), flat=-1)
    with pytest.raises(TypeError, match=r"^flat: expected a non-negative integer"):
        spectral_rate(ProjectedFlow(twins(0.1)), flat=True)
    assert spectral_rate(ProjectedFlow(twins(0.1)), flat=3) == spectral_rate(ProjectedFlow(twins(0.1)))


def split(W: list[Array], V: list[Array], rng: np.random.Generator) -> None:
    """One node becomes two of its direction, whose fan-outs add up."""
    j, share = rng.integers(len(W)), rng.uniform(0.2, 0.8)
    W.append(W[j])
    V.append((1 - share) * V[j])
    V[j] = share * V[j]


def silent(W: list[Array], V: list[Array], rng: np.random.Generator) -> None:
    """A node that says nothing, in a direction of its own."""
    W.append(teachers.random_unit(len(W[0]), 1, rng)[:, 0])
    V.append(np.zeros_like(V[0]))


def silent_opposite(W: list[Array], V: list[Array], rng: np.random.Generator) -> None:
    """A node that says nothing, opposite another."""
    W.append(-W[rng.integers(len(W))])
    V.append(np.zeros_like(V[0]))


def opposite(W: list[Array], V: list[Array], rng: np.random.Generator) -> None:
    """A node that speaks, opposite another."""
    W.append(-W[rng.integers(len(W))])
    V.append(rng.standard_normal(len(V[0])))


CHANGES: dict[str, Callable[[list[Array], list[Array], np.random.Generator], None]] = {
    "split": split, "silent": silent, "silent opposite": silent_opposite, "opposite": opposite,
}  # fmt: skip


@settings(max_examples=60)
@given(
    d=st.integers(2, 4), m=st.integers(1, 3), c=st.integers(1, 2), seed=st.integers(0, 10**6),
    changes=st.lists(st.sampled_from(sorted(CHANGES)), max_size=4), trains_V=st.booleans(), projected=st.booleans(),
)  # fmt: skip
def test_the_count_is_that_of_vanishing_eigenvalues(
    d: int, m: int, c: int, seed: int, changes: list[str], trains_V: bool, projected: bool
) -> None:
    """Whatever shares a line with whatever: against the null space of the features on ten thousand inputs."""
    rng = np.random.default_rng(seed)
    W, V = list(teachers.random_unit(d, m, rng).T), list(rng.standard_normal((m, c)))
    for change in changes:
        CHANGES[change](W, V, rng)
    nodes, outs = np.array(W).T, np.array(V)
    near = np.abs(nodes.T @ nodes) * (1 - np.eye(len(W)))
    assume(not ((near > 0.999) & (near < 1 - 1e-12)).any())  # a kink that few inputs tell from another
    counted = int(flat_directions(nodes, outs, projected=projected, trains_V=trains_V))
    features = features_of(
        nodes, outs, rng.standard_normal((10_000, d)), projected=projected, trains_V=trains_V
    )
    values = np.linalg.eigvalsh(features.T @ features / len(features))
    assert counted == int(np.sum(values < 1e-12 * values[-1]))


def features_of(W: Array, V: Array, x: Array, *, projected: bool, trains_V: bool) -> Array:
    """The derivative of the outputs on inputs ``x`` in every step, (outputs and inputs, steps)."""
    gate, columns = (x @ W > 0).astype(float), []
    for j, w in enumerate(W.T):
        turns = np.eye(len(w)) - np.outer(w, w) if projected else np.eye(len(w))
        turns = np.linalg.svd(turns)[0][:, : len(w) - projected]
        columns += [np.outer(gate[:, j] * (x @ turn), V[j]).ravel() for turn in turns.T]
        if trains_V:
            columns += [np.outer(gate[:, j] * (x @ w), unit).ravel() for unit in np.eye(V.shape[1])]
    return np.array(columns).T


def test_instances_of_a_stack_are_counted_one_by_one() -> None:
    """As alone."""
    rng = np.random.default_rng(0)
    W = np.stack([teachers.random_unit(4, 3, rng) for _ in range(5)])
    V = rng.standard_normal((5, 3, 2))
    W[1, :, 2], V[2, 0], W[3, :, 1] = W[1, :, 0], 0.0, -W[3, :, 0]
    stacked = flat_directions(W, V, projected=True, trains_V=True)
    alone = [int(flat_directions(*one, projected=True, trains_V=True)) for one in zip(W, V, strict=True)]
    assert stacked.tolist() == alone
    assert len(set(alone)) > 1


def test_slow_is_not_at_rest() -> None:
    """Input of standard deviation 1e-6 slows every flow by 1e-12: the rate scales, a moving state is refused."""
    teacher = teachers.random_unit(5, 3, 0)
    for std in (1.0, 1e-6):
        flow = ProjectedFlow(TeacherStudent.at_angle(teacher, 0.3, 0, measure=IsotropicGaussian(5, std)))
        reference = ProjectedFlow(TeacherStudent.at_angle(teacher, 0.3, 0))
        assert spectral_rate(flow) == pytest.approx(std**2 * float(spectral_rate(reference)), rel=1e-12)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=r"^state: expected an equilibrium of the flow"):
            spectral_rate(flow, flow.initial_state())


def test_faint_teachers_are_no_solution_for_any_student() -> None:
    """A loss of 1e-13 is not zero where the teacher's own second moment is as small."""
    W, V = teachers.random_unit(4, 2, 0), np.full((2, 1), 1e-7)
    flow = TwoLayerFlow(TeacherStudent(W, teachers.random_unit(4, 2, 1), V, V))
    assert flow.tangent_gram(flow.initial_state()) is None
    assert flow.tangent_gram(flow.equilibrium()) is not None


def test_large_problems_with_flat_directions_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twins and silent nodes above the dense limit, where the slowest rate alone is found; near twins have theirs."""
    monkeypatch.setattr(linearize, "DENSE_LIMIT", 3)
    assert spectral_rate(ProjectedFlow(twins(1e-3))) == pytest.approx(1e-3 / (2 * np.pi), rel=1e-5)
    for problem in (twins(0.0), twins(1e-11)):
        with pytest.raises(ValueError, match=r"^state: expected "):
            spectral_rate(ProjectedFlow(problem))
