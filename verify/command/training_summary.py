"""What a training says, line by line."""

from __future__ import annotations

import numpy as np

from dynamics.ode.trajectory import Trajectory
from dynamics.two_layer.two_layer_dynamics import TwoLayerDynamics
from nets.two_layer.training_options import TwoLayerTraining
from verify.command.measured_rates import Rates
from verify.command.simulation_summary import convergence, one_or_spread
from verify.mathematics.rates import discrete_rate, mean_rate


def training_summary(
    training: TwoLayerTraining, flow: TwoLayerDynamics, trajectory: Trajectory, rates: Rates
) -> list[str]:
    """Sizes, how the training ended, convergence, and the late rate beside the one predicted at this learning rate."""
    problem = flow.problem
    return [
        f"{training.flow} networks: d {problem.d}, m {problem.m}, n {problem.n}, c {problem.c}, {problem.measure!r}, "
        f"{training.instances} draw(s) of {training.networks} network(s), seed {training.seed}",
        f"SGD: {trajectory.status} at t = {trajectory.t[-1]:.6g}, {trajectory.n_steps} steps of lr {training.lr:g} on "
        f"batches of {training.batch_size}, {trajectory.attributes['device']}{_products(training.products)}",
        *convergence(flow, trajectory),
        f"late rate, measured: {_measured(rates)}",
        f"late rate, predicted: {_predicted(rates, training.lr)}",
    ]


def _products(products: str) -> str:
    return "" if products == "own" else f", products {products}"


def _measured(rates: Rates) -> str:
    """Mean over the networks with its standard error, and the window."""
    if rates.fit is None:
        return f"none, {rates.no_fit}"
    start, end = rates.fit.window
    found = one_or_spread(rates.fit.rate)
    if np.size(rates.fit.rate) > 1:
        mean = mean_rate(rates.fit.rate)
        found = (
            f"{mean.mean:.5g} ± {mean.standard_error:.2g} (mean of {mean.networks} networks, standard error)"
        )
    return f"{found} on t in [{start:.4g}, {end:.4g}]"


def _predicted(rates: Rates, lr: float) -> str:
    """The rate of the flow's slowest mode, and that of descent by steps of this size."""
    if rates.spectral is None:
        return f"none ({rates.no_spectral})"
    stepped = one_or_spread(discrete_rate(rates.spectral, lr))
    return f"{stepped} = −log(1 − lr λ)/lr, from the flow's λ = {one_or_spread(rates.spectral)}"
