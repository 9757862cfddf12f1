"""Eqns 1 and 2: gradient flow on half the squared error, layer by layer as an expectation of outer products."""

from __future__ import annotations

import dataclasses

from torch import Tensor

from nets.matrix_form.recursion import node_gradients
from verify.judging import Context, Control, Evidence, Form, Outcome, Statement
from verify.luckmatters.theorem1 import forward, instances, rectifier
from verify.mathematics.families.layered_pairs import DeepPair, draw, layered
from verify.specialization.sources import source

TOLERANCE = 1e-12
"""Relative to the largest entry. Rounding alone: 2 sqrt(operations) eps < 1e-13 for six layers of 12 nodes."""


def outer_product_updates(pair: DeepPair, context: Context) -> list[tuple[Tensor, Tensor]]:
    """``E[f_{l-1} g_l^T]`` of every layer, split into the rows of the weights and the row of the bias."""
    student, teacher, x = draw(pair, context.rng(pair.seed))
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
    student, teacher, x = draw(pair, context.rng(pair.seed))
    activation = rectifier(pair.slope)
    for parameter in (*student.weights, *student.biases):
        parameter.requires_grad_()
    loss = forward(teacher, x, activation) - forward(student, x, activation)
    (loss_factor * loss.square().sum(dim=-1).mean()).backward()  # type: ignore[no-untyped-call]
    gradients = [(W.grad, b.grad) for W, b in zip(student.weights, student.biases, strict=True)]
    return [(-W, -b[None, :]) for W, b in gradients if W is not None and b is not None]


def evidence(pair: DeepPair, context: Context, loss_factor: float = 0.5) -> Evidence:
    """Eqn 1 at every layer against automatic differentiation of Eqn 2."""
    worst, largest = 0.0, 0.0
    claimed = outer_product_updates(pair, context)
    for ours, exact in zip(claimed, autograd_updates(pair, context, loss_factor), strict=True):
        for part, reference in zip(ours, exact, strict=True):
            if part.numel():
                worst = max(worst, float((part - reference).abs().max()))
                largest = max(largest, float(reference.abs().max()))
    relative = worst / largest if largest else worst
    return Evidence.at_most(relative, bound=0.0, tolerance=TOLERANCE, largest_update=largest)


DEEP = DeepPair(inputs=5, hidden=((7, 4), (3, 5), (6, 2)), outputs=3, samples=9, biased=True)

PRINTED = Statement(
    key="specialization.eqn1",
    form=Form.PRINTED,
    title="Gradient flow as an expectation of outer products",
    claim="Ẇ_l = E_x[ f_{l−1}(x) g_l(x)ᵀ ],   J = ½ E_x ‖f*_L(x) − f_L(x)‖²,   g_L = f*_L − f_L",
    source=source("Eqns 1 and 2"),
    expected=Outcome.HOLDS,
    instance_type=DeepPair,
    instances=lambda budget: instances(budget, homogeneous=True),
    evidence=evidence,
    controls=(
        Control("the objective without its factor ½", lambda context: evidence(DEEP, context, 1.0)),
        Control("the objective averaged over outputs", lambda context: evidence(DEEP, context, 0.5 / 3)),
    ),
    examples=(DeepPair(), DEEP, dataclasses.replace(DEEP, slope=0.1)),
    remark="g is minus the gradient at the pre-activations. The ½ is forced by g_L = f*_L − f_L. A loss averaged over "
    "the C outputs without the ½ (a framework's default) needs the step size times C/2.",
)
