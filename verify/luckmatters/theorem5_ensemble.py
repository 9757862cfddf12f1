"""Theorem 5's late rate on one ensemble of over-parameterised networks, trained to rounding."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from matplotlib.figure import Figure

from dynamics.arrays import Array
from dynamics.ode.trajectory import Trajectory
from dynamics.two_layer.flows import TwoLayerFlow
from dynamics.two_layer.linearization import spectral_rate
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import Context, Evidence, Verdict
from verify.luckmatters.theorem5 import THEOREM5
from verify.luckmatters.theorem5_sharp import FOLDS, leftover, limit_state, modes_of, run_flow, sizes
from verify.mathematics.rates import discrete_rate, fit_decay, mean_rate
from verify.mathematics.runs.overparameterised_runs import SMALL, OverparameterisedRun, problem_of

NETWORK_ACCURACY = 1e-2
"""Asked of trained networks: 1 %, the order of the bias that the square of the sampling noise leaves."""

TRAINED = replace(SMALL, networks=16)


@lru_cache(maxsize=4)
def train_networks(instance: OverparameterisedRun, device: str, seed: int) -> Trajectory:
    """Networks from the same start, W (unit columns) and V learned, for ``FOLDS`` e-folds."""
    from nets.two_layer.networks import TwoLayerStudents  # torch is loaded only where networks are trained
    from nets.two_layer.training import train

    students = TwoLayerStudents.from_problem(_ensemble(instance), device=device)
    steps = int(FOLDS / modes_of(instance)[0] / instance.lr)
    run = train(students, lr=instance.lr, batch_size=instance.batch, steps=steps, seed=seed, train_V=True)
    if not run.success:
        raise ArithmeticError(run.message)
    return run


def _ensemble(instance: OverparameterisedRun) -> TeacherStudent:
    one = problem_of(instance)
    teacher = np.broadcast_to(one.teacher_W, (instance.networks, *one.teacher_W.shape))
    return TeacherStudent(teacher, one.student_W, one.teacher_V, one.student_V)


def networks_against_prediction(instance: OverparameterisedRun, run: Trajectory) -> tuple[Array, Array]:
    """``(measured, predicted)`` late rates, one a network: each is linearised where its own W_r has ended."""
    problem = _ensemble(instance)
    flow = TwoLayerFlow(problem)
    rates = np.asarray(spectral_rate(flow, flow.of_matrices(*limit_state(problem, run.state["W"][-1]))))
    return np.asarray(fit_decay(run.t, sizes(problem, run)).rate), discrete_rate(rates, instance.lr)


@THEOREM5.claim(
    "sharp",
    part="ensemble",
    expected="observed",
    on=OverparameterisedRun,
    draw=None,
    examples=(TRAINED,),
    note="the rate is our own",
    compares=(
        "mean late decay rate of ‖(sin θ, δv, v_r)‖ of the networks",
        "≈",
        "−log(1 − ηλ)/η, λ at each one's limit",
    ),
    population="16 networks from one start, two teachers and two irrelevant nodes, step and batch as in the example",
)
def networks_decay_at_their_own_rates(
    instance: OverparameterisedRun, context: Context, *, stretch: float = 1.0
) -> Evidence:
    """An ensemble with an irrelevant set decays at the spectral rates of its own limits

    gradient descent with step η:  late rate −log(1 − ηλ)/η,  λ = smallest non-zero eigenvalue of −J at
    (W*, W_r(∞); V*, 0), for each network where its own W_r has ended (judged: mean ratio within 1 %, plus the share
    of faster modes in the flow's window)

    Drawn ensembles, with what sampling adds to the mean of a logarithm predicted, are judged by theorem5.networks.
    """
    run, faster = train_networks(instance, context.device, context.seed), leftover(instance)
    measured, predicted = networks_against_prediction(instance, run)
    ratio, trained = mean_rate(measured / (stretch * predicted)), mean_rate(measured)
    return Evidence(
        predicted=float(stretch * predicted.mean()),
        measured=trained.mean,
        margin=NETWORK_ACCURACY + faster - abs(ratio.mean - 1),
        tolerance=NETWORK_ACCURACY,
        standard_error=trained.standard_error,
        inconclusive=bool(context.z() * ratio.standard_error > NETWORK_ACCURACY),
        details={
            "95 % interval": [trained.low, trained.high],
            "networks / prediction": ratio.mean,
            "95 % interval of networks / prediction": [ratio.low, ratio.high],
            "share of faster modes": faster,
        },
    )


@networks_decay_at_their_own_rates.drawn_by
def flow_networks_and_slope(verdict: Verdict) -> Figure:
    """Flow, trained networks and the predicted slope on one time axis."""
    instance = verdict.judged[0].instance
    problem, flow = problem_of(instance), run_flow(instance)
    run = train_networks(instance, "cpu", 0)
    drawing = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = drawing.subplots()
    axes.semilogy(run.t, sizes(_ensemble(instance), run), color="C1", linewidth=0.7, alpha=0.6)
    axes.plot([], [], color="C1", label=f"{instance.networks} trained networks")
    size = sizes(problem, flow)
    axes.semilogy(flow.t, size, color="C0", label="flow")
    rate = modes_of(instance)[0]
    late = np.array([8.0, 24.0]) / rate
    slope = 4 * np.interp(late[0], flow.t, size) * np.exp(-rate * (late - late[0]))
    axes.semilogy(late, slope, "k--", label="predicted slope")
    axes.set(xlabel="t  (= steps × lr for networks)", ylabel="‖(sin θ, δv, v_r)‖", ylim=(1e-14, 5))
    axes.legend(frameon=False)
    return drawing


networks_decay_at_their_own_rates.rejects("the predicted rate × 1.05", TRAINED, stretch=1.05)
