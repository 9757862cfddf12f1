"""Late rates of really trained networks against the linearisation at their solution, with every difference predicted.

Between the spectral rate and the mean late rate of networks stand four differences. Three are computed: the size of the
step, what faster modes still add, and what sampling does to the mean of a logarithm; the last, what is left of the
nonlinearity, is bounded. So networks are held to a predicted rate within a predicted standard error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dynamics.arrays import Array
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import Assumption, CannotJudgeError, Context, Evidence
from verify.mathematics.late_training import LateRun, Training, Window, nonlinearity
from verify.mathematics.linear_descent import log_decay
from verify.mathematics.rates import discrete_rate
from verify.mathematics.tangent_modes import Modes

NOISE = 0.25
"""Largest ``lr tr H / B``: the share of the decay that noise may give back, where the next order is still small."""

RESOLVED = 0.015
"""Largest half-width of the predicted band, relative to the rate, that a window may promise."""

DECIDED = 0.02
"""Largest half-width with which an ensemble decides: a rate 3 % off is then outside by a third of it or more."""


@dataclass(frozen=True)
class RateComparison:
    """Late rates of networks, measured and predicted, per unit time, averaged over the networks.

    Attributes:
        measured: mean of ``-log(||delta(T)|| / ||delta(0)||) / (T lr)``.
        spectral: smallest eigenvalue of H (averaged where networks have points of their own).
        discrete: ``-log(1 - lr spectral) / lr``.
        faster: what faster modes add.
        sampling: what sampling adds.
        standard_error: predicted, of ``measured``; that of ``sampling`` included.
        bias: bound on nonlinearity, rounding and the next order in 1 / batch.
        spread: variance across networks over the predicted one.
    """

    measured: float
    spectral: float
    discrete: float
    faster: float
    sampling: float
    standard_error: float
    bias: float
    spread: float

    @property
    def predicted(self) -> float:
        """Rate of the networks to be expected."""
        return self.discrete + self.faster + self.sampling

    def stretched(self, factor: float) -> RateComparison:
        """The same with the spectral rate taken ``factor`` times as large."""
        return replace(
            self,
            spectral=factor * self.spectral,
            discrete=self.discrete * factor,
            faster=self.faster * factor,
        )


def compare_rates(
    problem: TeacherStudent,
    run: LateRun,
    rates: Array | float,
    training: Training,
    rng: np.random.Generator,
) -> RateComparison:
    """Networks in their window against the linear map; ``rates``: the slowest rate of H, of all networks or each."""
    states = run.states
    sizes = np.linalg.norm(states, axis=-1)
    time = (len(states) - 1) * training.lr
    networks = states.shape[1]
    decay = log_decay(run.tangent, states[:-1], training.lr, training.batch, rng)
    logs = np.log(sizes[-1] / sizes[0])
    discrete = float(np.mean(discrete_rate(rates, training.lr)))
    error = math.hypot(math.sqrt(decay.variance.sum()) / networks, decay.sampling_error)
    rounding = 4 * np.finfo(np.float64).eps * (1 / sizes).sum(axis=0).mean()
    curved = nonlinearity(problem, run.tangent.W) * training.lr * float(sizes.sum(axis=0).mean())
    return RateComparison(
        measured=-float(logs.mean()) / time,
        spectral=float(np.mean(rates)),
        discrete=discrete,
        faster=-float(decay.mean_field.mean()) / time - discrete,
        sampling=-float(decay.sampling.mean()) / time,
        standard_error=error / time,
        bias=(decay.remainder + curved + float(rounding)) / time,
        spread=float((logs - decay.expected).var(ddof=1) / decay.variance.mean()),
    )


def rate_assumptions(
    modes: Modes, training: Training, window: Window, networks: int
) -> tuple[Assumption, ...]:
    """A batch that tames the noise, and enough samples to see 3 %: a band of ``RESOLVED`` either way."""
    noise = training.lr * modes.trace / training.batch
    tame = Assumption.below("lr tr H / B", noise, NOISE)
    resolution = window.resolution(modes.noise, training, networks)
    return (tame, Assumption.below("band of sampling errors in the window / rate", resolution, RESOLVED))


def require_isolated(modes: Modes, free: int = 0) -> None:
    """Refuse a solution that others join: nodes in distinct directions have an isolated one, but for rounding.

    ``free``: flat directions that are no deviations, those of irrelevant columns.

    Raises:
        CannotJudgeError: there are further flat directions.
    """
    if modes.flat > free:
        raise CannotJudgeError(
            f"{modes.flat - free} flat directions: rounding hides that the solution is isolated"
        )


def judge_rate(
    found: RateComparison,
    context: Context,
    networks: int,
    details: Mapping[str, Any],
    *,
    with_sampling: bool = True,
    discrete: bool = True,
) -> Evidence:
    """Evidence for measured = predicted, within z predicted standard errors and the bound of what is left out.

    ``with_sampling``, ``discrete``: parts of the prediction that a control leaves out.
    """
    predicted = found.predicted
    if not with_sampling:
        predicted -= found.sampling
    if not discrete:
        predicted += found.spectral - found.discrete
    off = found.measured - predicted
    band = context.z() * found.standard_error + found.bias
    return Evidence(
        predicted=predicted,
        measured=found.measured,
        margin=band - abs(off),
        tolerance=band,
        standard_error=found.standard_error,
        inconclusive=band > DECIDED * found.predicted,
        details={
            "spectral rate": found.spectral,
            "rate at this step": found.discrete,
            "faster modes add": found.faster,
            "sampling adds": found.sampling,
            "measured / predicted": found.measured / predicted,
            "standard error / predicted": found.standard_error / predicted,
            "bound of what is left out / predicted": found.bias / predicted,
            "(measured - predicted) / standard error": off / found.standard_error,
            "variance across networks / predicted": found.spread,
            "networks": networks,
            **details,
        },
    )
