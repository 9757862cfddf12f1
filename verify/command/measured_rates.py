"""The late rate of a simulated run: as measured on it, and as the spectrum at its limit predicts it.

Rates are measured by the rule that the verdicts use (:mod:`verify.mathematics.rates`), so this stands here and not
with the simulations in ``dynamics``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.arrays import Array
from dynamics.ode.trajectory import Trajectory
from dynamics.two_layer.flows import TwoLayerDynamics
from dynamics.two_layer.linearization import spectral_rate
from verify.comparisons.late_rates import limit_state
from verify.mathematics.rates import FLOOR, DecayFit, fit_decay


@dataclass(frozen=True)
class Rates:
    """Late decay of ``||sin theta||``: ``fit`` as measured on a run, ``spectral`` as its limit predicts it.

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
        accuracy: of the integration, rtol + atol; angles below a hundred times that are left out of the fit.
    """
    fit, spectral, no_fit, no_spectral = None, None, "", ""
    distance = np.linalg.norm(trajectory.observables["sin_theta"], axis=-1)
    try:
        fit = fit_decay(trajectory.t, distance, floor=max(FLOOR, 100 * accuracy))
    except ValueError as error:
        no_fit = str(error).removeprefix("values: ")
    try:
        spectral = np.asarray(spectral_rate(flow, limit_state(flow, trajectory)))
    except ValueError as error:
        no_spectral = str(error)
    return Rates(fit, spectral, no_fit, no_spectral)
