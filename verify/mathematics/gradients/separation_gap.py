"""Two-sided checks of Eqn 6: the gradient by autograd, the Assumption-1 gap as a tensor, and the scale of rounding."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from nets.matrix_form.layered import LayeredNetwork
from nets.matrix_form.recursion import modulations
from nets.matrix_form.separation import Separation, separate
from verify.mathematics.gradients.absolute_networks import AbsoluteNetwork, nodes_on_a_path

EPS = float(np.finfo(np.float64).eps)


def rounding_of(student: LayeredNetwork, teacher: LayeredNetwork, x: Tensor) -> float:
    """Bound on the rounding of both sides of Eqn 6, relative to its sums with every term in absolute value.

    On a path lie the sums over the samples (of L, D and beta) and over the nodes of every layer, forwards and
    backwards; n additions and as many products lose n EPS on either side.
    """
    return 2 * EPS * (3 * len(x) + 2 * nodes_on_a_path(student, teacher))


def autograd_gradients(student: LayeredNetwork, teacher: LayeredNetwork, x: Tensor) -> list[Tensor]:
    """Minus the gradient of ``1/2 mean ||f* - f||^2`` in every weight matrix, by automatic differentiation."""
    weights = [W.clone().requires_grad_() for W in student.weights]
    f = x
    for level, W in enumerate(weights):
        f = torch.relu(f @ W) if level < student.depth - 1 else f @ W
    loss = 0.5 * (teacher.evaluate(x).output - f).square().sum(dim=-1).mean()
    return [-g for g in torch.autograd.grad(loss, weights)]


def gap_tensors(separation: Separation, x: Tensor, factor: float = 1.0) -> list[tuple[Tensor, Tensor]]:
    """``E[beta f'f' ff] - E[beta] E[f'f'] E[ff]`` of each layer, for the teacher and for the student.

    Entry l: two arrays ``(n_{l+1}, m_{l+1}, n_l, m_l)``, with the student's widths twice in the second.
    ``factor`` multiplies the joint expectation, for altered claims. Of the size (n m)^2: for small networks.
    Source: Luck Matters, Eqns 4 and 5.
    """
    student = separation.student
    tensors: list[list[Tensor]] = [[] for _ in range(student.depth)]
    for other, moments in ((separation.teacher, separation.to_teacher), (student, separation.own)):
        for level in range(student.depth):
            beta = _top_down(student, other, x, level)
            ours, theirs = student.evaluate(x), other.evaluate(x)
            joint = torch.einsum(
                "Njo,Nj,No,Nk,Nq->jokq",
                beta,
                ours.gates[level],
                theirs.gates[level],
                ours.activations[level],
                theirs.activations[level],
            )
            split = torch.einsum("jo,kq->jokq", moments.H(level), moments.L[level])
            tensors[level].append(factor * joint / len(x) - split)
    return [(pair[0], pair[1]) for pair in tensors]


def _top_down(student: LayeredNetwork, other: LayeredNetwork, x: Tensor, level: int) -> Tensor:
    chain = list(modulations(student, other, student.evaluate(x), other.evaluate(x)))
    beta = chain[student.depth - 1 - level].teacher
    return beta.expand(len(x), *beta.shape[-2:])


def contracted(separation: Separation, gaps: list[tuple[Tensor, Tensor]]) -> list[Tensor]:
    """What Assumption 1 leaves out of each layer's gradient: the gap summed with the weights as in Eqn 15."""
    return [
        torch.einsum("jokq,qo->kj", gap_teacher, separation.teacher.weights[level])
        - torch.einsum("jokq,qo->kj", gap_own, separation.student.weights[level])
        for level, (gap_teacher, gap_own) in enumerate(gaps)
    ]


def absolute_separation(student: LayeredNetwork, teacher: LayeredNetwork, x: Tensor) -> Separation:
    """The separation with absolute values of weights and inputs, on the gates of the networks themselves."""
    return separate(AbsoluteNetwork.of(student), AbsoluteNetwork.of(teacher), x)


def rounding_scales(student: LayeredNetwork, teacher: LayeredNetwork, x: Tensor) -> list[float]:
    """Per layer the largest entry of the sums of Eqns 6 and 15 with every term in absolute value.

    Rounding is a small multiple of eps of these, however much the sums themselves cancel.
    """
    bound = absolute_separation(student, teacher, x)
    split = bound.separated()
    by_layer = zip(bound.exact.pull, bound.exact.push, split.pull, split.push, strict=True)
    return [max(float(term.max()) for term in terms) for terms in by_layer]


def largest_error(actual: list[Tensor], claimed: list[Tensor], scales: list[float]) -> float:
    """The largest difference over layers, relative to the layer's scale."""
    differences = [float((a - b).abs().max()) for a, b in zip(actual, claimed, strict=True)]
    return max(
        difference / scale if scale else difference
        for difference, scale in zip(differences, scales, strict=True)
    )
