"""Theorem 4, remark 'faster convergence near w*': is convergence super-linear?"""

from __future__ import annotations

import matplotlib.pyplot as plt
import mpmath as mp
import numpy as np
from matplotlib.figure import Figure

from dynamics.arrays import Array
from dynamics.two_layer.flows import ProjectedFlow
from dynamics.two_layer.linearization import spectral_rate
from verify.judging import ALGEBRA, FLOW, LUCK_MATTERS, Context, Evidence, Item, Source, Verdict
from verify.mathematics.late_rates import (
    EARLIER,
    EARLIER_ACCURACY,
    LATER,
    LATER_ACCURACY,
    late_run,
    late_state,
    rate_within,
)
from verify.mathematics.precise.projected_flow import rate_at
from verify.mathematics.runs.near_starts import Start, few_nodes, mean_rate, own_teacher_wins
from verify.mathematics.runs.near_states import followed, rates_at

SUPERLINEAR = Item(
    "luckmatters.theorem4.superlinear",
    Source(
        LUCK_MATTERS, "remark 'Faster convergence near w*_j' after Theorem 4", version="v4", section="3.2"
    ),
)

LEAST_RISE = float(np.log(LATER[0] * LATER[1]) / np.log(EARLIER[0] * EARLIER[1]))
"""For any order p > 1, ``-x'/x = log p |log x|``: the ratio of the rates in the middles of the two decades."""


def sequence_of_order(p: float) -> tuple[Array, Array]:
    """``(t, x)`` of a course that converges with order p >= 1."""
    if p == 1:
        t = np.arange(60.0)
        return t, np.exp(-t)
    t = np.linspace(0.0, 8.0, 240)
    return t, np.exp(-(p**t))


@SUPERLINEAR.claim(
    "printed",
    expected="refuted",
    on=Start,
    draw=few_nodes,
    assume=own_teacher_wins,
    examples=(Start(1, 2, 0.5),),
    cost=FLOW.at_quick(6),
    compares=(
        "rate in a later decade of x over rate in an earlier one",
        "≥",
        "the least ratio of any order above 1",
    ),
)
def rate_keeps_growing(start: Start, context: Context, *, order: float = 0.0) -> Evidence:
    """Super-linear convergence near the teacher

    near w*_j the convergence is super-linear (order p > 1: the rate −x'/x grows like |log x|)

    The rate tends to a constant, ½ for one node, the spectral rate in general: linear convergence in the strict sense.
    cos θ_j and d*_jj are bounded by 1 and ½, so the argument given (h*_jj grows) can only raise the rate to a constant.
    """
    # order > 0: a sequence of that order takes the place of the flow's course.
    t, x = sequence_of_order(order or 1.0)
    later, earlier = (
        mean_rate(t, x, *decade) if order else rate_within(start, decade) for decade in (LATER, EARLIER)
    )
    ratio = later / earlier
    tolerance = EARLIER_ACCURACY * LEAST_RISE
    return Evidence(
        predicted=LEAST_RISE, measured=ratio, margin=ratio - LEAST_RISE + tolerance, tolerance=tolerance
    )


@rate_keeps_growing.confirmed_precisely(digits=60)
def ten_thousand_times_nearer(start: Start, *, order: float = 0.0) -> Evidence:
    """Rates of the field in 60 digits at a late state, and at the same state ten thousand times nearer."""
    if order > 1:
        # −x'/x = log p |log x|: of a sequence of that order, at 1e-4 and at 1e-8
        ratio = float(mp.log(mp.mpf("1e-8")) / mp.log(mp.mpf("1e-4")))
    else:
        teacher, W = late_state(start)
        ratio = rate_at(teacher, W, 1e-4) / rate_at(teacher, W, 1.0)
    needed = float(np.log(1e-8) / np.log(1e-4))
    tolerance = EARLIER_ACCURACY * needed
    return Evidence(predicted=needed, measured=ratio, margin=ratio - needed + tolerance, tolerance=tolerance)


