"""Theorem 5 near its solution: a proved basin, a proved rate, and how far the irrelevant nodes drift."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from dynamics.basins.two_layer.basin import two_layer_basin
from verify.judging import SEARCH, Assumption, CannotJudgeError, Context, Evidence, Verdict
from verify.luckmatters.theorem5 import THEOREM5
from verify.mathematics.basins.solution_starts import (
    LARGEST,
    NEAREST_LINES,
    SolutionStart,
    run_from,
    solution_of,
)
from verify.mathematics.mean_over_seeds import weakest

if TYPE_CHECKING:
    from dynamics.basins.two_layer.local import LocalBasin


@lru_cache(maxsize=64)
def basin_of(m: int, r: int, c: int, extra: int, nodes: str, seed: int) -> LocalBasin:
    """The proved basin of the instance's solution."""
    start = SolutionStart(m, r, c, extra, nodes, seed=seed)
    if start.size > LARGEST:
        raise CannotJudgeError(f"more than {LARGEST} coordinates: the forms are not enclosed")
    solution = solution_of(start)
    cosines = np.abs(solution.student_W.T @ solution.student_W)[np.triu_indices(solution.n, 1)]
    if cosines.max(initial=0.0) > math.sqrt(1 - NEAREST_LINES**2):
        raise CannotJudgeError("two nodes nearly on one line")
    try:
        found = two_layer_basin(solution)
    except ImportError as error:
        raise CannotJudgeError(str(error)) from None
    if not found.radius > 0:
        raise CannotJudgeError("no basin was proved for these nodes and fan-outs")
    return found


def inside(start: SolutionStart) -> tuple[Assumption, ...]:
    """Within the proved basin."""
    return (Assumption.below("|z(0)| / the proved radius", start.share, 1),)


@THEOREM5.claim(
    "sharp",
    part="local",
    expected="holds",
    on=SolutionStart,
    assume=inside,
    examples=(
        SolutionStart(1, 1, 2, 1, share=0.99),
        SolutionStart(1, 2, 2, 1, share=0.9),
        SolutionStart(2, 2, 3, 2, share=0.99),
        SolutionStart(2, 2, 3, 1, "random", 0.9, seed=1),
        SolutionStart(1, 0, 2, 1, share=0.9),
    ),
    cost=SEARCH.at_quick(10),
    needs_balls=True,
    compares=("−|z|′/|z| at its nearest to the bound", "≥", "proved rate"),
    note="our own theorem: conditions (41), (42) are met by none of these starts",
)
def contracts_near_the_solution(
    start: SolutionStart, context: Context, *, factor: float = 1.0, drift: float = 1.0
) -> Evidence:
    """Near its solution the over-parameterised student converges, at a proved rate, and its idle nodes hardly drift

    z = (logarithms of W_u at W*, V_u − V*, V_r), any teachers, fan-outs and irrelevant nodes on lines of their own:
    |z(0)| < radius  ⇒  −|z|′/|z| ≥ rate > 0 at all times, so W_u → W*, V_u → V*, V_r → 0, loss → 0; W_r converges,
      and moves by at most a proved drift

    Theorem C″ of docs/theorems.md, proved on paper with all constants enclosed in ball arithmetic per instance. With
    orthonormal nodes and fan-outs the radii are .33, .28, .23, .21, .18 at (d, m, n, c) = (4, 1, 2, 2), (5, 1, 3, 2),
    (6, 2, 4, 3), (8, 3, 5, 4) and (10, 4, 8, 6): there V_r → 0 is proved for ‖V_r(0)‖ of that size. Checked here along
    runs, and from the slowest states that descent on −|z|′/|z| over the sphere finds.
    """
    # Altered: the rates by ``factor``, the drift by ``drift``.
    found = basin_of(start.m, start.r, start.c, start.extra, start.nodes, start.seed)
    radius = start.share * found.radius
    proved = found.passage(radius)
    sizes, rates, moved = run_from(start, radius)
    bounds = factor * np.where(np.arange(len(rates)) == 0, proved.first, proved.rate)
    rounding = 1e-15 / sizes**2 + 1e-11  # of the field, and of the run
    at = int(np.argmin(rates - bounds + rounding))
    contracting = Evidence(
        predicted=float(bounds[at]),
        measured=float(rates[at]),
        margin=float(rates[at] - bounds[at] + rounding[at]),
        tolerance=float(rounding[at]),
        details={
            "proved radius": found.radius,
            "|z(0)|": radius,
            "rate at the start": float(rates[0]),
            "proved at the start": proved.first,
            "drift": moved,
            "proved drift": proved.drift,
        },
    )
    if not start.r:
        return contracting
    staying = Evidence.at_most(moved, bound=drift * proved.drift, tolerance=1e-9, drifting=1.0)
    return weakest(contracting, staying) if not staying.holds else contracting


contracts_near_the_solution.rejects("1.5 of the rate", SolutionStart(1, 1, 2, 1, share=0.3), factor=1.5)
contracts_near_the_solution.rejects(
    "1.006 of the rate, near the solution", SolutionStart(2, 2, 3, 1, share=0.01), factor=1.006
)
contracts_near_the_solution.rejects(
    "1.0006 of the rate, a tenth as far", SolutionStart(2, 2, 3, 1, share=0.001), factor=1.0006
)
contracts_near_the_solution.rejects(
    "a hundredth of the drift", SolutionStart(1, 2, 2, 1, share=0.9, kind="random"), drift=0.01
)
contracts_near_the_solution.accepts("half the rate", SolutionStart(1, 1, 2, 1, share=0.9), factor=0.5)
contracts_near_the_solution.excludes("farther than proved", SolutionStart(share=1.01), "|z(0)|")
contracts_near_the_solution.includes("just inside", SolutionStart(share=0.999))


@contracts_near_the_solution.drawn_by
def proved_and_found(verdict: Verdict) -> Figure:
    """Found over proved rates at the starts of the verdict: the claim asks for marks above the line."""
    fig, axes = plt.subplots(figsize=(5.2, 4.2), layout="constrained")
    for kind, marker in (("slowest", "o"), ("random", ".")):
        points = [
            (r.evidence.details["proved at the start"], r.evidence.details["rate at the start"])
            for r in verdict.judged
            if r.evidence is not None and r.instance.kind == kind and "proved radius" in r.evidence.details
        ]
        if points:
            axes.plot(*zip(*points, strict=True), marker, alpha=0.6, label=f"{kind} states ({len(points)})")
    top = axes.get_xlim()[1]
    axes.plot([0, top], [0, top], color="k", linewidth=1, label="equal")
    axes.set(xlabel="proved −|z|′/|z| at the start", ylabel="measured −|z|′/|z| at the start")
    axes.legend(frameon=False)
    return fig
