"""Lemma 1: the recursive gradient rule in matrix form, and the residual it is written in."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from nets.matrix_form.layered import LayeredNetwork, LayerValues
from nets.matrix_form.recursion import readouts
from verify.judging import Context, Control, Evidence, Form, Outcome, Statement
from verify.luckmatters.theorem1 import autograd_node_gradients, forward, instances, rectifier
from verify.mathematics.families.layered_pairs import DeepPair, draw, layered
from verify.specialization.sources import DERIVED, source

TOLERANCE = 1e-12
"""Relative to the larger term. Rounding alone: 2 sqrt(operations) eps < 1e-13 for six layers of 12 nodes."""


@dataclasses.dataclass(frozen=True)
class Level:
    """One layer on N inputs: gates, activations and readouts V, V* of student and teacher."""

    gate: Tensor
    f: Tensor
    f_teacher: Tensor
    V: Tensor
    V_teacher: Tensor

    @property
    def A(self) -> Tensor:
        """``V^T V*``, (N, n, m)."""
        return self.V.mT @ self.V_teacher

    @property
    def B(self) -> Tensor:
        """``V^T V``, (N, n, n)."""
        return self.V.mT @ self.V

    @property
    def terms(self) -> tuple[Tensor, Tensor]:
        """``D A f*`` and ``D B f``, (N, n) each: Eqn 3 is their difference."""
        pull = (self.A @ self.f_teacher[..., None])[..., 0]
        push = (self.B @ self.f[..., None])[..., 0]
        return self.gate * pull, self.gate * push

    @property
    def residual_terms(self) -> tuple[Tensor, Tensor]:
        """``V* f*`` and ``V f``, (N, C) each: r_l is their difference."""
        return (self.V_teacher @ self.f_teacher[..., None])[..., 0], (self.V @ self.f[..., None])[..., 0]


def levels(student: LayeredNetwork, teacher: LayeredNetwork, x: Tensor) -> list[Level]:
    """Layers 1..L of a pair of equal depth on the same inputs."""
    ours, theirs = student.evaluate(x), teacher.evaluate(x)
    V, V_teacher = list(readouts(student, ours))[::-1], list(readouts(teacher, theirs))[::-1]
    return [
        Level(ours.gates[at], ours.activations[at + 1], theirs.activations[at + 1], V[at], V_teacher[at])
        for at in range(student.depth)
    ]


def relative(error: Tensor, terms: tuple[Tensor, Tensor]) -> float:
    """Largest error in units of the largest entry of the two terms it is the difference of."""
    scale = max(float(term.abs().max()) for term in terms)
    worst = float(error.abs().max())
    return worst / scale if scale else worst


def evidence(pair: DeepPair, context: Context) -> Evidence:
    """``D_l [A_l f*_l - B_l f_l]`` against automatic differentiation, every layer, node and sample."""
    student, teacher, x = draw(pair, context.rng(pair.seed))
    activation = rectifier(pair.slope)
    exact = autograd_node_gradients(student, forward(teacher, x, activation), x, activation)
    ours, inputs = layered(pair, student, x)
    worst = 0.0
    for level, g in zip(levels(ours, layered(pair, teacher, x)[0], inputs), exact, strict=True):
        pull, push = level.terms
        worst = max(worst, relative((pull - push)[:, : g.shape[1]] - g, (pull, push)))
    return Evidence.at_most(worst, bound=0.0, tolerance=TOLERANCE)


def residual_evidence(pair: DeepPair, context: Context) -> Evidence:
    """``V*_l f*_l - V_l f_l`` at every layer against ``f*_L - f_L``, the outputs computed without V."""
    student, teacher, x = draw(pair, context.rng(pair.seed))
    activation = rectifier(pair.slope)
    top = forward(teacher, x, activation) - forward(student, x, activation)
    ours, inputs = layered(pair, student, x)
    worst = 0.0
    for level in levels(ours, layered(pair, teacher, x)[0], inputs):
        theirs, own = level.residual_terms
        worst = max(worst, relative(theirs - own - top, (theirs, own)))
    return Evidence.at_most(worst, bound=0.0, tolerance=TOLERANCE)


class Tanh(LayeredNetwork):
    """tanh for ReLU, its derivative for the gate: not homogeneous."""

    def evaluate(self, x: Tensor) -> LayerValues:
        """Activations of all layers, and tanh' in the place of the gates."""
        activations, gates = [x], []
        for level, W in enumerate(self.weights):
            z = activations[-1] @ W
            top = level == self.depth - 1
            activations.append(z if top else torch.tanh(z))
            gates.append(torch.ones_like(z) if top else 1 - torch.tanh(z).square())
        return LayerValues(tuple(activations), tuple(gates))


