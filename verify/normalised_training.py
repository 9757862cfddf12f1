"""Normalised students on one batch: the rates of their squared norms and the growth under SGD, with rounding bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nets.normalised import PLACEMENTS, NormalisedStudent, normalisation_variance

EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Training:
    """A normalised student on one batch with random targets.

    ``placement``: relu_bn (Linear -> ReLU -> BN) or bn_relu. ``lr`` is the step size of ``steps`` steps of plain SGD on
    the batch; lr = 0 asks for the gradient flow. ``scale`` multiplies weights and biases below the normalisations.
    """

    placement: str = "bn_relu"
    eps: float = 0.0
    biased: bool = False
    lr: float = 0.0
    steps: int = 1
    inputs: int = 2
    hidden: tuple[int, ...] = (1,)
    outputs: int = 1
    samples: int = 4
    scale: float = 1.0
    seed: int = 0

    def student(self) -> NormalisedStudent:
        """The student with normal weights; fan-ins over sqrt(fan-in), biases and shifts normal."""
        rng = np.random.default_rng((self.seed, 1))
        student = NormalisedStudent(
            (self.inputs, *self.hidden, self.outputs),
            "relu_bn" if self.placement == PLACEMENTS[0] else "bn_relu",
            eps=self.eps,
            bias=self.biased,
        )
        with torch.no_grad():
            for linear in student.linears:
                fan_in = linear.weight.shape[1]
                factor = self.scale if linear is not student.linears[-1] else 1.0
                linear.weight.copy_(_normal(linear.weight, rng) * factor / fan_in**0.5)
                if self.biased:
                    linear.bias.copy_(_normal(linear.bias, rng) * factor)
            for norm in student.norms:
                norm.weight.copy_(1 + 0.3 * _normal(norm.weight, rng))
                norm.bias.copy_(_normal(norm.bias, rng))
        return student

    def batch(self) -> tuple[Tensor, Tensor]:
        """Inputs ``(N, d)`` and targets ``(N, c)``, normal."""
        rng = np.random.default_rng((self.seed, 2))
        x = rng.standard_normal((self.samples, self.inputs))
        return torch.from_numpy(x), torch.from_numpy(rng.standard_normal((self.samples, self.outputs)))


def _normal(like: Tensor, rng: np.random.Generator) -> Tensor:
    return torch.from_numpy(rng.standard_normal(tuple(like.shape)))


def loss(student: NormalisedStudent, x: Tensor, y: Tensor) -> Tensor:
    """``1/2 mean ||y - f(x)||^2`` over the batch."""
    return 0.5 * (y - student.forward(x)).square().sum(dim=-1).mean()


@dataclass(frozen=True)
class Rates:
    """Per node of one hidden block, under gradient flow: d/dt of the norms and of what they are compared with.

    ``weight`` is d||w||^2/dt, ``bias`` d(b^2)/dt (0 without), ``scale`` d(c0^2)/dt, ``variance`` the batch variance;
    ``rounding`` bounds what float64 does to ``weight``.
    """

    weight: Tensor
    bias: Tensor
    scale: Tensor
    variance: Tensor
    rounding: Tensor


def flow_rates(training: Training) -> list[Rates]:
    """The rates of every hidden block at the start, from autograd on torch's own layers."""
    student, (x, y) = training.student(), training.batch()
    fed = [f.detach() for f in student.traced(x)[1]]
    blocks = list(zip(student.linears, student.norms, fed, strict=False))
    parameters: list[Tensor] = [p for linear, norm, _ in blocks for p in (linear.weight, norm.weight)]
    if training.biased:
        parameters += [linear.bias for linear, _, _ in blocks]
    down = [-g for g in torch.autograd.grad(loss(student, x, y), parameters)]
    rates = []
    for block, (linear, norm, f) in enumerate(blocks):
        w, c0 = linear.weight.detach(), norm.weight.detach()
        drift, growth = down[2 * block], down[2 * block + 1]
        bias = torch.zeros(len(w), dtype=w.dtype)
        if training.biased:
            bias = 2 * linear.bias.detach() * down[2 * len(blocks) + block]
        variance = normalisation_variance(f)
        # Each of the N d products is rounded, and whitening loses the digits of |f| / sigma.
        lost = 1 + f.abs().amax(dim=0) / variance.sqrt()
        size = w.norm(dim=1) * drift.norm(dim=1) + _backward_size(training, w, variance)
        rounding = 16 * EPS * (training.samples + w.shape[1]) * lost * size
        rates.append(Rates(2 * (w * drift).sum(dim=1), bias, 2 * c0 * growth, variance, rounding))
    return rates


def _backward_size(training: Training, w: Tensor, variance: Tensor) -> Tensor:
    """The size of ``w`` times an unprojected gradient through the normalisation: what the projection cancels."""
    student, (x, y) = training.student(), training.batch()
    with torch.no_grad():
        residual = (y - student.forward(x)).norm(dim=1).mean()
        top = torch.stack(
            [torch.linalg.matrix_norm(linear.weight, 2) for linear in student.linears[1:]]
        ).prod()
        spread = torch.stack([norm.weight.abs().max() for norm in student.norms]).prod()
    return torch.as_tensor(w.norm(dim=1) * residual * top * spread * x.norm(dim=1).max() / variance.sqrt())


def trained(training: Training) -> tuple[Tensor, Tensor, Tensor]:
    """After SGD: growth of ||w_j||^2, the sum of lr^2 ||grad||^2, a bound on rounding; all blocks."""
    student, (x, y) = training.student(), training.batch()
    everything = list(student.parameters())
    optimizer = torch.optim.SGD(everything, lr=training.lr)
    filters = [linear.weight for linear in student.linears[:-1]]
    before = torch.cat([w.detach().square().sum(dim=1) for w in filters])
    summed, rounding = torch.zeros_like(before), torch.zeros_like(before)
    for _ in range(training.steps):
        for parameter, gradient in zip(
            everything, torch.autograd.grad(loss(student, x, y), everything), strict=True
        ):
            parameter.grad = gradient
        squares = torch.cat([w.grad.square().sum(dim=1) for w in filters if w.grad is not None])
        summed += training.lr**2 * squares
        rounding += _step_rounding(training, student, x, torch.sqrt(squares))
        optimizer.step()
    after = torch.cat([w.detach().square().sum(dim=1) for w in filters])
    return after - before, summed, rounding


def _step_rounding(training: Training, student: NormalisedStudent, x: Tensor, gradient: Tensor) -> Tensor:
    """What one step can add to ||w||^2 by rounding: of w itself, and 2 lr times the rounding of w . grad."""
    with torch.no_grad():
        fed = student.traced(x)[1]
        norms = torch.cat([linear.weight.norm(dim=1) for linear in student.linears[:-1]])
    sigma = torch.cat([normalisation_variance(f).sqrt() for f in fed])
    lost = 1 + torch.cat([f.abs().amax(dim=0) for f in fed]) / sigma
    wide = training.samples + max(training.inputs, *training.hidden)
    return 16 * EPS * wide * (norms.square() + training.lr * norms * (gradient + 1 / sigma) * lost)
