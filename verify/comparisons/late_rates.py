"""Late rates of a flow and of networks: fitted on both, and predicted from the spectrum for steps of this size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.columns import unit_columns
from dynamics.ode.trajectory import Trajectory
from dynamics.two_layer.linearization import spectral_rate
from dynamics.two_layer.two_layer_dynamics import TwoLayerDynamics
from verify.mathematics.rates import DecayFit, discrete_rate, fit_decay


@dataclass(frozen=True)
class LateRates:
    """Rates of ``||sin theta||`` late in a run, per unit time, averaged over draws and networks.

    Attributes:
        flow: fitted on the flow; None where it is not late for long enough.
        networks: fitted on the networks: mean; None where there is no late window.
        standard_error: of the networks' mean; None for a single one.
        spectral: smallest eigenvalue of the flow's linearisation at its limit; None where that is not known.
        discrete: ``-log(1 - lr spectral) / lr``, of descent by steps of this size.
        sampling: what the networks' own noise adds to the rate of the mean logarithm in that window, to second order.
        window: times between which the networks' rate was fitted.
        missing: why a rate is missing, in a sentence.
    """

    flow: float | None = None
    networks: float | None = None
    standard_error: float | None = None
    spectral: float | None = None
    discrete: float | None = None
    sampling: float | None = None
    window: tuple[float, float] | None = None
    missing: str = ""

    @property
    def predicted(self) -> float | None:
        """The rate to be expected of the networks; None where a part is missing."""
        if self.discrete is None or self.sampling is None:
            return None
        return self.discrete + self.sampling


def late_rates(
    flow: TwoLayerDynamics, path: Trajectory, t: Array, sin_theta: Array, sampling: Array, lr: float
) -> LateRates:
    """Fit and predict.

    Args:
        flow, path: the flow and its run.
        t, sin_theta: records of the networks, (T,) and (T, S, m).
        sampling: what the noise of every step adds to the mean of the logarithm.
        lr: learning rate.
    """
    spectral = _spectral(flow, path)
    missing = spectral if isinstance(spectral, str) else ""
    rate = None if isinstance(spectral, str) else float(np.mean(spectral))
    discrete = None if isinstance(spectral, str) else float(np.mean(discrete_rate(spectral, lr)))
    own = _fit(t, path.observables["sin_theta"].reshape(len(t), -1, flow.problem.m))
    fit = _fit(t, sin_theta)
    found = LateRates(
        flow=None if isinstance(own, str) else float(np.mean(own.rate)), spectral=rate, discrete=discrete
    )
    if isinstance(fit, str):
        return replace(found, missing=f"{fit}; {missing}" if missing else fit)
    start, end = fit.window
    first, last = round(start / lr), round(end / lr)
    error = fit.rate.std(ddof=1) / np.sqrt(fit.rate.size) if fit.rate.size > 1 else None
    return replace(
        found,
        networks=float(fit.rate.mean()),
        standard_error=None if error is None else float(error),
        sampling=-float(sampling[first:last].mean()) / lr,
        window=fit.window,
        missing=missing,
    )


def _fit(t: Array, sin_theta: Array) -> DecayFit | str:
    """The fit, or why there is none."""
    try:
        return fit_decay(t, np.linalg.norm(sin_theta, axis=-1))
    except ValueError as error:
        return str(error).removeprefix("values: ")


def _spectral(flow: TwoLayerDynamics, path: Trajectory) -> Array | str:
    """The slowest rates at the solution that the run approaches, or why they are not known."""
    try:
        return np.asarray(spectral_rate(flow, limit_state(flow, path)))
    except ValueError as error:
        return str(error)


def limit_state(flow: TwoLayerDynamics, trajectory: Trajectory) -> Array:
    """The solution that a run approaches: u-set at the teacher, r-set where the run left it, without fan-out.

    Raises:
        ValueError: the flow's fixed fan-outs are not those of that solution.
    """
    state = flow.unpack(flow.equilibrium())
    u_set = flow.problem.m
    W = np.array(state["W"])
    W[..., u_set:] = trajectory.state["W"][-1][..., u_set:]
    return flow.of_matrices(unit_columns(W) if flow.projected else W, state.get("V", flow.problem.student_V))
