"""One layer of a deep pair in matrix form: gates, activations, readouts, and the terms of Lemma 1 made of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nets.matrix_form.layered import LayeredNetwork, LayerValues
from nets.matrix_form.recursion import readouts


@dataclass(frozen=True)
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


class TanhNetwork(LayeredNetwork):
    """tanh for ReLU, its derivative for the gate: not homogeneous, so the identities of Lemma 1 do not hold for it."""

    def evaluate(self, x: Tensor) -> LayerValues:
        """Activations of all layers, and tanh' in the place of the gates."""
        activations, gates = [x], []
        for level, W in enumerate(self.weights):
            z = activations[-1] @ W
            top = level == self.depth - 1
            activations.append(z if top else torch.tanh(z))
            gates.append(torch.ones_like(z) if top else 1 - torch.tanh(z).square())
        return LayerValues(tuple(activations), tuple(gates))
