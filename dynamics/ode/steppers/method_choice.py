"""Which method ``integrate(method="auto")`` takes: the cheapest by a model of cost against stiffness and tolerance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dynamics.arrays import Vector
from dynamics.ode.guards import GuardedField
from dynamics.ode.status import Stop
from dynamics.ode.steppers.spectral_radius import SpectralRadius

REAL_DECAY_COSINE = -0.9
"""Largest cosine between the fastest mode and its change at which its eigenvalue counts as real and decaying."""

STABILIZED_ADVANTAGE = 1.25
"""A stabilised method must be this much cheaper by the model, since it needs the eigenvalues near the real axis, which
RK45 and DOP853 do not."""

LEAST_COMPONENTS = 1000
"""States of fewer components keep the ordinary method: their evaluations are mostly overhead, and the outputs between
the steps of a stabilised method (a cubic over long steps) are less accurate than the steps themselves."""


@dataclass(frozen=True)
class CostModel:
    """Evaluations that a method needs over a run.

    Accuracy asks for ``coefficient * rtol^(-1/exponent)`` steps, each of at least ``fewest`` evaluations. Stability
    asks, of an ordinary method, for rho T/interval steps (spectral radius rho, span T); of a stabilised one, for stages
    s with interval s^2 >= h rho. ``interval`` is that on the negative real axis. ``coefficient`` was measured on one
    smooth gradient flow of 10,000 components over t = 0 ... 30; the choice between methods needs no better.
    """

    coefficient: float
    exponent: int
    fewest: int
    interval: float
    stabilized: bool = False

    def accuracy_steps(self, rtol: float) -> float:
        """Steps that the tolerance asks for."""
        return self.coefficient * math.pow(rtol, -1 / self.exponent)

    def evaluations(self, stiffness: float, rtol: float) -> float:
        """Evaluations of a run with ``stiffness`` = rho T."""
        steps = self.accuracy_steps(rtol)
        if self.stabilized:
            return steps * max(self.fewest, math.sqrt(stiffness / steps / self.interval))
        return self.fewest * max(steps, stiffness / self.interval)


COST_MODELS = {
    "RK45": CostModel(7.0, 5, 6, 3.3),
    "DOP853": CostModel(18.0, 8, 12, 6.1),
    "RKC": CostModel(4.5, 3, 2, 0.65, stabilized=True),
    "ROCK4": CostModel(4.5, 4, 6, 0.31, stabilized=True),
}

SMALLEST_RTOL = {"RKC": 1e-3}
"""rtol from which a method is considered: below it ROCK4 reaches the same true error for less."""


@dataclass(frozen=True)
class MethodChoice:
    """The name of the method and one sentence of why."""

    name: str
    reason: str


def method_by_tolerance(rtol: float) -> str:
    """The ordinary method: DOP853 for ``rtol <= 1e-6``, RK45 above."""
    return "DOP853" if rtol <= 1e-6 else "RK45"


def choose_method(probe: GuardedField, t0: float, y0: Vector, t1: float, rtol: float) -> MethodChoice:
    """The method for a run from ``(t0, y0)`` to ``t1``.

    HeunDescent where the field jumps and the flow tells its loss. Otherwise the ordinary method of the tolerance
    (:func:`method_by_tolerance`), unless a stabilised one is cheaper: ROCK4, or RKC for ``rtol >= 1e-3``. That is so
    where, by :class:`CostModel`, stability and not accuracy limits the ordinary method's steps and the stabilised one
    needs 1.25 times fewer evaluations, where the fastest mode at the start decays and does not rotate, and where the
    state has :data:`LEAST_COMPONENTS` components or more. Stiffness that comes later is not seen.

    Args:
        probe: the field, on which the spectral radius at the start is estimated.
        rtol: relative tolerance, as the ordinary method gets it.

    Cost: one evaluation and those of the power method, 5 to 15 as a rule, at most 51; they count in ``probe.nfev``.
    """
    ordinary = method_by_tolerance(rtol)
    if probe.flow.discontinuous and probe.flow.tells_loss:
        return MethodChoice("HeunDescent", "the field jumps, so the steps are controlled by the loss")
    if t0 == t1:
        return MethodChoice(ordinary, "a span of zero length")
    if y0.size < LEAST_COMPONENTS:
        return MethodChoice(ordinary, f"a small state ({y0.size} components)")
    radius = _radius_at_start(probe, t0, y0)
    if radius.value == 0:
        return MethodChoice(ordinary, "no spectral radius could be estimated at the start")
    return _cheapest(ordinary, radius, t1 - t0, rtol)


def _radius_at_start(probe: GuardedField, t0: float, y0: Vector) -> SpectralRadius:
    """The spectral radius at the start; 0 where the field is not finite there or the clock ran out."""
    radius = SpectralRadius()
    try:
        with np.errstate(all="ignore"):
            f = probe(t0, y0)
            if probe.nonfinite is None:
                radius.estimate(probe, t0, y0, f)
    except Stop:  # the run meets the same end and says so
        pass
    return radius


def _cheapest(ordinary: str, radius: SpectralRadius, span: float, rtol: float) -> MethodChoice:
    """The ordinary method or the better of the stabilised ones, by the cost models."""
    stiffness = radius.value * abs(span)
    found = f"spectral radius {radius.value:.3g} at the start, times span {stiffness:.3g}, rtol {rtol:.1g}"
    if radius.cosine * np.sign(span) > REAL_DECAY_COSINE:
        return MethodChoice(ordinary, f"{found}; the fastest mode does not purely decay")
    if stiffness < COST_MODELS[ordinary].interval * COST_MODELS[ordinary].accuracy_steps(rtol):
        return MethodChoice(ordinary, f"{found}; not stiff, accuracy limits the steps")
    considered = [
        name for name, model in COST_MODELS.items() if model.stabilized and rtol >= SMALLEST_RTOL.get(name, 0)
    ]
    costs = {name: COST_MODELS[name].evaluations(stiffness, rtol) for name in (ordinary, *considered)}
    stabilized = min(considered, key=lambda name: costs[name])
    expected = f"{found}; expected evaluations {ordinary} {costs[ordinary]:.2g}, {stabilized} {costs[stabilized]:.2g}"
    pays = STABILIZED_ADVANTAGE * costs[stabilized] < costs[ordinary]
    return MethodChoice(stabilized if pays else ordinary, expected)
