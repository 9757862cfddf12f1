"""Expected modulations, overlaps and gates of deep students beside their teachers, in chunks of bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from nets.deep.folding import folded
from nets.deep.networks import DeepNetworks
from nets.matrix_form.layered import LayeredNetwork, LayerValues, augmented, require_pair, sample_chunks
from nets.matrix_form.recursion import CHUNK_ELEMENTS, readouts


@dataclass(frozen=True)
class LayerModulation:
    """Sample means of one hidden layer, student index first, in float64, with leading axis S.

    Against the teacher ``(n, m)``: ``beta_star = E[beta*]``, ``H_star = E[f' beta* f*']``, ``D_star = E[f' f*']``,
    ``L_star = E[f f*]``. Of the students alone ``(n,)``: ``fan_out = sqrt(E[beta_kk])``, the root mean square of the
    output's slope in node k, and ``active``, the share of samples on which it is active. Among students ``(n, n)``,
    where asked for: ``beta, H, D, L``, else None. Values are those of the ReLU, before a normalisation that follows
    it.
    """

    beta_star: Tensor
    H_star: Tensor
    D_star: Tensor
    L_star: Tensor
    fan_out: Tensor
    active: Tensor
    beta: Tensor | None = None
    H: Tensor | None = None
    D: Tensor | None = None
    L: Tensor | None = None

    @property
    def observation(self) -> Tensor:
        """Share of samples on the rarer side of teacher j's boundary, among those where student k is active.

        ``(S, n, m)``, out of all samples. Where it is positive, k observes j. Source: Student Specialization,
        Definition 2, sampled.
        """
        return torch.minimum(self.D_star, self.active[..., :, None] - self.D_star)


def mean_modulations(
    students: DeepNetworks,
    teacher: DeepNetworks,
    x: Tensor,
    *,
    among_students: bool = False,
    elements: int = CHUNK_ELEMENTS,
) -> list[LayerModulation]:
    """The modulations of every hidden layer, bottom up, with batch normalisation folded away.

    Computed from the factors ``V_l(x)`` with ``beta = V^T V``: no ``n x n`` array a sample.

    Args:
        students, teacher: fully connected networks, equally deep.
        x: inputs ``(S, N, d)``.
        among_students: also the means among students, ``(n, n)`` a layer.
        elements: numbers held at once beside the results.
    Raises:
        ValueError: the networks are no pair, or ConvNets.
    Cost: ``2 N C n n'`` flops a layer for the factors, ``4 N C n m`` for the maps, ``4 N C n^2`` more among students.
    Source: Luck Matters, Eqns 3 and 6.
    """
    own, taught = folded(students), folded(teacher)
    require_pair(own, taught)
    inputs = augmented(students.expand(x))
    widest = max(W.shape[-1] for W in own.weights)
    sums: list[dict[str, Tensor]] = [{} for _ in students.architecture.widths]
    for part in sample_chunks(inputs, 3 * students.count * students.architecture.outputs * widest, elements):
        for level, means in _chunk(own, taught, part, among_students):
            held = sums[level - 1]
            for name, value in means.items():
                held[name] = held[name] + value if name in held else value
    return [_finished(held, x.shape[-2]) for held in sums]


def _finished(held: dict[str, Tensor], samples: int) -> LayerModulation:
    means = {name: value / samples for name, value in held.items()}
    means["fan_out"] = means["fan_out"].sqrt()
    return LayerModulation(**means)


def _chunk(
    own: LayeredNetwork, taught: LayeredNetwork, x: Tensor, among_students: bool
) -> Iterator[tuple[int, dict[str, Tensor]]]:
    """Sums over the samples of one chunk, layer by layer from the top."""
    ours, theirs = own.evaluate(x), taught.evaluate(x)
    both = zip(readouts(own, ours), readouts(taught, theirs), strict=True)
    for level, (V, V_star) in zip(reversed(range(1, own.depth + 1)), both, strict=True):
        if level < own.depth:
            student, teacher = _side(V, ours, level), _side(V_star, theirs, level)
            yield level, _sums(student, teacher, among_students)


Side = tuple[Tensor, Tensor, Tensor, Tensor]
"""One layer without its constant node: factors ``(S, N C, n)``, these times the gates, gates ``(S, N, n)``, values."""


def _side(V: Tensor, values: LayerValues, level: int) -> Side:
    gates, f = values.gates[level - 1][..., :-1], values.activations[level][..., :-1]
    V = V[..., :-1]
    return V.flatten(1, 2), (V * gates[..., None, :]).flatten(1, 2), gates, f


def _sums(student: Side, teacher: Side, among_students: bool) -> dict[str, Tensor]:
    found = {
        name: (a.mT @ b).double()
        for name, a, b in zip(("beta_star", "H_star", "D_star", "L_star"), student, teacher, strict=True)
    }
    found["fan_out"] = student[0].square().sum(-2).double()
    found["active"] = student[2].sum(-2).double()
    if among_students:
        found |= {name: (a.mT @ a).double() for name, a in zip(("beta", "H", "D", "L"), student, strict=True)}
    return found
