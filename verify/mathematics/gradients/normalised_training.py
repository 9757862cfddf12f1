"""Normalised students on one batch: the rates of their squared norms and the growth under SGD, with rounding bounds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import hypothesis.strategies as st
import numpy as np
import torch
from torch import Tensor

from nets.matrix_form.normalised import PLACEMENTS, NormalisedStudent, normalisation_variance
from verify.judging import Assumption, Budget, CannotJudgeError, Evidence, drawn, fixed
from verify.judging.domains import SEED, Each, Instance, OneOf, integers, reals
from verify.mathematics.gradients.normalised_rounding import EPS, BlockPass, block_passes, radial_rounding

LEAST_SPREAD = 1e-4
"""Of sigma / |f|: above it the rounding bounds, of first order in EPS |f| / sigma, neglect 1e-10 of themselves."""


def widths(budget: Budget) -> st.SearchStrategy[int]:
    """Widths of a layer: up to 16, at ``quick`` up to 6."""
    return st.integers(1, 16 if budget.full else 6)


def one_or_two_layers(budget: Budget) -> st.SearchStrategy[tuple[int, ...]]:
    """Widths of one or two hidden blocks."""
    return st.lists(widths(budget), min_size=1, max_size=2).map(tuple)


@dataclass(frozen=True)
class Training(Instance):
    """A normalised student on one batch with random targets.

    ``placement``: relu_bn (Linear -> ReLU -> BN) or bn_relu. ``lr`` is the step size of ``steps`` steps of plain SGD on
    the batch; lr = 0 asks for the gradient flow. ``scale`` multiplies weights and biases below the normalisations.
    """

    placement: str = drawn("bn_relu", st.sampled_from(PLACEMENTS[::-1]), OneOf(PLACEMENTS))
    eps: float = fixed(0.0, reals(0))
    biased: bool = fixed(False, OneOf((False, True)))
    lr: float = fixed(0.0, reals(0))
    steps: int = fixed(1, integers(1))
    inputs: int = drawn(2, widths, integers(1))
    hidden: tuple[int, ...] = drawn((1,), one_or_two_layers, Each(integers(1), 1))
    outputs: int = drawn(1, st.integers(1, 3), integers(1))
    samples: int = drawn(4, lambda budget: st.integers(3, 64 if budget.full else 16), integers(2))
    scale: float = drawn(1.0, st.sampled_from([1.0, 0.1, 5.0]), reals(0, low_open=True))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

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


def alive(training: Training) -> tuple[Assumption, ...]:
    """sigma > 0 at every normalised node, above what rounding would fake."""
    student, (x, _) = training.student(), training.batch()
    with torch.no_grad():
        fed = student.traced(x)[1]
    return (Assumption.above("σ / max |f| at every node", min(map(relative_spread, fed)), LEAST_SPREAD),)


def relative_spread(fed: Tensor) -> float:
    """The smallest ``sigma / max |f|`` over the nodes of ``fed (N, width)``; 0 where a node is always shut."""
    largest = fed.abs().amax(dim=0)
    return float(torch.where(largest > 0, normalisation_variance(fed / largest).sqrt(), 0.0).min())


def flow(training: Training) -> tuple[Assumption, ...]:
    """The gradient flow, at nodes that are alive."""
    return (Assumption.equal("gradient flow: lr", training.lr), *alive(training))


def flow_without_eps(training: Training) -> tuple[Assumption, ...]:
    """The gradient flow under the normalisation of the paper."""
    return (without_eps(training), *flow(training))


def without_eps(training: Training) -> Assumption:
    """The normalisation of the paper divides by sigma alone."""
    return Assumption.equal("eps", training.eps)


def without_bias(training: Training) -> Assumption:
    """No bias between the filter and the ReLU: none at all, or one that the normalisation takes out at once."""
    free = training.biased and training.placement == "relu_bn"
    return Assumption.that("no bias before a ReLU", not free)


def loss(student: NormalisedStudent, x: Tensor, y: Tensor) -> Tensor:
    """``1/2 mean ||y - f(x)||^2`` over the batch."""
    return half_mean_square(y, student.forward(x))


def half_mean_square(y: Tensor, outputs: Tensor) -> Tensor:
    """``1/2 mean ||y - outputs||^2`` of targets and outputs ``(N, c)``."""
    return 0.5 * (y - outputs).square().sum(dim=-1).mean()


@dataclass(frozen=True)
class Rates:
    """Per node of one hidden block, under gradient flow: d/dt of the norms and of what they are compared with.

    ``weight`` is d||w||^2/dt, ``bias`` d(b^2)/dt (0 without), ``scale`` d(c0^2)/dt, ``variance`` the batch variance;
    ``rounding`` bounds what float64 does to ``weight + bias``, to ``bias`` alone where it gets no gradient, and to
    ``eps/(variance + eps) scale``.
    """

    weight: Tensor
    bias: Tensor
    scale: Tensor
    variance: Tensor
    rounding: Tensor


def flow_rates(training: Training) -> list[Rates]:
    """The rates of every hidden block at the start, from autograd on torch's own layers."""
    student, (x, y) = training.student(), training.batch()
    passes, _ = block_passes(student, x, partial(half_mean_square, y))
    rates = []
    for linear, norm, block in zip(student.linears, student.norms, passes, strict=False):
        w, c0 = linear.weight.detach(), norm.weight.detach()
        b = linear.bias.detach() if training.biased else torch.zeros_like(c0)
        rates.append(
            Rates(
                -2 * (w * block.weight).sum(dim=1),
                -2 * b * block.bias,
                -2 * c0 * block.scale,
                normalisation_variance(block.fed),
                2 * radial_rounding(linear, norm, block),
            )
        )
    return rates


