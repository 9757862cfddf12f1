"""Theorem 3 with finite steps: every step of gradient descent lengthens a filter."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
from matplotlib.figure import Figure

from verify.judging import SEARCH, Assumption, Budget, Context, Evidence, Verdict
from verify.luckmatters.theorem3 import BIASED, SHUT, STEPS, THEOREM3
from verify.mathematics.families.narrowed import narrowed
from verify.mathematics.gradients.normalised_training import (
    Training,
    alive,
    farthest_off,
    trained,
    without_bias,
    without_eps,
)


def descents(budget: Budget) -> st.SearchStrategy[Training]:
    """One to 30 steps of plain SGD: each step has the identity, so more of them only add up (see the examples)."""
    return narrowed(Training, budget, lr=st.sampled_from([1e-3, 1e-2, 0.1]), steps=st.integers(1, 30))


def plain_descent(training: Training) -> tuple[Assumption, ...]:
    """Steps of positive size, no eps, no bias before a ReLU, nodes alive at the start."""
    return (
        Assumption.above("lr", training.lr, 0),
        without_eps(training),
        without_bias(training),
        *alive(training),
    )


@THEOREM3.claim(
    "corrected",
    part="step",
    expected="holds",
    on=Training,
    draw=descents,
    assume=plain_descent,
    examples=(STEPS, replace(STEPS, placement="relu_bn", steps=50)),
    cost=SEARCH.at_quick(40),
    note="finite steps",
    compares=("growth of ‖w_j‖²", "=", "η² Σ_t ‖∇_j J_t‖²"),
)
def steps_lengthen_a_filter(training: Training, context: Context, *, factor: float = 1.0) -> Evidence:
    """Every step of gradient descent lengthens a filter

    ‖w_j‖² after T steps = ‖w_j‖² + η² Σ_t ‖∇_j J_t‖²   at eps = 0, no bias before a ReLU

    The gradient is orthogonal to the filter, so a step is the long side of a right triangle. Norms only grow, and the
    angle turned by a step, η‖∇‖/‖w‖ with ‖∇‖ ∝ 1/‖w‖, falls: a built-in decay of the learning rate.
    """
    growth, summed, rounding = trained(training)
    return farthest_off([(factor * summed, growth, rounding)])


steps_lengthen_a_filter.rejects("norm said to be conserved", STEPS, factor=0.0)
steps_lengthen_a_filter.rejects("growth × 1.001", STEPS, factor=1.001)
steps_lengthen_a_filter.rejects("growth 1e-8 larger", STEPS, factor=1 + 1e-8)
steps_lengthen_a_filter.excludes("no step", replace(STEPS, lr=0.0), "lr >")
steps_lengthen_a_filter.excludes("eps = 0.3", replace(STEPS, eps=0.3), "eps = 0")
steps_lengthen_a_filter.excludes("a bias", replace(BIASED, lr=0.1), "no bias before a ReLU")
steps_lengthen_a_filter.excludes(
    "a node that is always shut", replace(SHUT, lr=0.1), "σ / max |f| at every node"
)
steps_lengthen_a_filter.includes("steps of 1e-6", replace(STEPS, lr=1e-6))
steps_lengthen_a_filter.rejects("a bias before the ReLU", replace(STEPS, placement="relu_bn", biased=True))


@steps_lengthen_a_filter.drawn_by
def growth_over_the_steps(verdict: Verdict) -> Figure:
    """Growth of the squared norms over 200 steps, beside the summed squares of the steps."""
    figure = Figure(figsize=(5, 3.2), layout="constrained")
    axes = figure.subplots()
    counts = [1, 2, 5, 10, 20, 50, 100, 200]
    runs = [trained(replace(STEPS, steps=count)) for count in counts]
    for node in range(len(runs[0][0])):
        line = axes.loglog(counts, [float(summed[node]) for _, summed, _ in runs])[0]
        axes.loglog(counts, [float(growth[node]) for growth, _, _ in runs], "o", ms=3, color=line.get_color())
    axes.set(
        xlabel="steps T (step size 0.1)",
        ylabel="‖w_j‖² − ‖w_j(0)‖²",
        title="points: measured, lines: η² Σ ‖∇‖²",
    )
    return figure
