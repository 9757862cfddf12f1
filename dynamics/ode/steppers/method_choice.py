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

ADVANTAGE = 1.25
"""CVODE must be this much cheaper by the model, since its steps cost vector work of their own besides evaluations."""

ADVANTAGE_OVER_WHOLE_STEPS = 2.0
"""That over a method whose flow makes its steps by itself, in machine code: beside those CVODE's vector work and calls
take as long as its evaluations. Accuracy is taken for no limit there: stability sets the steps of large instances, and
CVODE pays more for a tolerance that small ones pay for. Measured for 3 to 32 instances of 25 to 200 students at 1e-4,
1e-6 and 1e-8: of the two methods this takes the quicker one in every case."""

LEAST_COMPONENTS = 1000
"""Instances of fewer components take CVODE only where stability, not accuracy, limits the ordinary method: evaluations
of a small state are mostly overhead, and the ordinary method's errors are far below its tolerance."""

JUMPS_RTOL = 1e-3
"""Relative tolerance of the ordinary method below which its steps on a field that jumps grow tiny at every jump, which
takes a hundred times the evaluations and resolves nothing that the samples behind the field do not blur."""


@dataclass(frozen=True)
class CostModel:
    """Evaluations that a method needs over a run.

    Accuracy asks for ``coefficient * rtol^(-1/exponent)`` steps, each of at least ``fewest`` evaluations. Stability
    asks, of an explicit method, for rho T/interval steps (spectral radius rho, span T), where ``interval`` is that on
    the negative real axis. ``coefficient`` was measured on one smooth gradient flow of 10,000 components over
    t = 0 ... 30 (CVODE: 2,500 and 40,000 components, of which it takes the same); the choice needs no better.
    """

    coefficient: float
    exponent: int
    fewest: int
    interval: float = math.inf

    def accuracy_steps(self, rtol: float) -> float:
        """Steps that the tolerance asks for."""
        return self.coefficient * math.pow(rtol, -1 / self.exponent)

    def evaluations(self, stiffness: float, rtol: float) -> float:
        """Evaluations of a run with ``stiffness`` = rho T."""
        return max(self.fewest * self.accuracy_steps(rtol), self.stable_evaluations(stiffness))

    def stable_evaluations(self, stiffness: float) -> float:
        """Those that stability asks for."""
        return self.fewest * (stiffness / self.interval)


COST_MODELS = {
    "RK45": CostModel(7.0, 5, 6, 3.3),
    "DOP853": CostModel(18.0, 8, 12, 6.1),
    "CVODE": CostModel(14.0, 7, 3),
}


@dataclass(frozen=True)
class MethodChoice:
    """The name of the method, one sentence of why, and the smallest relative tolerance that it is given."""

    name: str
    reason: str
    least_rtol: float = 0.0


def method_by_tolerance(rtol: float) -> str:
    """The ordinary method: DOP853 for ``rtol <= 1e-6``, RK45 above."""
    return "DOP853" if rtol <= 1e-6 else "RK45"


def choose_method(
    probe: GuardedField, t0: float, y0: Vector, t1: float, rtol: float, *, whole_steps: bool = False
) -> MethodChoice:
    """The method for a run from ``(t0, y0)`` to ``t1``.

    Where the field jumps: HeunDescent if the flow tells its loss, else RK45 at a relative tolerance of at least
    :data:`JUMPS_RTOL`. Elsewhere the ordinary method of the tolerance (:func:`method_by_tolerance`), unless CVODE is
    cheaper: where it needs 1.25 times fewer evaluations by :class:`CostModel` (beside machine code 2 times fewer than
    stability asks for) and the fastest mode at the start decays and does not rotate. Instances of fewer than
    :data:`LEAST_COMPONENTS` components must be stiff besides: stability and not accuracy limits the ordinary method's
    steps. Stiffness that comes later is not seen.

    Args:
        probe: the field, on which the spectral radius at the start is estimated.
        rtol: relative tolerance, as the ordinary method gets it.
        whole_steps: whether the flow makes the ordinary method's steps by itself, in machine code.

    Cost: one evaluation and those of the power method, 5 to 15 as a rule, at most 51; they count in ``probe.nfev``.
    """
    ordinary = method_by_tolerance(rtol)
    if probe.flow.discontinuous:
        return _method_across_jumps(probe, rtol)
    if t0 == t1:
        return MethodChoice(ordinary, "a span of zero length")
    if y0.size == 0:
        return MethodChoice(ordinary, "an empty state")
    radius = _radius_at_start(probe, t0, y0)
    if radius.value == 0:
        return MethodChoice(ordinary, "no spectral radius could be estimated at the start")
    instances = max(1, probe.flow.instances)
    return _cheapest(ordinary, radius, t1 - t0, rtol, y0.size, instances, whole_steps=whole_steps)


def _method_across_jumps(probe: GuardedField, rtol: float) -> MethodChoice:
    if probe.flow.tells_loss:
        return MethodChoice("HeunDescent", "the field jumps, so the steps are controlled by the loss")
    relaxed = f", at rtol {JUMPS_RTOL:g} instead of {rtol:.1g}" if rtol < JUMPS_RTOL else ""
    return MethodChoice("RK45", f"the field jumps{relaxed}", JUMPS_RTOL)


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


def _cheapest(
    ordinary: str,
    radius: SpectralRadius,
    span: float,
    rtol: float,
    size: int,
    instances: int,
    *,
    whole_steps: bool,
) -> MethodChoice:
    """The ordinary method or CVODE, by the cost models; a stack as one of its instances, at the tolerance it gets."""
    stiffness = radius.value * abs(span)
    model = COST_MODELS[ordinary]
    found = f"spectral radius {radius.value:.3g} at the start, times span {stiffness:.3g}, rtol {rtol:.1g}"
    if radius.cosine * np.sign(span) > REAL_DECAY_COSINE:
        return MethodChoice(ordinary, f"{found}; the fastest mode does not purely decay")
    if size < LEAST_COMPONENTS * instances and stiffness < model.interval * model.accuracy_steps(rtol):
        return MethodChoice(ordinary, f"{found}; not stiff, accuracy limits the steps")
    advantage = ADVANTAGE_OVER_WHOLE_STEPS if whole_steps else ADVANTAGE
    its = model.stable_evaluations(stiffness) if whole_steps else model.evaluations(stiffness, rtol)
    # CVODE has one norm over the stack.
    of_cvode = COST_MODELS["CVODE"].evaluations(stiffness, rtol / math.sqrt(instances))
    expected = f"{found}; expected evaluations {ordinary} {its:.2g}, CVODE {of_cvode:.2g}"
    return MethodChoice("CVODE" if advantage * of_cvode < its else ordinary, expected)