def trained(training: Training) -> tuple[Tensor, Tensor, Tensor]:
    """After SGD: growth of ||w_j||^2, the sum of lr^2 ||grad||^2, a bound on rounding; all blocks."""
    student, (x, y) = training.student(), training.batch()
    everything = list(student.parameters())
    optimizer = torch.optim.SGD(everything, lr=training.lr)
    filters = [linear.weight for linear in student.linears[:-1]]
    before = torch.cat([w.detach().square().sum(dim=1) for w in filters])
    summed, rounding = torch.zeros_like(before), torch.zeros_like(before)
    for step in range(training.steps):
        passes, gradients = block_passes(student, x, partial(half_mean_square, y))
        require_life(passes, step)
        for parameter, gradient in zip(everything, gradients, strict=True):
            parameter.grad = gradient
        summed += training.lr**2 * torch.cat([block.weight.square().sum(dim=1) for block in passes])
        rounding += _step_rounding(training.lr, student, passes)
        optimizer.step()
    growth = torch.cat([w.detach().square().sum(dim=1) for w in filters]) - before
    if not all(bool(torch.isfinite(sizes).all()) for sizes in (growth, summed, rounding)):
        raise CannotJudgeError(f"the training has left float64's range by step {training.steps}")
    return growth, summed, rounding


def require_life(passes: list[BlockPass], step: int) -> None:
    """Raise CannotJudgeError where training left what the rounding bounds hold for."""
    if not all(bool(torch.isfinite(block.fed).all()) for block in passes):
        raise CannotJudgeError(f"the training has left float64's range by step {step}")
    if min(relative_spread(block.fed) for block in passes) <= LEAST_SPREAD:
        raise CannotJudgeError(f"σ has vanished at a node by step {step}")


def _step_rounding(lr: float, student: NormalisedStudent, passes: list[BlockPass]) -> Tensor:
    """What one step can add to ||w||^2 by rounding: 2 lr times that of w . grad, and w - lr grad with its square."""
    bounds = []
    for linear, norm, block in zip(student.linears, student.norms, passes, strict=False):
        w = linear.weight.detach()
        size = (w.norm(dim=1) + lr * block.weight.norm(dim=1)).square()
        # Two roundings per coordinate of the update, doubled by the square, and the sum of the squares.
        bounds.append(2 * lr * radial_rounding(linear, norm, block) + (w.shape[1] + 4) * EPS * size)
    return torch.cat(bounds)


def farthest_off(comparisons: Iterable[tuple[Tensor, Tensor, Tensor]]) -> Evidence:
    """Evidence for ``measured = predicted`` at the node whose difference is the largest multiple of its rounding.

    ``comparisons`` holds (predicted, measured, rounding) of the nodes of one block after the other.
    """
    found = (-float("inf"), 0.0, 0.0, 0.0)
    for predicted, measured, rounding in comparisons:
        share = (measured - predicted).abs() / rounding
        at = int(share.argmax())
        found = max(found, (float(share[at]), float(predicted[at]), float(measured[at]), float(rounding[at])))
    largest, claimed, met, allowed = found
    return Evidence(predicted=claimed, measured=met, margin=(1 - largest) * allowed, tolerance=allowed)
