"""Random deep problems for tests, and what autograd says about them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch

from luckproof import Array, DeepProblem, EmpiricalMeasure


def drawn(
    seed: int,
    teacher: tuple[int, ...],
    student: tuple[int, ...],
    *,
    samples: int = 40,
    batch: tuple[int, ...] = (),
    slope: float = 0.0,
    biased: bool = False,
    weighted: bool = False,
) -> DeepProblem:
    """Normal weights over sqrt(fan-in), normal biases and inputs, some weights of samples zero."""
    rng = np.random.default_rng(seed)
    nets = [
        [rng.standard_normal((*batch, a, b)) / np.sqrt(a) for a, b in pairwise(widths)]
        for widths in (teacher, student)
    ]
    p = rng.integers(0, 4, samples) + (np.arange(samples) == 0) if weighted else None
    measure = EmpiricalMeasure(rng.standard_normal((samples, teacher[0])), p)
    if not biased:
        return DeepProblem(*nets, measure, slope)
    shifts = [[rng.standard_normal((*batch, W.shape[-1])) for W in net] for net in nets]
    return DeepProblem.with_biases(nets[0], shifts[0], nets[1], shifts[1], measure, slope)


def unit(problem: DeepProblem) -> DeepProblem:
    """The same with fan-ins of unit norm in the hidden layers of both networks."""
    nets = [
        (*(W / np.linalg.norm(W, axis=-2, keepdims=True) for W in net[:-1]), net[-1])
        for net in (problem.teacher, problem.student)
    ]
    return DeepProblem(*nets, problem.measure, problem.slope, problem.biased)


def autograd(problem: DeepProblem) -> tuple[Array, list[Array]]:
    """Loss ``(...)`` and minus its gradient in the weights and, where biased, in free biases, by torch.

    The networks are written as frameworks write them; with biases the constant node's column gets a zero.
    """
    x = torch.from_numpy(problem.measure.samples)
    p = problem.measure.weights
    share = torch.full((len(x),), 1 / len(x), dtype=x.dtype) if p is None else torch.from_numpy(p)
    outputs, parameters = [], []
    for net in (problem.teacher, problem.student):
        tensors = [torch.from_numpy(W.copy()).requires_grad_() for W in net]
        f = x[..., :-1] if problem.biased else x
        for level, W in enumerate(tensors):
            last = level == len(tensors) - 1
            if problem.biased:
                real = W if last else W[..., :-1]
                f = f @ real[..., :-1, :] + real[..., -1:, :]
            else:
                f = f @ W
            if not last:
                f = torch.nn.functional.leaky_relu(f, problem.slope)
        outputs.append(f)
        parameters.append(tensors)
    loss = 0.5 * ((outputs[0] - outputs[1]).square().sum(-1) * share).sum(-1)
    gradients = torch.autograd.grad(loss.sum(), parameters[1])
    return loss.detach().numpy(), [-g.numpy() for g in gradients]
