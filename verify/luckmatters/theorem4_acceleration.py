"""Theorem 4, remark 'faster convergence near w*': does the rate rise on the way?"""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np

from dynamics.two_layer.flows import ProjectedFlow
from verify.judging import ALGEBRA, FLOW, LUCK_MATTERS, Assumption, Context, Evidence, Item, Source
from verify.mathematics.late_rates import EARLIER_ACCURACY, late_rate, late_state
from verify.mathematics.precise.projected_flow import rate_at
from verify.mathematics.runs.near_starts import (
    Start,
    few_nodes,
    own_teacher_wins,
    own_time,
    path,
    starts,
)
from verify.mathematics.runs.near_states import STATES, followed, turned

ACCELERATION = Item(
    "luckmatters.theorem4.acceleration",
    Source(
        LUCK_MATTERS, "remark 'Faster convergence near w*_j' after Theorem 4", version="v4", section="3.2"
    ),
)

FOLLOWED_FROM, FOLLOWED_TO = 0.05, 3.0
"""Starts (radians) that are followed along the flow: nearer ones fall below its accuracy, farther ones take long."""

SPEED_ROUNDING = 1e-14
"""Absolute rounding of the speed of an angle: angles, and so speeds of at most a half, are good to some eps."""


@ACCELERATION.claim(
    "printed",
    expected="refuted",
    on=Start,
    draw=few_nodes,
    assume=own_teacher_wins,
    examples=(Start(1, 2, 0.5), Start(2, 10, 0.1), Start(3, 5, 0.5)),
    cost=FLOW.at_quick(5),
    compares=("late rate −x'/x, x = ‖(sin θ_j)‖", "≥", "rate at the start"),
    telling=lambda start: start.m <= 2 and start.theta0 <= 0.12,
)
def faster_near_the_teachers(start: Start, context: Context) -> Evidence:
    """Faster convergence near the teacher

    the rate −x'/x, x = ‖(sin θ_j)‖, is larger near W* than at the start

    True of one node. With more, the slow directions of the cross terms remain when the fast ones have died out: the
    rate falls, for three or more orthonormal teachers from about 0.39 at θ₀ = 0.3 to 0.091. The remark looks at the
    node's own term h*_jj only.
    """
    problem = start.problem()
    flow = ProjectedFlow(problem)
    velocity = flow.unpack(flow(0.0, flow.initial_state()))["W"]
    cosine = (problem.student_W * problem.teacher_W).sum(axis=-2)
    falls = cosine * (problem.teacher_W * velocity).sum(axis=-2)
    return _late_against_first(late_rate(start), float(falls.sum() / (1 - cosine**2).sum()))


@faster_near_the_teachers.confirmed_precisely(digits=60)
def in_sixty_digits(start: Start) -> Evidence:
    """Both rates from the field in 60 digits."""
    problem = start.problem()
    first = rate_at(problem.teacher_W, problem.student_W, 1.0)
    return _late_against_first(rate_at(*late_state(start), 1e-4), first)


def _late_against_first(late: float, first: float) -> Evidence:
    margin = late - first + EARLIER_ACCURACY
    return Evidence(predicted=first, measured=late, margin=margin, tolerance=EARLIER_ACCURACY)


faster_near_the_teachers.accepts("one node", Start(1, 2, 0.5))
faster_near_the_teachers.rejects("three nodes, many directions", Start(3, 5, 0.5))
faster_near_the_teachers.excludes("two nodes at 0.9 rad", Start(2, 4, 0.9), "θ₀ of several nodes")
faster_near_the_teachers.excludes("a start at 0.001 rad", Start(2, 4, 1e-3), "θ₀ >")
faster_near_the_teachers.excludes("one node at 3.05 rad", Start(1, 2, 3.05), "θ₀ of one node")
faster_near_the_teachers.includes("two nodes at 0.79 rad", Start(2, 4, 0.79))


def one_node(start: Start) -> tuple[Assumption, ...]:
    """m = 1."""
    return (Assumption.that("one node", start.m == 1),)


@ACCELERATION.claim(
    "corrected",
    expected="holds",
    on=Start,
    draw=starts(st.just(1), st.floats(0.05, 3.0)),
    assume=one_node,
    examples=(Start(1, 2, 0.5), Start(1, 3, 3.0)),
    cost=ALGEBRA.at_quick(15),
    compares=("speed of the angle (or time to an angle)", "=", "closed form"),
)
def one_node_accelerates(start: Start, context: Context, *, factor: float = 1.0) -> Evidence:
    """One node accelerates, to a constant rate

    m = 1:  θ' = −(π−θ) sin θ / 2π,  so (sin θ)'/sin θ = −(π−θ) cos θ / 2π rises in size to ½

    Winner-take-all in its simplest form: the nearer a node is, the faster it comes, up to the rate ½. Judged at random
    states for every θ₀, and in time along the flow for θ₀ from 0.05 to 3 rad.
    """
    # The speed at random states; then, along the flow to the time at which the node should be at theta0 / 100, the
    # time that the closed integral gives for the angle where it is.
    at_states = _speed_at_states(start, context, factor)
    if (
        not FOLLOWED_FROM <= start.theta0 <= FOLLOWED_TO
        or not followed(start, context)
        or not at_states.holds
    ):
        return at_states
    measured = float(own_time(start.theta0, start.theta0 / 100))
    angle = path(start.problem(), np.array([0.0, measured]))[-1]
    predicted = factor * float(own_time(start.theta0, angle))
    return Evidence.close(measured, predicted=predicted, tolerance=1e-5 * measured)


def _speed_at_states(start: Start, context: Context, factor: float) -> Evidence:
    """The closed form against the speed of the angle, and nothing out of the plane of w and w*."""
    rng = context.rng(start.seed, start.d)
    theta = start.theta0 * rng.uniform(0.01, 1.0, (STATES, 1))
    states = turned(start.problem().teacher_W, theta, rng)
    turning, _, aside = states.speeds()
    expected = -factor * (np.pi - states.theta) * np.sin(states.theta) / (2 * np.pi)
    off = np.maximum(np.abs(turning - expected), aside)
    worst = int(np.argmax(off))
    return Evidence(
        predicted=float(expected.flat[worst]),
        measured=float(turning.flat[worst]),
        margin=SPEED_ROUNDING - float(off.flat[worst]),
        tolerance=SPEED_ROUNDING,
    )


one_node_accelerates.rejects("a time 1 % longer", Start(1, 2, 0.5), factor=1.01)
one_node_accelerates.rejects("a speed 1e-11 larger", Start(1, 2, 0.5), factor=1 + 1e-11)
one_node_accelerates.excludes("two nodes", Start(2, 2, 0.5), "one node")
one_node_accelerates.includes("one node almost opposite its teacher", Start(1, 2, 3.1))

faster_near_the_teachers.errs(
    says="v4, section 3.2, remark 'Faster convergence near w*': h*_jj grows, so convergence becomes faster near w*_j",
    true="true of one teacher ((π − θ) cos θ / 2π, rising to ½); for several the rate of ‖sin θ‖ may fall, 0.53 → "
    "0.25 for m = 2, d = 3, also where γ > 0 (m = 2, θ₀ = 0.1, d = 10: in 12 of 12 starts)",
    impact="substance",
    matters="the remark looks at the node's own term only; no theorem depends on it",
)
