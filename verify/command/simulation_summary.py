"""What a simulated run says, line by line."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dynamics.arrays import Array
from dynamics.deep.flow import DeepFlow
from dynamics.deep.simulation import DeepSimulation
from dynamics.ode.status import Status
from dynamics.ode.trajectory import Trajectory
from dynamics.two_layer.simulation import TwoLayerSimulation
from dynamics.two_layer.two_layer_dynamics import TwoLayerDynamics
from verify.command.measured_rates import Rates

LAYERS_WATCHED = {
    "mean_best_correlation": "correlation of teachers with their best student, mean by hidden layer; 1 = the same",
    "field_gap": "relative error of Eqn 6 under Assumption 1, by layer; 1 = as large as the gradient",
    "beta_teacher_gap": "relative error of E[beta*] under Assumption 1, by hidden layer",
}
"""Observables of a deep run that are printed layer by layer, with their words."""


def two_layer_summary(
    simulation: TwoLayerSimulation, flow: TwoLayerDynamics, trajectory: Trajectory, rates: Rates
) -> list[str]:
    """Sizes, how the run ended, convergence and rates, one line each."""
    problem = flow.problem
    lines = [
        f"{type(flow).__name__}: d {problem.d}, m {problem.m}, n {problem.n}, c {problem.c}, "
        f"{problem.measure!r}, {flow.instances} instance(s), seed {simulation.seed}",
        _how_it_ended(trajectory),
        *convergence(flow, trajectory),
        *_not_converged(simulation, trajectory),
    ]
    measured, spectral = f"none, {rates.no_fit}", f"none ({rates.no_spectral})"
    if rates.fit is not None:
        start, end = rates.fit.window
        measured = f"{one_or_spread(rates.fit.rate)} on t in [{start:.4g}, {end:.4g}]"
    if rates.spectral is not None:
        spectral = one_or_spread(rates.spectral)
    ratio = "" if rates.ratio is None else f" (measured / spectral {rates.ratio:.5g})"
    return [*lines, f"late rate, measured: {measured}", f"late rate, spectral: {spectral}{ratio}"]


def convergence(flow: TwoLayerDynamics, trajectory: Trajectory) -> list[str]:
    """The largest angle, loss and fan-out of the r-set, first and last."""
    problem, watched = flow.problem, trajectory.observables
    lines = [
        f"largest sin theta: {watched['sin_theta'][0].max():.4g} -> {watched['sin_theta'][-1].max():.4g}",
        _loss(trajectory),
    ]
    if flow.trains_V and problem.n > problem.m:
        r_set = watched["fan_out_norm"][..., problem.m :]
        lines.append(f"largest r-set fan-out: {r_set[0].max():.4g} -> {r_set[-1].max():.4g}")
    return lines


def deep_summary(simulation: DeepSimulation, flow: DeepFlow, trajectory: Trajectory) -> list[str]:
    """Sizes, how the run ended, loss, and by layer (medians over the instances) correlation and gaps."""
    teacher, student = (
        "-".join(map(str, widths)) for widths in (flow.problem.teacher_widths, flow.problem.student_widths)
    )
    lines = [
        f"DeepFlow: teacher {teacher}, student {student}, {simulation.modulation} modulation, "
        f"{simulation.samples} samples, {flow.instances} instance(s), seed {simulation.seed}",
        _how_it_ended(trajectory),
        _loss(trajectory),
    ]
    for name, words in LAYERS_WATCHED.items():
        first, last = (_by_layer(trajectory.observables[name][row]) for row in (0, -1))
        lines.append(f"{words}: {first} -> {last}")
    return lines


def _how_it_ended(trajectory: Trajectory) -> str:
    return (
        f"{trajectory.attributes['method']}: {trajectory.status} at t = {trajectory.t[-1]:.6g}, "
        f"{trajectory.n_steps} steps, {trajectory.nfev} evaluations"
    )


def _loss(trajectory: Trajectory) -> str:
    loss = trajectory.observables["loss"]
    return f"largest loss: {loss[0].max():.4g} -> {loss[-1].max():.4g}"


def _not_converged(simulation: TwoLayerSimulation, trajectory: Trajectory) -> list[str]:
    """What is left where the run was to end at ``until`` and did not, and students on the wrong side of a teacher."""
    lines = []
    if simulation.until is not None and trajectory.status is not Status.CONVERGED:
        lines.append(f"not converged: {simulation.until:g} was not reached by t = {trajectory.t[-1]:.6g}")
    angle = trajectory.observables["angle"][-1]
    opposite = int(np.sum(angle > np.pi / 2))
    if opposite:
        lines.append(
            f"students more than a right angle from their teachers: {opposite} of {angle.size} "
            f"(largest angle {angle.max():.6g})"
        )
    return lines


def one_or_spread(rate: ArrayLike) -> str:
    """One rate, or the median and range of several that differ."""
    values = np.ravel(rate)
    if len({f"{value:.6g}" for value in values}) == 1:
        return f"{values[0]:.6g}"
    return f"{np.median(values):.6g} (median; {values.min():.6g} to {values.max():.6g})"


def _by_layer(values: Array) -> str:
    layers = np.median(values.reshape(-1, values.shape[-1]), axis=0)
    return "[" + ", ".join(f"{value:.3g}" for value in layers) + "]"