@rate_keeps_growing.drawn_by
def rate_against_distance(verdict: Verdict) -> Figure:
    """``-x'/x`` against x: level at the end, whereas any order above 1 would rise like ``|log x|``."""
    figure, axis = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    for m in (1, 2, 3):
        t, x = late_run(Start(m=m, d=5, theta0=0.7))
        keep = x > 1e-10
        axis.semilogx(x[keep][1:], -np.diff(np.log(x[keep])) / np.diff(t[keep]), label=f"m = {m}")
    reach = np.geomspace(1e-10, 0.5, 50)
    axis.semilogx(reach, -0.05 * np.log(reach), "k:", label="any order p > 1 (slope log p)")
    axis.invert_xaxis()
    axis.set_xlabel("x = ‖(sin θ_j)‖")
    axis.set_ylabel("rate −x'/x")
    axis.legend(frameon=False)
    return figure


rate_keeps_growing.accepts("a sequence of order 1.5", Start(1, 2, 0.5), order=1.5)
rate_keeps_growing.rejects("a sequence of order 1", Start(1, 2, 0.5), order=1.0)
rate_keeps_growing.excludes("two nodes at 0.9 rad", Start(2, 4, 0.9), "θ₀ of several nodes")
rate_keeps_growing.excludes("one node at 3.05 rad", Start(1, 2, 3.05), "θ₀ of one node")
rate_keeps_growing.excludes("a start at 0.001 rad", Start(2, 4, 1e-3), "θ₀ >")
rate_keeps_growing.includes("two nodes at 0.79 rad", Start(2, 4, 0.79))


@SUPERLINEAR.claim(
    "corrected",
    expected="holds",
    on=Start,
    draw=few_nodes,
    examples=(Start(1, 2, 0.5), Start(3, 5, 0.5)),
    cost=ALGEBRA.at_quick(6),
    compares=("rate −x'/x near the teachers", "≥", "smallest eigenvalue of minus the Jacobian"),
)
def rate_within_the_spectrum(start: Start, context: Context, *, widest: float = 1.0) -> Evidence:
    """Linear convergence near the teacher

    λ_min ≤ −x'/x ≤ λ_max + O(x),  λ the eigenvalues of minus the Jacobian at W*:  linear convergence

    One node: −θ'/tan θ = (π−θ) cos θ / 2π rises from its start to ½ and stays there.
    """
    # Judged at random states at the distances where the two decades begin and, in the mean, along the flow from the
    # start where it passes through them.
    problem = start.problem()
    spectrum = spectral_rate(ProjectedFlow(problem), return_spectrum=True)[1]  # type: ignore[index]
    bottom, top = float(spectrum[0]), float(spectrum[-1]) * widest
    rng = context.rng(start.seed, start.m, start.d)
    rates = [rates_at(problem.teacher_W, decade[0], rng) for decade in (EARLIER, LATER)]
    through = followed(start, context) and not any(
        np.isnan(mean_rate(*late_run(start), *decade)) for decade in (EARLIER, LATER)
    )
    if through:
        means = [mean_rate(*late_run(start), *decade) for decade in (EARLIER, LATER)]
        rates = [np.append(at_states, mean) for at_states, mean in zip(rates, means, strict=True)]
    margin = min(
        float(np.minimum(found - bottom, top - found).min()) + accuracy
        for found, accuracy in zip(rates, (EARLIER_ACCURACY, LATER_ACCURACY), strict=True)
    )
    late = rates[1]
    return Evidence(
        predicted=bottom,
        measured=float(late[-1]),
        margin=margin,
        tolerance=LATER_ACCURACY,
        details={"late rates": late.tolist(), "largest eigenvalue": top, "along the flow": float(through)},
    )


rate_within_the_spectrum.rejects("λ_max replaced by λ_max / 3", Start(1, 2, 0.5), widest=1 / 3)

rate_keeps_growing.errs(
    says="v4, section 3.2, remark 'Faster convergence near w*': a super-linear convergence near w*_j is expected",
    true="convergence is linear, at the spectral rate (½ for one node, 0.091 for three or more orthonormal ones)",
    impact="substance",
    matters="the growth of h*_jj can only raise the rate to a constant; nothing depends on it",
)
