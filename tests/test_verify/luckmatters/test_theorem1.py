"""Theorem 1: the recursion for beta, its factored form and its chunks agree with one another and with autograd."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from luckproof import BUDGETS
from nets.matrix_form.layered import LayeredNetwork, augmented
from nets.matrix_form.recursion import modulations, node_gradients, readouts
from verify.mathematics.families.layered_pairs import DeepPair, layered, parameters_of
from verify.mathematics.families.narrowed import narrowed

pytestmark = pytest.mark.statement("luckmatters.theorem1", "specialization.lemma1")

pairs = narrowed(DeepPair, BUDGETS["quick"])


def networks(pair: DeepPair) -> tuple[LayeredNetwork, LayeredNetwork, torch.Tensor]:
    student, teacher, x = parameters_of(pair, np.random.default_rng(pair.seed))
    ours, inputs = layered(pair, student, x)
    return ours, layered(pair, teacher, x)[0], inputs


@given(pairs)
def test_modulation_is_the_product_of_readouts(pair: DeepPair) -> None:
    """beta*_l = V_l^T V*_l and beta_l = V_l^T V_l, sample by sample, at every layer."""
    student, teacher, x = networks(pair)
    ours, theirs = student.evaluate(x), teacher.evaluate(x)
    for beta, V, V_teacher in zip(
        modulations(student, teacher, ours, theirs),
        readouts(student, ours),
        readouts(teacher, theirs),
        strict=True,
    ):
        size = float(V.abs().max()) * max(float(V.abs().max()), float(V_teacher.abs().max())) + 1e-300
        torch.testing.assert_close(V.mT @ V_teacher / size, (beta.teacher / size).expand_as(V.mT @ V_teacher))
        torch.testing.assert_close(V.mT @ V / size, (beta.student / size).expand_as(V.mT @ V))


@given(pairs)
def test_every_readout_gives_the_output(pair: DeepPair) -> None:
    """f_L(x) = V_l(x) f_l(x) at every layer."""
    student, _, x = networks(pair)
    values = student.evaluate(x)
    for V, f in zip(readouts(student, values), values.activations[:0:-1], strict=True):
        torch.testing.assert_close((V @ f[..., None])[..., 0], values.output)


@given(pairs, st.integers(1, 200))
def test_chunks_do_not_change_the_gradients(pair: DeepPair, elements: int) -> None:
    """Samples taken in pieces, however small, give the gradients of all samples at once, to rounding."""
    student, teacher, x = networks(pair)
    whole, pieces = node_gradients(student, teacher, x), node_gradients(student, teacher, x, elements)
    for one, other in zip(whole, pieces, strict=True):
        torch.testing.assert_close(
            one.gradient, other.gradient, rtol=1e-12, atol=1e-13 * (one.scale + 1e-300)
        )


def test_gate_of_leaky_relu_is_double_precision() -> None:
    """Found: a gate from bare numbers was rounded to float32, an error of 1e-10 in beta."""
    net = LayeredNetwork((torch.ones(1, 1, dtype=torch.float64),) * 2, slope=0.01)
    assert net.evaluate(-torch.ones(1, 1, dtype=torch.float64)).gates[0].item() == 0.01


def test_ensembles_stand_on_leading_axes() -> None:
    """A stack of pairs gives the gradients of its members."""
    rng = np.random.default_rng(0)
    shapes = [(3, 5), (5, 4), (4, 2)]
    stack = [tuple(torch.from_numpy(rng.standard_normal((6, *s))) for s in shapes) for _ in range(2)]
    x = torch.from_numpy(rng.standard_normal((6, 7, 3)))
    together = node_gradients(LayeredNetwork(stack[0]), LayeredNetwork(stack[1]), x)
    for i in range(6):
        alone = node_gradients(*(LayeredNetwork(tuple(W[i] for W in side)) for side in stack), x[i])
        for one, other in zip(together, alone, strict=True):
            torch.testing.assert_close(one.gradient[i], other.gradient)


def test_augmented_nodes_carry_the_biases() -> None:
    """The augmented network computes what the network with biases computes."""
    rng = np.random.default_rng(1)
    W = [torch.from_numpy(rng.standard_normal(s)) for s in ((3, 4), (4, 2))]
    b = [torch.from_numpy(rng.standard_normal(s)) for s in (4, 2)]
    x = torch.from_numpy(rng.standard_normal((5, 3)))
    expected = torch.relu(x @ W[0] + b[0]) @ W[1] + b[1]
    torch.testing.assert_close(LayeredNetwork.with_biases(W, b).evaluate(augmented(x)).output, expected)


@pytest.mark.parametrize(
    ("weights", "slope", "named"),
    [
        ((), 0.0, "weights"),
        (((2, 3), (4, 1)), 0.0, "W_1"),
        (((2, 3),), 1.0, "slope"),
        (((2, 3),), -0.1, "slope"),
    ],
)
def test_bad_networks_are_refused(weights: tuple[tuple[int, int], ...], slope: float, named: str) -> None:
    """One ValueError that names the argument."""
    with pytest.raises(ValueError, match=named):
        LayeredNetwork(tuple(torch.zeros(s, dtype=torch.float64) for s in weights), slope)


@pytest.mark.parametrize(("shapes", "named"), [(((2, 3),), "depths"), (((2, 3), (3, 2)), "outputs")])
def test_networks_that_are_no_pair_are_refused(shapes: tuple[tuple[int, int], ...], named: str) -> None:
    """Depth, inputs and outputs must agree."""
    student = LayeredNetwork(tuple(torch.zeros(s, dtype=torch.float64) for s in ((2, 3), (3, 1))))
    teacher = LayeredNetwork(tuple(torch.zeros(s, dtype=torch.float64) for s in shapes))
    with pytest.raises(ValueError, match=named):
        node_gradients(student, teacher, torch.zeros(1, 2, dtype=torch.float64))


@given(pairs)
@example(DeepPair(seed=0, slope=0.01))
def test_single_precision_stays_single(pair: DeepPair) -> None:
    """Nothing inside changes the precision."""
    student, teacher, x = (
        side.float()
        if isinstance(side, torch.Tensor)
        else LayeredNetwork(tuple(W.float() for W in side.weights), side.slope)
        for side in networks(pair)
    )
    assert all(layer.gradient.dtype == torch.float32 for layer in node_gradients(student, teacher, x))