def tanh_evidence(context: Context, residual: bool) -> Evidence:
    """The same identities for tanh networks, which they must not fit."""
    student, teacher, x = draw(DEEP, context.rng(DEEP.seed))
    networks = [Tanh(tuple(side.weights)) for side in (student, teacher)]
    exact = autograd_node_gradients(student, forward(teacher, x, torch.tanh), x, torch.tanh)
    worst = 0.0
    for level, g in zip(levels(networks[0], networks[1], x), exact, strict=True):
        terms = level.residual_terms if residual else level.terms
        worst = max(worst, relative(terms[0] - terms[1] - (exact[-1] if residual else g), terms))
    return Evidence.at_most(worst, bound=0.0, tolerance=TOLERANCE)


def gate_inside(context: Context) -> Evidence:
    """Altered claim: V_l with the gates of its own layer, and none outside."""
    student, teacher, x = draw(DEEP, context.rng(DEEP.seed))
    exact = autograd_node_gradients(student, forward(teacher, x, torch.relu), x, torch.relu)
    ours, inputs = layered(DEEP, student, x)
    worst = 0.0
    for level, g in zip(levels(ours, layered(DEEP, teacher, x)[0], inputs), exact, strict=True):
        pull, push = dataclasses.replace(level, gate=torch.ones_like(level.gate)).terms
        worst = max(worst, relative((pull - push)[:, : g.shape[1]] - g, (pull, push)))
    return Evidence.at_most(worst, bound=0.0, tolerance=TOLERANCE)


DEEP = DeepPair(inputs=10, hidden=((30, 5), (4, 20), (25, 3), (12, 12), (7, 9)), outputs=4, samples=16)
EXAMPLES = (
    DeepPair(),
    DEEP,
    dataclasses.replace(DEEP, biased=True),
    dataclasses.replace(DEEP, biased=True, slope=0.1),
)

PRINTED = Statement(
    key="specialization.lemma1",
    form=Form.PRINTED,
    title="Recursive gradient rule",
    claim="""g_l(x) = D_l(x) [ A_l(x) f*_l(x) − B_l(x) f_l(x) ],   A_l = V_lᵀ V*_l,   B_l = V_lᵀ V_l
V_L = V*_L = I,   V_{l−1} = V_l D_l W_lᵀ,   V*_{l−1} = V*_l D*_l W*_lᵀ""",
    source=source("Lemma 1, Eqns 3 and 4"),
    expected=Outcome.HOLDS,
    instance_type=DeepPair,
    instances=lambda budget: instances(budget, homogeneous=True),
    evidence=evidence,
    controls=(
        Control(
            "tanh with its derivative as the gate", lambda context: tanh_evidence(context, residual=False)
        ),
        Control("the gates of layer l left out", gate_inside),
    ),
    examples=EXAMPLES,
    remark="Holds for ReLU and leaky ReLU, any depth and widths, and with biases when a bias is the weight of one more "
    "node of value 1. V_l holds the gates above l only; those of layer l stand outside.",
)

RESIDUAL = Statement(
    key="specialization.lemma1.residual",
    form=Form.SHARP,
    title="The residual is the same at every layer",
    claim="r_l := V*_l f*_l − V_l f_l = f*_L − f_L   at every layer l,   so  g_l = D_l V_lᵀ (f*_L − f_L)",
    source=source("Eqn 5", DERIVED),
    expected=Outcome.HOLDS,
    instance_type=DeepPair,
    instances=lambda budget: instances(budget, homogeneous=True),
    evidence=residual_evidence,
    controls=(
        Control(
            "tanh with its derivative as the gate", lambda context: tanh_evidence(context, residual=True)
        ),
    ),
    examples=EXAMPLES,
    remark="V_l f_l = f_L for every l, so Lemma 1 is back-propagation with the output error written in the coordinates "
    "of layer l. The paper calls r_l the residue of each layer; it is one and the same vector.",
)
