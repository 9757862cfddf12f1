"""Theorem 1's recursion gives torch's gradients at every node, however it is unrolled or cut into pieces."""

from __future__ import annotations

import pytest
import torch

from nets.matrix_form.layered import LayeredNetwork, augmented
from nets.matrix_form.recursion import modulations, node_gradients, readouts
from tests.test_nets.matrix_form.layered_cases import STUDENT, TEACHER, network, pair

SLOPES = pytest.mark.parametrize("slope", [0.0, 0.3])


def gradients_by_autograd(student, teacher, x) -> list[torch.Tensor]:
    """Minus the gradient of 1/2 ||f* - f||^2 of every sample in the pre-activations, bottom up."""
    f, pre_activations = x, []
    for level, W in enumerate(student.weights):
        z = (f @ W).requires_grad_()
        pre_activations.append(z)
        f = z if level == student.depth - 1 else torch.where(z > 0, z, student.slope * z)
    loss = 0.5 * (teacher.evaluate(x).output - f).square().sum()
    return [-g for g in torch.autograd.grad(loss, pre_activations)]


@SLOPES
@pytest.mark.parametrize("elements", [1, 200, 1 << 22])
def test_node_gradients_are_those_of_autograd(slope: float, elements: int) -> None:
    """In one piece and sample by sample, to rounding; the scale is that of all samples."""
    student, teacher, x = pair(slope=slope)
    found = node_gradients(student, teacher, x, elements)
    whole = node_gradients(student, teacher, x)
    for layer, known, expected in zip(found, whole, gradients_by_autograd(student, teacher, x), strict=True):
        torch.testing.assert_close(layer.gradient, expected, rtol=1e-12, atol=1e-13 * layer.scale)
        assert layer.scale == pytest.approx(known.scale, rel=1e-12)


@SLOPES
def test_modulations_are_products_of_readouts(slope: float) -> None:
    """``beta*_l = V_l^T V*_l``, ``beta_l = V_l^T V_l``, and every V gives the output, layer by layer from the top."""
    student, teacher, x = pair(slope=slope)
    ours, theirs = student.evaluate(x), teacher.evaluate(x)
    unrolled = zip(readouts(student, ours), readouts(teacher, theirs), strict=True)
    found = modulations(student, teacher, ours, theirs)
    for beta, (V, V_teacher), f in zip(found, unrolled, ours.activations[:0:-1], strict=True):
        torch.testing.assert_close(beta.teacher.expand_as(V.mT @ V_teacher), V.mT @ V_teacher)
        torch.testing.assert_close(beta.student.expand_as(V.mT @ V), V.mT @ V)
        torch.testing.assert_close((V @ f[..., None])[..., 0], ours.output)


def test_ensembles_stand_on_leading_axes() -> None:
    """A stack of pairs has the gradients of its members."""
    student, teacher = network(STUDENT, 1, ensemble=(3,)), network(TEACHER, 2, ensemble=(3,))
    x = torch.randn(3, 7, STUDENT[0], dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    together = node_gradients(student, teacher, x)
    for member in range(3):
        one, other = (LayeredNetwork(tuple(W[member] for W in net.weights)) for net in (student, teacher))
        for stacked, alone in zip(together, node_gradients(one, other, x[member]), strict=True):
            torch.testing.assert_close(stacked.gradient[member], alone.gradient)


def test_the_gate_is_shut_at_the_kink() -> None:
    """A pre-activation of exactly zero passes nothing, or the slope's share."""
    zeros = torch.zeros(1, 2, dtype=torch.float64)
    for slope in (0.0, 0.3):
        net = LayeredNetwork(
            (torch.ones(2, 3, dtype=torch.float64), torch.ones(3, 1, dtype=torch.float64)), slope
        )
        assert net.evaluate(zeros).gates[0].tolist() == [[slope] * 3]
    assert (
        LayeredNetwork((torch.ones(1, 1),)).evaluate(torch.zeros(1, 1)).gates[0].item() == 1
    )  # a linear top


def test_augmented_nodes_carry_the_biases() -> None:
    """Weights and biases as augmented nodes compute what weights and biases do, in any number of layers."""
    net = network(STUDENT, 3)
    biases = [W[0] for W in network((1, *STUDENT[1:]), 4).weights[:1]] + [
        W[0] for W in network(STUDENT, 5).weights[1:]
    ]
    x = torch.randn(5, STUDENT[0], dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    f = x
    for level, (W, b) in enumerate(zip(net.weights, biases, strict=True)):
        f = f @ W + b
        f = f if level == net.depth - 1 else torch.relu(f)
    torch.testing.assert_close(
        LayeredNetwork.with_biases(net.weights, biases).evaluate(augmented(x)).output, f
    )


def test_what_is_no_network_or_no_pair_is_refused() -> None:
    """One ValueError that names the argument."""
    student, teacher, x = pair()
    for weights, slope, named in (
        ((), 0.0, "weights"),
        (student.weights[:1] * 2, 0.0, "W_1"),
        (student.weights, 1.0, "slope"),
    ):
        with pytest.raises(ValueError, match=named):
            LayeredNetwork(weights, slope)
    with pytest.raises(ValueError, match="depths"):
        node_gradients(student, LayeredNetwork(teacher.weights[:2]), x)
    with pytest.raises(ValueError, match="outputs"):
        node_gradients(student, network((4, 3, 3, 1), 0), x)
