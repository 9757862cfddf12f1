"""Two-layer networks on a batch, with gradients by automatic differentiation: what Eqns 6 to 8 are checked on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
import numpy as np
import torch

from dynamics.arrays import Array
from verify.judging import SEED, Assumption, Budget, Evidence, Instance, OneOf, drawn, fixed, integers, reals
from verify.mathematics.families.narrowed import narrowed

EPS = float(np.finfo(np.float64).eps)

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": torch.relu,
    "linear": lambda z: z,
    "tanh": torch.tanh,
}
"""The two the paper names, and one that is not homogeneous, for the controls."""


def up_to_widest(budget: Budget) -> st.SearchStrategy[int]:
    """Sizes of a layer: up to 20, at ``quick`` up to 6."""
    return st.integers(1, 20 if budget.full else 6)


@dataclass(frozen=True)
class Batch(Instance):
    """m teachers, n students, Gaussian weights and inputs; full-batch gradient descent where ``steps`` > 0."""

    d: int = drawn(3, up_to_widest, integers(1))
    m: int = drawn(2, up_to_widest, integers(1))
    n: int = drawn(2, up_to_widest, integers(1))
    outputs: int = drawn(2, up_to_widest, integers(1))
    samples: int = drawn(4, lambda budget: st.integers(1, 40 if budget.full else 12), integers(1))
    biased: bool = drawn(True, st.booleans(), OneOf((False, True)))
    activation: str = drawn("relu", st.sampled_from(["relu", "linear"]), OneOf(("relu", "linear", "tanh")))
    lr: float = fixed(0.01, reals(0.0))
    steps: int = fixed(0, integers(0))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)


class Networks:
    """Augmented inputs (N, d + 1), teacher outputs (N, C) and the student's tensors of one :class:`Batch`.

    ``W (d + 1, n)`` carries the bias in its last row, which is zero and fixed where ``biased`` is False; ``V (n, C)``;
    ``top (C,)`` is the output bias.
    """

    def __init__(self, batch: Batch) -> None:
        rng = np.random.default_rng(batch.seed)

        def normal(*shape: int) -> torch.Tensor:
            return torch.tensor(rng.standard_normal(shape))

        self.batch, self.phi = batch, ACTIVATIONS[batch.activation]
        one = torch.full((batch.samples, 1), float(batch.biased), dtype=torch.float64)
        self.x = torch.cat([normal(batch.samples, batch.d), one], dim=1)
        self.target = torch.relu(self.x @ normal(batch.d + 1, batch.m)) @ normal(batch.m, batch.outputs)
        self.W, self.V, self.top = (
            normal(batch.d + 1, batch.n),
            normal(batch.n, batch.outputs),
            normal(batch.outputs),
        )
        if not batch.biased:
            self.W[-1] = 0.0

    def flow(self) -> tuple[Array, Array]:
        """``(W', V')`` of the gradient flow: minus the gradients of ``1/2 E||f* - f||^2`` by autograd."""
        for_W, for_V, _ = self._gradients()
        return -for_W.numpy(), -for_V.numpy()

    def _gradients(self) -> tuple[torch.Tensor, ...]:
        parameters: list[Any] = [p.clone().requires_grad_() for p in (self.W, self.V, self.top)]
        W, V, top = parameters
        residual = self.target - self.phi(self.x @ W) @ V - top
        loss = 0.5 * residual.square().sum(dim=1).mean()
        return torch.autograd.grad(loss, parameters)

    def descend(self) -> tuple[Array, Array]:
        """Take the batch's steps; the change of ``||w_k||^2 - ||v_k||^2`` (n,) and what the steps add up to."""
        lr, start = self.batch.lr, self.imbalance()
        summed = np.zeros(self.batch.n)
        for _ in range(self.batch.steps):
            for_W, for_V, for_top = self._gradients()
            summed += lr**2 * (for_W.square().sum(dim=0) - for_V.square().sum(dim=1)).numpy()
            self.W, self.V, self.top = self.W - lr * for_W, self.V - lr * for_V, self.top - lr * for_top
        return self.imbalance() - start, summed

    def imbalance(self) -> Array:
        """``||w_k||^2 - ||v_k||^2``, bias included: (n,)."""
        return np.asarray((self.W.square().sum(dim=0) - self.V.square().sum(dim=1)).numpy())

    def hidden(self) -> tuple[Array, Array, Array]:
        """Activations f (N, n), slopes D (N, n) and residual r (N, C), for formulas written out in NumPy."""
        z = (self.x @ self.W).clone().requires_grad_()
        f = self.phi(z)
        (slope,) = torch.autograd.grad(f.sum(), z)
        residual = self.target - f @ self.V - self.top
        return f.detach().numpy(), slope.numpy(), residual.detach().numpy()

    def rounding(self) -> Array:
        """Bound on the rounding of one sum over the batch of x, f or D times r^T v_k: (n,).

        Sums of N, d + 1, n, m and C terms: their number times eps times the mean of the absolute terms.
        """
        batch, x, V = self.batch, self.x.abs().numpy(), self.V.abs().numpy()
        reach = x @ self.W.abs().numpy()
        output = self.target.abs().numpy() + reach @ V + self.top.abs().numpy()
        terms = batch.samples + batch.d + batch.n + batch.m + batch.outputs + 8
        size = 1.0 + x.max(axis=1, keepdims=True) + reach
        return np.asarray(4 * terms * EPS * (size * (1.0 + output @ V.T)).mean(axis=0))


def away_from_kinks(batch: Batch) -> tuple[Assumption, ...]:
    """No pre-activation so near zero that rounding could open or close a gate."""
    networks = Networks(batch)
    z = (networks.x @ networks.W).abs()
    return (Assumption.above("no sample on a kink: smallest |z|", float(z.min()), 1e-12),)


def homogeneous(batch: Batch) -> tuple[Assumption, ...]:
    """No sample on a kink, and nodes for which f = D z: the two activations the paper names."""
    named = batch.activation in ("relu", "linear")
    return (*away_from_kinks(batch), Assumption.that("ReLU or linear nodes", named))


def stable_descent(batch: Batch) -> tuple[Assumption, ...]:
    """No sample on a kink at the start, nodes for which f = D z, and no weight that runs away during the steps."""
    networks = Networks(batch)
    networks.descend()
    largest = max(float(part.abs().max()) for part in (networks.W, networks.V))
    return (*homogeneous(batch), Assumption.below("largest weight after the steps", largest, 100))


def descents(budget: Budget) -> st.SearchStrategy[Batch]:
    """Batches with one to 200 steps, at ``quick`` up to 30."""
    steps = st.integers(1, 200 if budget.full else 30)
    return narrowed(Batch, budget, lr=st.sampled_from([1e-3, 1e-2]), steps=steps)


def farthest_off(predicted: Array, measured: Array, rounding: Array) -> Evidence:
    """Evidence for ``measured = predicted``, of the entry whose difference is the largest multiple of its rounding."""
    rounding = np.broadcast_to(rounding, predicted.shape)
    at = np.unravel_index(np.argmax(np.abs(predicted - measured) / rounding), predicted.shape)
    return Evidence.close(float(measured[at]), predicted=float(predicted[at]), tolerance=float(rounding[at]))


def absolute_sums(columns: Array) -> Array:
    """``1 + sum_i |a_ik|`` of every column: by how much rounding grows in a product with it, (n,)."""
    return np.asarray(1.0 + np.abs(columns).sum(axis=0))
