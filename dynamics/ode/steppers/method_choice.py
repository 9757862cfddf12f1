"""Which method ``integrate(method="auto")`` takes: the cheapest by a model of cost against stiffness and tolerance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dynamics.arrays import Vector
from dynamics.ode.guards import GuardedField
from dynamics.ode.status import Stop
from dynamics.ode.steppers.spectral_radius import SpectralRadius

REAL = -0.9
"""Largest cosine between the fastest mode and its change at which its eigenvalue counts as real and decaying."""

MARGIN = 1.25
"""A stabilised method must be this much cheaper by the model, since RK45 and DOP853 do not care for the spectrum."""


SMALL = 1000
"""States of fewer components keep the ordinary method: their evaluations are mostly overhead, and the outputs between
the steps of a stabilised method (a cubic over long steps) are less accurate than the steps themselves."""


@dataclass(frozen=True)
class Cost:
    """Evaluations that a method needs, as a model.

    Accuracy asks for ``coefficient * rtol^(-1/exponent)`` steps, each of at least ``fewest`` evaluations. Stability
    asks, of an ordinary method, for rho T/interval steps; of a stabilised one, for stages s with interval s^2 >= h rho.
    ``coefficient`` is what the projected flow (Theorem 4; n = 100, t = 0 ... 30) takes; a choice needs no better.
    """

    coefficient: float
    exponent: int
    fewest: int
    interval: float
    stabilized: bool = False

    def accuracy_steps(self, rtol: float) -> float:
        return self.coefficient * math.pow(rtol, -1 / self.exponent)

    def evaluations(self, stiffness: float, rtol: float) -> float:
        """``stiffness`` = rho T, spectral radius times span."""
        steps = self.accuracy_steps(rtol)
        if self.stabilized:
            return steps * max(self.fewest, math.sqrt(stiffness / steps / self.interval))
        return self.fewest * max(steps, stiffness / self.interval)


COSTS = {
    "RK45": Cost(7.0, 5, 6, 3.3),
    "DOP853": Cost(18.0, 8, 12, 6.1),
    "RKC": Cost(4.5, 3, 2, 0.65, stabilized=True),
    "ROCK4": Cost(4.5, 4, 6, 0.31, stabilized=True),
}
"""Intervals are those on the negative real axis."""

PRECISE = {"RKC": 1e-3}
"""Smallest rtol at which a method is considered: below it ROCK4 reaches the same true error for less."""


@dataclass(frozen=True)
class Choice:
    """The name of the method and one sentence of why."""

    name: str
    reason: str


def unmeasured(rtol: float) -> str:
    """What is taken where the stiffness is not known: DOP853 for ``rtol <= 1e-6``, RK45 above."""
    return "DOP853" if rtol <= 1e-6 else "RK45"


def choose(guard: GuardedField, t0: float, y0: Vector, t1: float, rtol: float) -> Choice:
    """The method for a run from ``(t0, y0)`` to ``t1``.

    HeunDescent is taken where the field jumps and the flow tells its loss (``discontinuous``, ``with_loss``).
    Ordinary methods are otherwise taken by tolerance alone, DOP853 for ``rtol <= 1e-6`` and RK45 above. A stabilised
    one (ROCK4, or RKC for ``rtol >= 1e-3``) is taken instead where, by :class:`Cost`, stability and not accuracy limits
    the other one's steps and the stabilised one is at least 1.25 times cheaper, where the fastest mode at the start
    decays and does not rotate, and where the state has ``SMALL`` components or more. Stiffness that only comes later is
    not seen.

    Cost: one evaluation and those of the power method, 5 to 15 as a rule, at most 51; they count in ``guard.nfev``.
    """
    default = unmeasured(rtol)
    if guard.flow.discontinuous and guard.flow.tells_loss:
        return Choice("HeunDescent", "the field jumps at gates, so the steps are controlled by the loss")
    if t0 == t1:
        return Choice(default, "a span of zero length")
    if y0.size < SMALL:
        return Choice(default, f"a small state ({y0.size} components)")
    try:
        radius = SpectralRadius()
        with np.errstate(all="ignore"):
            f = guard(t0, y0)
            if guard.nonfinite is None:
                radius.estimate(guard, t0, y0, f)
    except Stop:  # out of time: the run will say so
        pass
    guard.nonfinite = None
    if radius.value == 0:
        return Choice(default, "no spectral radius could be estimated at the start")
    stiffness = radius.value * abs(t1 - t0)
    found = f"spectral radius {radius.value:.3g} at the start, times span {stiffness:.3g}, rtol {rtol:.1g}"
    if radius.cosine * np.sign(t1 - t0) > REAL:
        return Choice(default, f"{found}; the fastest mode does not purely decay")
    if stiffness < COSTS[default].interval * COSTS[default].accuracy_steps(rtol):
        return Choice(default, f"{found}; not stiff, accuracy limits the steps")
    candidates = [name for name, cost in COSTS.items() if cost.stabilized and rtol >= PRECISE.get(name, 0)]
    name = min(candidates, key=lambda name: COSTS[name].evaluations(stiffness, rtol))
    ordinary, stable = (COSTS[key].evaluations(stiffness, rtol) for key in (default, name))
    expected = f"{found}; expected evaluations {default} {ordinary:.2g}, {name} {stable:.2g}"
    return Choice(name if MARGIN * stable < ordinary else default, expected)
