"""Trained networks against a proven bound on how slowly the flow may come down: the same test for every bound.

A bound says of vectors y_i(t), the deviations that it names, that ``||y_i(t)|| <= p_i exp(-rate t)`` along the flow.
Networks that start as one have ``y_i = m_i + xi_i`` with m_i their mean and xi_i of mean zero, so

    E ||y_i|| <= sqrt(||m_i||^2 + E ||xi_i||^2),

and m_i differs from the flow by what the curvature of the field makes of the spread: pushes of at most ``c E ||xi||^2``
(``c`` of :func:`verify.mathematics.late_training.nonlinearity`), each of which dies out like the deviations. A finite
step only makes decay faster. So networks are not slower than a bound if

    mean ||y_i(t)|| <= sqrt((p_i exp(-rate t) + push(t))^2 + spread_i(t)) + sampling error

for every i and t. A new bound is a new row of :data:`verify.mathematics.bounds.decay.DECAY_BOUNDS`; nothing here knows
which theorem it comes from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtrit

from dynamics.arrays import Array
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import CannotJudgeError, Context, Evidence
from verify.mathematics.bounds.decay import DecayBound
from verify.mathematics.late_training import nonlinearity
from verify.mathematics.tangent_network import tangent_features

FOLDS, LOOKS = 2.5, 12
"""Networks are followed for so many e-folds of the bound, and looked at so often."""

MOST_STEPS = 4000

CURVATURE_INPUTS = 2048

LOOSE = 0.1
"""Share of a bound's rate: where more is allowed for sampling, networks that need it decide nothing."""


def stable_step(bound: DecayBound) -> float:
    """``1 / L`` with L the largest curvature at the solution and at the start, over ``CURVATURE_INPUTS`` inputs.

    Of the second derivatives at the start only the Gram matrix of gradients is counted; a step of twice 1 / L would
    still be stable.
    """
    problem = bound.problem
    solved = np.concatenate([problem.teacher_V, np.zeros_like(problem.student_V[problem.m :])])
    x = problem.measure.sample(CURVATURE_INPUTS, np.random.default_rng(0))
    largest = 0.0
    for V in (solved, problem.student_V):
        phi = tangent_features(problem.student_W, V, x, trains_V=bound.trains_V)
        flat = phi.reshape(-1, phi.shape[-1])
        largest = max(largest, float(np.linalg.norm(flat, ord=2)) ** 2 / CURVATURE_INPUTS)
    return 1 / largest


@dataclass(frozen=True)
class Sizes:
    """What was seen of S networks at times ``t (T,)``: one column a deviation, (T, N).

    ``mean``: of the sizes; ``error``: its standard error; ``spread``: total variance of the vector.
    """

    t: Array
    mean: Array
    error: Array
    spread: Array
    networks: int


def train_sizes(bound: DecayBound, lr: float, batch: int, networks: int, seed: int, device: str) -> Sizes:
    """Networks from the bound's start, for ``FOLDS`` e-folds of the bound.

    Raises:
        CannotJudgeError: more than ``MOST_STEPS`` steps, or networks that diverge.
    """
    from nets.two_layer.networks import TwoLayerStudents  # torch is loaded only where networks are trained
    from nets.two_layer.training import train

    steps = math.ceil(FOLDS / (bound.rate * lr))
    if steps > MOST_STEPS:
        raise CannotJudgeError(f"{FOLDS:g} e-folds of the bound take {steps} steps")
    one = bound.problem
    parts = (one.teacher_W, one.student_W, one.teacher_V, one.student_V)
    teacher_W, student_W, teacher_V, student_V = (np.broadcast_to(x, (networks, *x.shape)) for x in parts)
    problem = TeacherStudent(teacher_W, student_W, teacher_V, student_V, one.measure)
    marks = sorted({max(1, round(steps * k / LOOKS)) for k in range(1, LOOKS + 1)})
    run = train(
        TwoLayerStudents.from_problem(problem, device=device), lr=lr, batch_size=batch, steps=steps, seed=seed,
        train_V=bound.trains_V, record_at=marks,
    )  # fmt: skip
    if not run.success:
        raise CannotJudgeError(run.message)
    W = run.state["W"][1:]
    V = (
        run.state["V"][1:]
        if bound.trains_V
        else np.broadcast_to(one.student_V, (*W.shape[:2], *one.student_V.shape))
    )
    vectors = bound.deviations(W, V)
    sizes = np.stack([np.linalg.norm(y, axis=-1) for y in vectors], axis=-1)
    spread = np.stack([y.var(axis=1, ddof=1).sum(axis=-1) for y in vectors], axis=-1)
    error = sizes.std(axis=1, ddof=1) / math.sqrt(networks)
    return Sizes(run.t[1:], sizes.mean(axis=1), error, spread, networks)


def judge_bound(bound: DecayBound, seen: Sizes, context: Context, claimed: float = 1.0) -> Evidence:
    """Evidence that networks are not slower than ``claimed`` times the bound's rate."""
    rate = claimed * bound.rate
    times = seen.t[:, None]
    flow = bound.p * np.exp(-rate * times)
    z = context.z(comparisons=seen.mean.size)
    quantile = float(stdtrit(seen.networks - 1, ndtr(z)))
    pushed = _pushes(seen.t, seen.spread.sum(axis=-1), rate) * nonlinearity(bound.problem)
    allowed = np.sqrt((flow + pushed[:, None]) ** 2 + seen.spread) + quantile * seen.error
    tiny = np.finfo(np.float64).tiny
    measured = -np.log((seen.mean + tiny) / (bound.p + tiny)) / times
    least = -np.log((allowed + tiny) / (bound.p + tiny)) / times
    margins = measured - least
    at = np.unravel_index(int(np.argmin(margins)), margins.shape)
    slowest = float(measured[at])
    return Evidence(
        predicted=rate,
        measured=slowest,
        margin=float(margins[at]),
        tolerance=float(rate - least[at]),
        inconclusive=bool(rate > slowest >= least[at] and rate - least[at] > LOOSE * rate),
        standard_error=float((seen.error / np.maximum(seen.mean, tiny) / times)[at]),
        details={
            "networks / bound": slowest / rate,
            "allowed for spread and sampling / bound": float(1 - least[at] / rate),
            "e-folds of the bound followed": float(rate * seen.t[-1]),
            "networks": seen.networks,
        },
    )


def _pushes(t: Array, spread: Array, rate: float) -> Array:
    """``int_0^t spread(s) exp(-rate (t - s)) ds`` by the trapezoid rule, from a spread of zero at t = 0."""
    total, before, pushes = 0.0, (0.0, 0.0), []
    for time, now in zip(t, spread, strict=True):
        step = time - before[0]
        fade = math.exp(-rate * step)
        total = total * fade + step * (now + before[1] * fade) / 2
        pushes.append(total)
        before = (float(time), float(now))
    return np.array(pushes)
