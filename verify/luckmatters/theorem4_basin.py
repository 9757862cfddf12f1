"""Theorem 4, how near is near enough: a basin and a rate that hold for every number of teachers."""

from __future__ import annotations

from collections.abc import Callable

import hypothesis.strategies as st
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from dynamics.basins.rates import basin_radius, basin_rate
from verify.judging import SEARCH, Assumption, Context, Evidence, Verdict
from verify.judging.instances import drawn_fields
from verify.luckmatters.theorem4 import THEOREM4
from verify.mathematics.basins.starts import (
    DistantStart,
    precise_rate,
    rate_rounding,
    states_of,
)

DIGITS = 30
NOTE = "our own theorem: the paper's condition γ > 0 leaves nothing for m ≥ 3 without thresholds"


def inside(start: DistantStart) -> tuple[Assumption, ...]:
    """Within the basin proved for every m."""
    return (Assumption.below("R(0) / R₀, the radius for every m,", start.radius / basin_radius(), 1),)


def inside_small(start: DistantStart) -> tuple[Assumption, ...]:
    """One or two teachers, within their own radius."""
    return (
        Assumption.at_most("m", start.m, 2),
        Assumption.below("R(0) / R₀(m)", start.radius / basin_radius(min(start.m, 2)), 1),
    )


def held_to(start: DistantStart, bound: Callable[[float], float]) -> Evidence:
    """Evidence for ``-R'/R >= bound(R)`` at the start and along its flow: where it is nearest to failing."""
    states = [(R, rate, bound(R)) for R, rate in states_of(start)]
    R, rate, least = min(states, key=lambda s: s[1] - s[2] + rate_rounding(s[0]))
    tolerance = rate_rounding(R)
    return Evidence(
        predicted=least,
        measured=rate,
        margin=rate - least + tolerance,
        tolerance=tolerance,
        details={"R there": R, "R at the start": states[0][0], "rate at the start": states[0][1]},
    )


@THEOREM4.claim(
    "sharp",
    part="basin",
    expected="holds",
    on=DistantStart,
    assume=inside,
    examples=(
        DistantStart(3, 0, 0.3, descents=6),
        DistantStart(10, 0, 0.05, descents=6),
        DistantStart(10, 0, 0.859, descents=6),
        DistantStart(20, 0, 0.7),
        DistantStart(40, 0, 0.5, "rotation"),
    ),
    cost=SEARCH.at_quick(14),
    compares=("−R'/R, R = ‖W − W*‖_F, at its nearest to the bound", "≥", "proved rate basin_rate(R)"),
    note=NOTE,
)
def contracts_for_every_m(start: DistantStart, context: Context, *, factor: float = 1.0) -> Evidence:
    """Near enough to orthonormal teachers the whole student converges, at a proved rate, for every m

    W* orthonormal, any m ≤ d, ‖W(0) − W*‖_F < R₀ = basin_radius()  ⇒  −R'(t)/R(t) ≥ basin_rate(R(t)) > 0

    Theorems A, A″ and D of docs/theorems.md: proved on paper, their numbers in ball arithmetic. R is the distance of
    all weights together, not the largest angle: that is why m and d drop out. Checked here along runs, and from the
    slowest states that descent on −R'/R over the sphere of radius R finds. At R = 0 the bound is the true late rate
    1/4 − 1/2π.
    """
    return held_to(start, lambda R: factor * basin_rate(R))


@contracts_for_every_m.confirmed_precisely(digits=DIGITS)
def at_the_start_in_many_digits(start: DistantStart, *, factor: float = 1.0) -> Evidence:
    """−R'/R at the start from the flow's definition in 30 digits."""
    R, rate = precise_rate(start, DIGITS)
    return Evidence(predicted=factor * basin_rate(R), measured=rate, margin=rate - factor * basin_rate(R))


contracts_for_every_m.rejects("the bound × 1.5 at R = 0.1", DistantStart(3, 0, 0.1, descents=6), factor=1.5)
contracts_for_every_m.rejects(
    "the bound × 1.03 at R = 0.05", DistantStart(10, 0, 0.05, descents=6), factor=1.03
)
contracts_for_every_m.rejects(
    "the bound × 1.0006 at R = 0.001", DistantStart(10, 0, 1e-3, descents=6), factor=1.0006
)
contracts_for_every_m.rejects("the late rate at every R", DistantStart(3, 0, 0.5), factor=0.0908 / 0.03)
contracts_for_every_m.accepts("half the bound", DistantStart(3, 0, 0.5), factor=0.5)
CEILING = DistantStart(2, 0, 2 * np.sqrt(2) * np.sin(np.pi / 8), "rotation")
contracts_for_every_m.excludes("a start as far as the merged pair, R = 1.0824", CEILING, "R(0) / R₀")
contracts_for_every_m.includes("just inside", DistantStart(3, 1, 0.859))


