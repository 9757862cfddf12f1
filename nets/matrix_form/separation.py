"""Eqn 6 of deep networks beside the exact gradient that it approximates: what separating expectations costs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nets.matrix_form.layered import LayeredNetwork, require_pair, sample_chunks
from nets.matrix_form.recursion import CHUNK_ELEMENTS, readouts


@dataclass(frozen=True)
class Correlations:
    """The three expectations of Eqn 6 for one pair of networks; on the right stands the teacher, or the student itself.

    Entry l of each list belongs to the weight matrix W_l: ``L`` of layer l ``(..., n_l, m_l)``, ``E[f_l f*_l^T]``;
    ``D`` of layer l + 1, ``E[f' f*'^T]``; ``beta`` of layer l + 1, ``E[beta*]``.
    """

    L: list[Tensor]
    D: list[Tensor]
    beta: list[Tensor]

    def H(self, level: int) -> Tensor:
        """``H_{l+1} = beta_{l+1} o D_{l+1}``, the identity at the top, where there is no ReLU."""
        return self.beta[level] * self.D[level]


@dataclass(frozen=True)
class LayerGradients:
    """Minus the gradient of ``J = 1/2 E||f* - f||^2`` in W_0 .. W_{L-1}, as ``pull - push``.

    ``pull`` is the sum that holds the teacher, ``push`` the student's own; each entry has the shape of its weight
    matrix.
    """

    pull: list[Tensor]
    push: list[Tensor]

    @property
    def total(self) -> list[Tensor]:
        """``pull - push``, matrix by matrix."""
        return [pull - push for pull, push in zip(self.pull, self.push, strict=True)]


@dataclass(frozen=True)
class Separation:
    """One pair of networks on one set of samples: the exact gradient (Eqn 15) and the expectations that Eqn 6 needs."""

    student: LayeredNetwork
    teacher: LayeredNetwork
    exact: LayerGradients
    to_teacher: Correlations
    own: Correlations

    def separated(self) -> LayerGradients:
        """Eqn 6, ``L*_l W*_l H*_{l+1}^T - L_l W_l H_{l+1}``.

        H* has the student's index first, ``[h_jj*]``, so it enters transposed: as printed the shapes do not multiply.
        """
        return LayerGradients(
            [
                self.to_teacher.L[level] @ W @ self.to_teacher.H(level).mT
                for level, W in enumerate(self.teacher.weights)
            ],
            [self.own.L[level] @ W @ self.own.H(level).mT for level, W in enumerate(self.student.weights)],
        )

    def closed_modulations(self) -> tuple[list[Tensor], list[Tensor]]:
        """``W_l H*_{l+1} W*_l^T`` and ``W_l H_{l+1} W_l^T`` for l = 1..L-1, which close Eqn 6.

        They stand in for ``E[beta*_l]`` and ``E[beta_l]``. Exact would be ``E[D beta D*]`` in the middle; ``E[beta] o
        E[D D*]`` separates a second time, which Theorem 2 needs before Eqn 6 is a closed system.
        """
        levels = range(1, self.student.depth)
        teacher = [
            self.student.weights[level] @ self.to_teacher.H(level) @ self.teacher.weights[level].mT
            for level in levels
        ]
        own = [
            self.student.weights[level] @ self.own.H(level) @ self.student.weights[level].mT
            for level in levels
        ]
        return teacher, own


def separate(
    student: LayeredNetwork, teacher: LayeredNetwork, x: Tensor, elements: int = CHUNK_ELEMENTS
) -> Separation:
    """The exact gradient and Eqn 6's expectations over the samples, all layers in one pass.

    ``dJ/dW_l = -E[f_l (f' o V^T (f*_L - f_L))^T]`` with V of :func:`nets.matrix_form.recursion.readouts`, and
    ``E[beta*] = E[V^T V*]``: every expectation is a matrix product over samples, and no N n n numbers are formed.

    Args:
        student, teacher: equal depth, inputs and outputs.
        x: samples ``(..., N, d)``, N >= 1, taken in pieces.
        elements: numbers in one temporary.
    Raises:
        ValueError: the networks do not form a pair, or there is no sample.
    Cost: N C n n' a layer; memory N' C n for the N' samples of a piece.
    Source: Luck Matters, Eqns 6 and 15.
    """
    require_pair(student, teacher)
    if x.shape[-2] < 1:
        raise ValueError(f"x: expected at least one sample, got shape {tuple(x.shape)}")
    outputs = student.weights[-1].shape[-1]
    per_sample = (outputs + 2) * sum(W.shape[-1] for net in (student, teacher) for W in net.weights)
    total: list[list[Tensor]] | None = None
    for part in sample_chunks(x, per_sample, elements):
        sums = _sums(student, teacher, part)
        if total is None:
            total = sums
        else:
            for kept, new in zip(total, sums, strict=True):
                for a, b in zip(kept, new, strict=True):
                    a += b
    assert total is not None
    for group in total:
        for a in group:
            a /= x.shape[-2]
    pull, push, L_t, D_t, beta_t, L_o, D_o, beta_o = total
    return Separation(
        student,
        teacher,
        LayerGradients(pull, push),
        Correlations(L_t, D_t, beta_t),
        Correlations(L_o, D_o, beta_o),
    )


def _sums(student: LayeredNetwork, teacher: LayeredNetwork, x: Tensor) -> list[list[Tensor]]:
    """Sums over the samples, by layer: pull, push, then L, D, beta with the teacher and with the student."""
    ours, theirs = student.evaluate(x), teacher.evaluate(x)
    V = list(readouts(student, ours))[::-1]
    V_teacher = list(readouts(teacher, theirs))[::-1]
    sums: list[list[Tensor]] = [[] for _ in range(8)]
    for level in range(student.depth):
        f, gate = ours.activations[level], ours.gates[level]
        back = V[level] * gate[..., None, :]
        for target, output in zip(sums[:2], (theirs.output, ours.output), strict=True):
            target.append(f.mT @ (output[..., None, :] @ back)[..., 0, :])
        for group, values, right in ((sums[2:5], theirs, V_teacher), (sums[5:], ours, V)):
            group[0].append(f.mT @ values.activations[level])
            group[1].append(gate.mT @ values.gates[level])
            group[2].append(_over_samples(V[level], right[level]))
    return sums


def _over_samples(A: Tensor, B: Tensor) -> Tensor:
    """``sum_x A(x)^T B(x)`` of ``(..., N, C, n)`` and ``(..., N, C, m)``, one matrix product: ``(..., n, m)``."""
    return A.flatten(-3, -2).mT @ B.flatten(-3, -2)


def relative_gap(exact: Tensor, approximate: Tensor) -> Tensor:
    """``||approximate - exact|| / ||exact||`` (Frobenius) over the last two axes."""
    error = torch.linalg.matrix_norm(approximate - exact)
    return torch.as_tensor(error / torch.linalg.matrix_norm(exact))
