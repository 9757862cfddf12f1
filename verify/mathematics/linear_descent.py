"""Descent on fresh batches near a solution, as a random linear map: what the mean of the logarithm of a size does.

A step is ``delta <- (A - lr N) delta`` with ``A = I - lr H`` and independent noise ``N = mean_b Phi_b^T Phi_b - H`` of
mean zero. The *mean* of delta obeys ``x <- A x`` whatever the batch: it decays at ``-log(1 - lr lambda) / lr`` in a
mode of H with eigenvalue lambda. The mean of ``log ||delta||`` does not. Let ``x = A delta`` and let
``a = -lr x.N delta / ||x||^2`` be the noise of one step along x and b its size across, over ``||x||``. Then

    log(||delta'|| / ||delta||) = log(||x|| / ||delta||) + log(1 + a) + log(1 + b^2 / (1 + a)^2) / 2,

whose mean over the batch, given delta, is

    log(||A delta|| / ||delta||) - E a^2 / 2 + E b^2 / 2 + E[a^3 / 3 - a b^2] + remainder,
    |remainder| <= E[a^4 / 4 + 3 a^2 b^2 / 2 + b^4 / 4] + ...,

with ``E a^2, E b^2`` of order ``lr^2 / B`` and ``E a^3, E a b^2`` of order ``lr^3 / B^2``; its variance is ``E a^2`` at
first. Noise along the deviation makes logarithms fall faster than the mean does, noise across it more slowly. For one
mode alone this is the Lyapunov exponent ``log(1 - lr lambda) - lr^2 Var(e.N e) / 2 (1 - lr lambda)^2``; with many
directions the noise across wins: networks are then slower than their mean, by about ``lr tr H / 2 B`` of the rate.

Over many steps the logarithm is the sum of these means, each taken at the state that the network then has, and of a
martingale, whose variance is the sum of ``E a^2 - E a^3 + E a b^2 + Var(b^2) / 4``. So nothing accumulates: the
remainders add up to the number of steps times ``(lr^2 / B)^2``, which is of order ``lr^3 / B^2`` an e-fold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.arrays import Array
from verify.mathematics.tangent_network import TangentNetwork

VALUES = 2**23
"""Numbers that the features of all networks may fill at once (64 MB)."""

STATES = 2**22
"""Numbers in the states that are moved on at once (32 MB)."""

FEWEST_INPUTS, MOST_INPUTS = 16, 256
"""Inputs for each network over which the moments of the noise are averaged; fresh for each network."""

PAIRS = 2**19
"""Inputs, times the states that they are tried at, times networks: some 0.1 s."""


@dataclass(frozen=True)
class LogDecay:
    """The parts of ``log ||delta(T)|| - log ||delta(0)||``, each ``(S,)``, summed over T steps of every network.

    Attributes:
        mean_field: the sum of ``log(||A delta|| / ||delta||)``.
        sampling: what sampling adds to the mean of the logarithm, up to third moments of the noise.
        sampling_error: standard error of the networks' mean of ``sampling``, from the inputs it is averaged over.
        variance: of the logarithm about ``mean_field + sampling``.
        remainder: size of what the next order adds to the networks' mean.
    """

    mean_field: Array
    sampling: Array
    sampling_error: float
    variance: Array
    remainder: float

    @property
    def expected(self) -> Array:
        """The predicted change of the logarithm, ``(S,)``."""
        return self.mean_field + self.sampling


def log_decay(
    tangent: TangentNetwork, states: Array, lr: float, batch: int, rng: np.random.Generator
) -> LogDecay:
    """Predict the change of ``log ||delta||`` step by step from the states ``(T, S, N)`` before each step.

    Args:
        tangent: the point of all networks, or one for each, with leading axis S.
        states: deviations of S networks before each of T steps.
        lr, batch: how they are trained.
        rng: draws the inputs over which the moments of the noise are averaged.
    Cost: O(T S N n) and, for the noise, O(S K N t c) with K inputs a network at t of the steps, evenly spaced, so that
    ``S K t`` is at most ``PAIRS``.
    """
    at_once = max(1, STATES // states[0].size)
    parts = (states[start : start + at_once] for start in range(0, len(states), at_once))
    mean_field = np.sum([_mean_log(tangent, part, lr) for part in parts], axis=0)
    phi = _features(tangent, states.shape[1], rng)
    (steps, S), K = states.shape[:2], phi.shape[1]
    stride = max(1, steps * S * K // PAIRS)
    chosen = slice(min(stride // 2, steps - 1), None, stride)
    along, across = _noise_of_an_input(phi, states[chosen], _mean_step(tangent, states[chosen], lr), lr)
    weight = steps / along.shape[-1]
    once, twice, thrice = lr**2 / batch, lr**3 / batch**2, lr**4 / batch**3
    added = weight * (once * (across - along**2) / 2 + twice * (along * across - along**3 / 3))
    a2, b2 = (once * moment.mean(axis=1) for moment in (along**2, across))
    # Fourth moments of a batch: three times the square of the second (a normal law), and the excess of one input.
    fourth = 3 * a2**2 / 4 + 3 * a2 * b2 / 2 + 3 * b2**2 / 4
    fourth += thrice * (along**4 / 4 + 3 * along**2 * across / 2 + across**2 / 4).mean(axis=1)
    variance = a2 + (twice * along * (along**2 - across) + thrice * across**2 / 4).mean(axis=1)
    from_inputs = added.sum(axis=2).var(axis=1, ddof=1).sum() / K / S**2
    from_steps = (
        added.mean(axis=1).var() * steps**2 / weight**2 / (S * along.shape[-1]) if stride > 1 else 0.0
    )
    return LogDecay(
        mean_field=mean_field,
        sampling=added.mean(axis=1).sum(axis=-1),
        sampling_error=float(np.sqrt(from_inputs + from_steps)),
        variance=weight * np.maximum(a2, variance).sum(axis=-1),
        remainder=weight * float(fourth.sum(axis=-1).mean()),
    )


def _mean_step(tangent: TangentNetwork, states: Array, lr: float) -> Array:
    return states - lr * tangent.shrink(states)


def _mean_log(tangent: TangentNetwork, states: Array, lr: float) -> Array:
    """``sum_t log(||A delta(t)|| / ||delta(t)||)``, ``(S,)``."""
    ratio = np.linalg.norm(_mean_step(tangent, states, lr), axis=-1) / np.linalg.norm(states, axis=-1)
    return np.asarray(np.log(ratio).sum(axis=0))


def _noise_of_an_input(phi: Array, states: Array, mean: Array, lr: float) -> tuple[Array, Array]:
    """``x.n`` and ``||n||^2 - (x.n)^2`` of the noise n that one input adds to ``H delta``, each ``(S, K, t)``.

    In units of the size of the mean x of the next state; ``states, mean (t, S, N)``, ``phi (S, K, c, N)``.
    """
    S, K, c, N = phi.shape
    size = np.linalg.norm(mean, axis=-1, keepdims=True)
    before, after = (np.moveaxis(part / size, 0, -1) for part in (states, mean))
    flat = phi.reshape(S, K * c, N)
    residual = (flat @ before).reshape(S, K, c, -1)
    gradient = (before - after) / lr  # H delta
    own = (after * gradient).sum(axis=1)[:, None]
    sideways = (gradient**2).sum(axis=1)[:, None] - own**2
    along = (residual * (flat @ after).reshape(S, K, c, -1)).sum(axis=2) - own
    # The little that H delta has across x enters by its mean alone.
    squares = (residual * (phi @ phi.swapaxes(-1, -2) @ residual)).sum(axis=2)
    return along, squares - (along + own) ** 2 - sideways


def _features(tangent: TangentNetwork, networks: int, rng: np.random.Generator) -> Array:
    """Features of fresh inputs, ``(S, K, c, N)``."""
    per_input = networks * tangent.V.shape[-1] * tangent.size
    count = int(np.clip(VALUES // per_input, FEWEST_INPUTS, MOST_INPUTS))
    if tangent.W.ndim > 2:
        return tangent.sample(count, rng)
    shared = tangent.sample(networks * count, rng)
    return shared.reshape(networks, count, *shared.shape[1:])