@THEOREM4.claim(
    "sharp",
    part="basin_small",
    expected="holds",
    on=DistantStart,
    draw=drawn_fields(
        DistantStart, m=st.sampled_from((1, 2)), extra=st.integers(1, 3), radius=st.floats(0.01, 0.859)
    ),
    assume=inside_small,
    examples=(
        DistantStart(1, 2, 1.8, "random"),
        DistantStart(1, 1, 0.3, "random"),
        DistantStart(2, 1, 0.05, descents=6),
        DistantStart(2, 0, 0.05, descents=6),
        DistantStart(2, 1, 0.6),
    ),
    cost=SEARCH.at_quick(20),
    compares=("−R'/R, R = ‖W − W*‖_F, at its nearest to the bound", "≥", "proved rate basin_rate(R, m, d)"),
    note=NOTE,
)
def contracts_for_one_and_two(start: DistantStart, context: Context, *, factor: float = 1.0) -> Evidence:
    """One and two teachers: the basin with the true late rates

    m = 1: R' = −R (1 − R²/4)(π − θ)/2π for every R < 2, whatever d
    m = 2 (orthonormal): −R'/R ≥ basin_rate(R, 2, d), which is 1/4 at R = 0 for d ≥ 3 and 1/2 − 1/2π for d = 2

    Closed forms of docs/theorems.md, elementary throughout; for two teachers beyond R = 0.67 (d = 2: 0.73) Theorem D.
    With one teacher the bound is the rate itself, and the basin everything but the antipode.
    """
    return held_to(start, lambda R: factor * basin_rate(R, start.m, start.d))


@contracts_for_one_and_two.confirmed_precisely(digits=DIGITS)
def small_in_many_digits(start: DistantStart, *, factor: float = 1.0) -> Evidence:
    """−R'/R at the start from the flow's definition in 30 digits; rounding of the start's floats as tolerance."""
    R, rate = precise_rate(start, DIGITS)
    bound, tolerance = factor * basin_rate(R, start.m, start.d), rate_rounding(R)
    return Evidence(predicted=bound, measured=rate, margin=rate - bound + tolerance, tolerance=tolerance)


contracts_for_one_and_two.rejects(
    "one teacher: the rate × (1 + 1e-11)", DistantStart(1, 1, 1.0, "random"), factor=1 + 1e-11
)
contracts_for_one_and_two.rejects(
    "two teachers: × 1.03 at R = 0.05", DistantStart(2, 1, 0.05, descents=6), factor=1.03
)
contracts_for_one_and_two.rejects(
    "in the plane: × 1.1 at R = 0.05", DistantStart(2, 0, 0.05, descents=6), factor=1.1
)
contracts_for_one_and_two.accepts("half the bound", DistantStart(2, 1, 0.5), factor=0.5)
contracts_for_one_and_two.excludes("three teachers", DistantStart(3, 1, 0.5), "m ≤ 2")
contracts_for_one_and_two.excludes("the merged pair's distance", CEILING, "R(0) / R₀")
contracts_for_one_and_two.includes("one teacher almost opposite", DistantStart(1, 1, 1.9, "random"))


@contracts_for_every_m.drawn_by
def proved_and_found(verdict: Verdict) -> Figure:
    """The proved rate over R, and the states of the verdict: at the start, all above it."""
    fig, axes = plt.subplots(figsize=(6.0, 4.2), layout="constrained")
    radii = np.linspace(0, basin_radius(), 200, endpoint=False)
    axes.plot(radii, [basin_rate(float(R)) for R in radii], color="k", label="proved for every m")
    for kind, marker in (("slowest", "o"), ("rotation", "s"), ("random", ".")):
        points = [
            (r.evidence.details["R at the start"], r.evidence.details["rate at the start"])
            for r in verdict.judged
            if r.instance.kind == kind and r.evidence is not None
        ]
        if points:
            axes.plot(*zip(*points, strict=True), marker, alpha=0.6, label=f"{kind} states ({len(points)})")
    axes.set(xlabel="R = ‖W − W*‖_F", ylabel="−R'/R", yscale="log", ylim=(5e-4, 1.0))
    axes.legend(frameon=False)
    return fig
