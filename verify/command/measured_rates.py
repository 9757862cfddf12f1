"""The late rate of a simulated run: as measured on it, and as the spectrum at its limit predicts it.

Rates are measured by the rule that the verdicts use (:mod:`verify.mathematics.rates`), so this stands here and not
with the simulations in ``dynamics``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.arrays import Array
from dynamics.ode.trajectory import Trajectory
from dynamics.two_layer.linearization import spectral_rate
from dynamics.two_layer.observables import sine_from_teacher
from dynamics.two_layer.two_layer_dynamics import TwoLayerDynamics
from verify.comparisons.late_rates import limit_state
from verify.mathematics.rates import CEILING, FLOOR, MIN_POINTS, DecayFit, fit_decay

SMALLEST = 1e-290
"""Angles below this are left out of the fit in any case: the end of the range of float64 is near."""


@dataclass(frozen=True)
class Rates:
    """Late decay of ``||sin theta||``, of angles to the teacher and not to its opposite.

    ``fit`` as measured on a run, ``spectral`` as its limit predicts it.

    Either is None where it cannot be had; ``no_fit`` and ``no_spectral`` then say why.
    """

    fit: DecayFit | None = None
    spectral: Array | None = None
    no_fit: str = ""
    no_spectral: str = ""

    @property
    def ratio(self) -> float | None:
        """Median over the instances of measured / spectral."""
        if self.fit is None or self.spectral is None:
            return None
        return float(np.median(self.fit.rate / self.spectral))


def rates_of(flow: TwoLayerDynamics, trajectory: Trajectory, accuracy: float) -> Rates:
    """Both rates of a run.

    Args:
        flow: the flow that was integrated.
        trajectory: its run.
        accuracy: of the integration, rtol + atol. Angles below a hundred times that are left out of the fit, unless the
            run was in deviations: these are as accurate at any size.
    """
    fit, spectral, no_fit, no_spectral = None, None, "", ""
    distance = np.linalg.norm(sine_from_teacher(trajectory.observables["angle"]), axis=-1)
    in_deviations = trajectory.attributes.get("in_deviations", False)
    floor = SMALLEST if in_deviations else max(FLOOR, 100 * accuracy)
    try:
        fit = fit_decay(trajectory.t, distance, floor=floor)
    except ValueError as error:
        no_fit = _why_not(distance, floor) or str(error).removeprefix("values: ")
    try:
        spectral = np.asarray(spectral_rate(flow, limit_state(flow, trajectory)))
    except ValueError as error:
        no_spectral = str(error)
    return Rates(fit, spectral, no_fit, no_spectral)


def _why_not(distance: Array, floor: float) -> str:
    """Why there is no late rate, where that is plain: the run is not late yet, or was late for too few output times."""
    end = float(distance[-1].max())
    if end > CEILING:
        return (
            f"not late yet: ||sin theta|| ends at {end:.2g}, late is below {CEILING:g}; integrate longer (--t-end; "
            "--steps where networks are trained)"
        )
    late = int((distance.reshape(len(distance), -1).max(axis=1) <= CEILING).sum())
    if late < 2 * MIN_POINTS:
        return f"late for {late} output times only: integrate longer, or record more often (--points)"
    if float(distance.min()) < floor:
        return (
            f"too few output times with every instance between {CEILING:g} and {floor:.1g}, where rounding begins: "
            "record more often (--points), or lower --rtol and --atol"
        )
    return ""
