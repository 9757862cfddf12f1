"""Theorem 4, remark 'faster convergence near w*': is the rate rising, and is convergence super-linear?"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import hypothesis.strategies as st
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from dynamics.arrays import Array
from dynamics.ode.integrate import integrate
from dynamics.two_layer.flows import ProjectedFlow
from dynamics.two_layer.linearization import spectral_rate
from verify.judging import (
    LUCK_MATTERS,
    Assumption,
    Budget,
    Context,
    Control,
    Cost,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
    Verdict,
)
from verify.mathematics.families.near_starts import (
    RTOL,
    Start,
    decay,
    mean_rate,
    own_time,
    path,
    starts,
    time_to,
)
from verify.mathematics.families.near_states import STATES, followed, rates_at, turned
from verify.mathematics.precise.projected_flow import rate_at

SOURCE = Source(LUCK_MATTERS, "remark 'Faster convergence near w*_j' after Theorem 4")
FEW = Cost(6, 40, 300)
MANY = Cost(6, 40, 10_000)

DISTANCES = (1e-3, 1e-4, 1e-5, 1e-6)
"""Two decades of ``x``, two apart, in which mean rates are compared."""

LATE, LATER = 1e-2, 1e-4
"""What may be left of the nonlinearity in a rate of either decade: ten times the distance where it begins."""


@lru_cache(maxsize=512)
def late_run(instance: Start) -> tuple[Array, Array, Array]:
    """``(t, x, eigenvalues)``: a run down to the last of ``DISTANCES`` and the spectrum at the solution."""
    problem = instance.problem()
    slowest, spectrum = spectral_rate(ProjectedFlow(problem), return_spectrum=True)  # type: ignore[misc]
    t, x = decay(problem, 16.0 / float(slowest))  # e^-16 is 1e-7
    return t, x, np.asarray(spectrum)


def arrives(instance: Start) -> tuple[Assumption, ...]:
    """Starts from which the students reach their own teachers (others end at a permutation or a saddle)."""
    reach = 0.8 if instance.m > 1 else 3.0
    return (Assumption("θ₀ small enough for its own teacher to win", reach - instance.theta0),)


def rates_ratio(t: Array, x: Array) -> float:
    """Mean rate in the later of the two decades over that in the earlier."""
    return mean_rate(t, x, *DISTANCES[2:]) / mean_rate(t, x, *DISTANCES[:2])


SPEED = 1e-14
"""Absolute rounding of the speed of an angle."""

LEAST_RISE = float(np.log(DISTANCES[2] * DISTANCES[3]) / np.log(DISTANCES[0] * DISTANCES[1]))
"""For any order p > 1, ``-x'/x = log p |log x|``: the ratio of the rates in the middles of the two decades."""


def superlinear(instance: Start, context: Context) -> Evidence:
    """Of an order above 1: the rate grows like ``|log x|``."""
    t, x, _ = late_run(instance)
    return rising(t, x)


def rising(t: Array, x: Array) -> Evidence:
    """Ratio of the rates in the two decades of a course ``x(t)`` against :data:`LEAST_RISE`."""
    ratio = rates_ratio(t, x)
    tolerance = LATE * LEAST_RISE
    return Evidence(
        predicted=LEAST_RISE, measured=ratio, margin=ratio - LEAST_RISE + tolerance, tolerance=tolerance
    )


def late_state(instance: Start) -> tuple[Array, Array]:
    """Teacher and students once every angle is below 1e-4, from the float64 run."""
    problem = instance.problem()
    time = time_to(problem, 1e-4, 1e4)
    run = integrate(ProjectedFlow(problem), (0.0, time), t_eval=[time], rtol=RTOL, atol=1e-13)
    return problem.teacher_W, run.state["W"][-1]


def confirm_superlinear(instance: Start) -> Evidence:
    """Rates of the field in 60 digits at a late state, and at the same state ten thousand times nearer."""
    teacher, W = late_state(instance)
    ratio = rate_at(teacher, W, 1e-4) / rate_at(teacher, W, 1.0)
    needed = 2.0  # |log 1e-8| / |log 1e-4|
    return Evidence(
        predicted=needed, measured=ratio, margin=ratio - needed + LATE * needed, tolerance=LATE * needed
    )


