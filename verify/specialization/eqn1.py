"""Eqns 1 and 2: gradient flow on half the squared error, layer by layer as an expectation of outer products."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from nets.matrix_form.recursion import node_gradients
from verify.judging import SPECIALIZATION, Context, Evidence, Item, Source
from verify.mathematics.backpropagation import forward, rectifier
from verify.mathematics.families.layered_pairs import DeepPair, layered, parameters_of
from verify.specialization import REBUILT, VERSION

EQN1 = Item(
    "specialization.eqn1", Source(SPECIALIZATION, "Eqns 1 and 2", REBUILT, version=VERSION, section="3")
)

TOLERANCE = 1e-12
"""Relative to the largest entry. Rounding alone: 2 sqrt(operations) eps < 1e-13 for six layers of 12 nodes."""

DEEP = DeepPair(inputs=5, hidden=((7, 4), (3, 5), (6, 2)), outputs=3, samples=9, biased=True)


@EQN1.claim(
    "reading",
    expected="holds",
    on=DeepPair,
    examples=(DeepPair(), DEEP, replace(DEEP, slope=0.1)),
    compares=("largest difference from automatic differentiation, relative", "≤", "rounding"),
)
def updates_are_outer_products(pair: DeepPair, context: Context, *, loss_factor: float = 0.5) -> Evidence:
    """Gradient flow as an expectation of outer products

    Ẇ_l = E_x[ f_{l−1}(x) g_l(x)ᵀ ],   J = ½ E_x ‖f*_L(x) − f_L(x)‖²,   g_L = f*_L − f_L

    g is minus the gradient at the pre-activations. The ½ is forced by g_L = f*_L − f_L. A loss averaged over
    the C outputs without the ½ (a framework's default) needs the step size times C/2.
    """
    worst, largest = 0.0, 0.0
    claimed = outer_products(pair, context)
    for ours, exact in zip(claimed, autograd_updates(pair, context, loss_factor), strict=True):
        for part, reference in zip(ours, exact, strict=True):
            if part.numel():
                worst = max(worst, float((part - reference).abs().max()))
                largest = max(largest, float(reference.abs().max()))
    relative = worst / largest if largest else worst
    return Evidence.at_most(relative, bound=0.0, tolerance=TOLERANCE, largest_update=largest)


def outer_products(pair: DeepPair, context: Context) -> list[tuple[Tensor, Tensor]]:
    """``E[f_{l-1} g_l^T]`` of every layer, split into the rows of the weights and the row of the bias."""
    student, teacher, x = parameters_of(pair, context.rng(pair.seed))
    ours, inputs = layered(pair, student, x)
    gradients = node_gradients(ours, layered(pair, teacher, x)[0], inputs)
    activations = ours.evaluate(inputs).activations
    updates = []
    for level, W in enumerate(student.weights):
        nodes = gradients[level].gradient[:, : W.shape[1]]  # the node of value 1 has no gradient
        full = activations[level].mT @ nodes / len(x)
        updates.append((full[: W.shape[0]], full[W.shape[0] :]))
    return updates


def autograd_updates(pair: DeepPair, context: Context, loss_factor: float) -> list[tuple[Tensor, Tensor]]:
    """Minus the gradients of ``loss_factor * E||f* - f||^2`` in weights and biases, by automatic differentiation."""
    student, teacher, x = parameters_of(pair, context.rng(pair.seed))
    activation = rectifier(pair.slope)
    for parameter in (*student.weights, *student.biases):
        parameter.requires_grad_()
    residual = forward(teacher, x, activation) - forward(student, x, activation)
    (loss_factor * residual.square().sum(dim=-1).mean()).backward()  # type: ignore[no-untyped-call]
    gradients = [(W.grad, b.grad) for W, b in zip(student.weights, student.biases, strict=True)]
    return [(-W, -b[None, :]) for W, b in gradients if W is not None and b is not None]


updates_are_outer_products.rejects("the objective without its factor ½", DEEP, loss_factor=1.0)
updates_are_outer_products.rejects("the objective averaged over outputs", DEEP, loss_factor=0.5 / 3)
updates_are_outer_products.rejects("larger by 1e-10 of itself", DEEP, loss_factor=0.5 * (1 + 1e-10))