def linear(instance: Start, context: Context, widest: float = 1.0) -> Evidence:
    """Linear: late rates stay between the smallest and the largest eigenvalue of minus the Jacobian.

    At random states of the distances where the two decades begin and, where :func:`followed`, along the flow.
    """
    problem = instance.problem()
    spectrum = spectral_rate(ProjectedFlow(problem), return_spectrum=True)[1]  # type: ignore[index]
    bottom, top = float(spectrum[0]), float(spectrum[-1]) * widest
    rng = context.rng(instance.seed, instance.m, instance.d)
    late = [rates_at(problem.teacher_W, x, rng) for x in DISTANCES[::2]]
    if followed(instance, context):
        t, x, _ = late_run(instance)
        means = mean_rate(t, x, *DISTANCES[:2]), mean_rate(t, x, *DISTANCES[2:])
        late = [np.append(rates, mean) for rates, mean in zip(late, means, strict=True)]
    margin = min(
        float(np.minimum(rates - bottom, top - rates).min()) + left
        for rates, left in zip(late, (LATE, LATER), strict=True)
    )
    details = {"late rates": late[1].tolist(), "largest eigenvalue": top}
    return Evidence(
        predicted=bottom, measured=float(late[1][-1]), margin=margin, tolerance=LATER, details=details
    )


def near_starts(budget: Budget) -> st.SearchStrategy[Start]:
    """Up to three nodes; up to five beyond quick."""
    return starts(st.integers(1, 5 if budget.full else 3), st.sampled_from((0.5, 0.2, 0.7)))


def order_figure(verdict: Verdict) -> Figure:
    """``-x'/x`` against x: level at the end, whereas any order above 1 would rise like ``|log x|``."""
    figure, axis = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    for m in (1, 2, 3):
        t, x, _ = late_run(Start(m=m, d=5, theta0=0.7))
        keep = x > 1e-10
        axis.semilogx(x[keep][1:], -np.diff(np.log(x[keep])) / np.diff(t[keep]), label=f"m = {m}")
    reach = np.geomspace(1e-10, 0.5, 50)
    axis.semilogx(reach, -0.05 * np.log(reach), "k:", label="any order p > 1 (slope log p)")
    axis.invert_xaxis()
    axis.set_xlabel("x = ‖(sin θ_j)‖")
    axis.set_ylabel("rate −x'/x")
    axis.legend(frameon=False)
    return figure


def _of_order(p: float) -> tuple[Array, Array]:
    t = np.linspace(0.0, 8.0, 240)
    return t, np.exp(-(p**t))


SUPERLINEAR = Statement(
    key="luckmatters.theorem4.superlinear",
    form=Form.PRINTED,
    title="Super-linear convergence near the teacher",
    claim="near w*_j the convergence is super-linear (order p > 1: the rate −x'/x grows like |log x|)",
    source=SOURCE,
    expected=Outcome.REFUTED,
    instance_type=Start,
    assumptions=arrives,
    evidence=superlinear,
    instances=near_starts,
    examples=(Start(1, 2, 0.5),),
    cost=FEW,
    confirm=confirm_superlinear,
    controls=(
        Control("a sequence of order 1.5", lambda c: rising(*_of_order(1.5)), must_hold=True),
        Control("a sequence of order 1", lambda c: rising(np.arange(60.0), np.exp(-np.arange(60.0)))),
    ),
    figure=order_figure,
    remark=(
        "The rate tends to a constant, ½ for one node, the spectral rate in general: linear convergence "
        "in the strict sense. cos θ_j and d*_jj are bounded by 1 and ½, so the argument given (h*_jj "
        "grows) can only raise the rate to a constant."
    ),
)

LINEAR = replace(
    SUPERLINEAR,
    form=Form.CORRECTED,
    title="Linear convergence near the teacher",
    claim="λ_min ≤ −x'/x ≤ λ_max + O(x),  λ the eigenvalues of minus the Jacobian at W*:  linear convergence",
    expected=Outcome.HOLDS,
    evidence=linear,
    examples=(Start(1, 2, 0.5), Start(3, 5, 0.5)),
    cost=MANY,
    confirm=None,
    controls=(Control("λ_max replaced by λ_max / 3", lambda c: linear(Start(1, 2, 0.5), c, 1 / 3)),),
    figure=None,
    remark="One node: −θ'/tan θ = (π−θ) cos θ / 2π rises from its start to ½ and stays there.",
)


def accelerating(instance: Start, context: Context) -> Evidence:
    """The late rate is at least the rate at the start."""
    problem = instance.problem()
    flow = ProjectedFlow(problem)
    velocity = flow.unpack(flow(0.0, flow.initial_state()))["W"]
    cosine = (problem.student_W * problem.teacher_W).sum(axis=-2)
    falls = cosine * (problem.teacher_W * velocity).sum(axis=-2)
    first = float(falls.sum() / (1 - cosine**2).sum())
    t, x, _ = late_run(instance)
    late = mean_rate(t, x, *DISTANCES[2:])
    return Evidence(predicted=first, measured=late, margin=late - first + LATE, tolerance=LATE)


def confirm_accelerating(instance: Start) -> Evidence:
    """Both rates from the field in 60 digits."""
    problem = instance.problem()
    first = rate_at(problem.teacher_W, problem.student_W, 1.0)
    late = rate_at(*late_state(instance), 1e-4)
    return Evidence(predicted=first, measured=late, margin=late - first + LATE, tolerance=LATE)


def one_node(instance: Start, context: Context, factor: float = 1.0) -> Evidence:
    """One node: its speed is the closed form at every angle, and the time to an angle is the closed integral.

    The speed at random states (and nothing out of the plane); where :func:`followed` the flow, to the time at which it
    should be at ``theta0 / 100``: ``predicted`` is the integral's time for the angle where it is. Both are multiplied
    by ``factor``, 1 but for the control.
    """
    rng = context.rng(instance.seed, instance.d)
    states = turned(instance.problem().teacher_W, instance.theta0 * rng.uniform(0.01, 1.0, (STATES, 1)), rng)
    turning, _, aside = states.speeds()
    expected = -factor * (np.pi - states.theta) * np.sin(states.theta) / (2 * np.pi)
    off = np.maximum(np.abs(turning - expected), aside)
    worst = int(np.argmax(off))
    # Angles, and so speeds of at most a half, are good to some eps absolutely.
    pointwise = Evidence(
        predicted=float(expected.flat[worst]),
        measured=float(turning.flat[worst]),
        margin=SPEED - float(off.flat[worst]),
        tolerance=SPEED,
    )
    if not followed(instance, context) or not pointwise.holds:
        return pointwise
    measured = float(own_time(instance.theta0, instance.theta0 / 100))
    angle = path(instance.problem(), np.array([0.0, measured]))[-1]
    return Evidence.close(
        measured, predicted=factor * float(own_time(instance.theta0, angle)), tolerance=1e-5 * measured
    )


ACCELERATES = replace(
    SUPERLINEAR,
    key="luckmatters.theorem4.acceleration",
    title="Faster convergence near the teacher",
    claim="the rate −x'/x, x = ‖(sin θ_j)‖, is larger near W* than at the start",
    evidence=accelerating,
    examples=(Start(1, 2, 0.5), Start(3, 5, 0.5)),
    confirm=confirm_accelerating,
    controls=(
        Control("one node", lambda c: accelerating(Start(1, 2, 0.5), c), must_hold=True),
        Control("three nodes, many directions", lambda c: accelerating(Start(3, 5, 0.5), c)),
    ),
    figure=None,
    remark=(
        "True of one node. With more, the slow directions of the cross terms remain when the fast ones "
        "have died out: the rate falls, for three or more orthonormal teachers from about 0.39 at θ₀ = "
        "0.3 to 0.091. The remark looks at the node's own term h*_jj only."
    ),
)

ONE_NODE = replace(
    LINEAR,
    key="luckmatters.theorem4.acceleration",
    title="One node accelerates, to a constant rate",
    claim="m = 1:  θ' = −(π−θ) sin θ / 2π,  so (sin θ)'/sin θ = −(π−θ) cos θ / 2π rises in size to ½",
    assumptions=lambda instance: (Assumption("one node", 1.5 - instance.m),),
    evidence=one_node,
    instances=lambda budget: starts(st.just(1), st.floats(0.05, 3.0)),
    examples=(Start(1, 2, 0.5), Start(1, 3, 3.0)),
    cost=Cost(15, 100, 10_000),
    controls=(Control("a time 1 % longer", lambda c: one_node(Start(1, 2, 0.5), c, 1.01)),),
    remark="Winner-take-all in its simplest form: the nearer a node is, the faster it comes, up to the rate ½.",
)
