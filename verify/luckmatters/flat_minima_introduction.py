"""Flat minima (introduction): is the output insensitive to every weight of an unlucky node?"""

from __future__ import annotations

import mpmath as mp

from dynamics.two_layer.observables import population_loss
from verify.judging import ALGEBRA, LUCK_MATTERS, Context, Evidence, Item, Source
from verify.mathematics.families.solved_students import Solved

UNLUCKY = Item(
    "luckmatters.introduction.flat_minima",
    Source(LUCK_MATTERS, "paragraph 'Flat minima'", version="v4", section="1"),
)

MINIMAL = 0.01
"""'Minimal change in output': at most this share of the change that the same step makes at a lucky node."""

STEP = 0.1


def change_by_fan_out(instance: Solved, node: int) -> float:
    """Loss after a step in one entry of the fan-out of one node of the solved network."""
    problem = instance.problem()
    V = problem.student_V.copy()
    V[node, 0] += STEP
    return float(population_loss(problem, problem.student_W, V))


def change_by_fan_in(instance: Solved, node: int) -> float:
    """The same for a step in one entry of the fan-in."""
    problem = instance.problem()
    W = problem.student_W.copy()
    W[0, node] += STEP
    return abs(float(population_loss(problem, W, problem.student_V)))


@UNLUCKY.claim(
    "reading",
    expected="refuted",
    on=Solved,
    cost=ALGEBRA.at_quick(60),
    compares=(
        "loss of a step in an unlucky fan-out over that at a lucky one",
        "≤",
        "0.01, our bound for minimal",
    ),
    telling=lambda instance: instance.extra > instance.m,
    note="our reading, stronger than the paper's 'most dimensions': every dimension, fan-outs too",
)
def unlucky_weights_hardly_matter(
    instance: Solved, context: Context, *, lucky: bool = False, fan_in: bool = False
) -> Evidence:
    """Flat minima: all directions of unlucky nodes

    Movement along the dimensions of unlucky nodes (fan-in and fan-out) results in minimal change in output

    Only the fan-in of an unlucky node is flat. Its fan-out has curvature E f_k² = ½ (unit columns), the same as that of
    a lucky node: a step there changes the output just as much. Of n (d + c) weights (n − m) d + m directions are flat,
    most of them only if c is small against d.
    """
    # Judged on the fan-out of the first unlucky node, against the same step at the first lucky one.
    node = 0 if lucky else instance.m
    at_lucky = change_by_fan_out(instance, 0)
    moved = change_by_fan_in(instance, node) if fan_in else change_by_fan_out(instance, node)
    return Evidence.at_most(
        moved / at_lucky, bound=MINIMAL, tolerance=0.0, loss_lucky=at_lucky, loss_unlucky=moved
    )


@unlucky_weights_hardly_matter.confirmed_precisely(digits=30)
def by_quadrature(instance: Solved, *, fan_in: bool = False) -> Evidence:
    """The step costs ½ ε² ‖w‖⁻² E[relu(w.x)²] at column w, lucky or not, and nothing in a fan-in with fan-out 0."""
    with mp.workdps(30):
        second_moment = mp.quad(lambda s: s**2 * mp.npdf(s), [0, 4, 8, 20])  # of w.x / ||w||
        problem = instance.problem()
        norms = [mp.fsum(mp.mpf(x) ** 2 for x in problem.student_W[:, j]) for j in (0, instance.m)]
        lucky, unlucky = (mp.mpf("0.005") * second_moment * norm for norm in norms)
        if fan_in:  # the loss contains that column only through its fan-out
            unlucky *= mp.fsum(mp.mpf(x) ** 2 for x in problem.student_V[instance.m])
        return Evidence.at_most(float(unlucky / lucky), bound=MINIMAL, tolerance=0.0)


unlucky_weights_hardly_matter.rejects("a lucky node", Solved(), lucky=True)
unlucky_weights_hardly_matter.accepts("the fan-in only", Solved(), fan_in=True)

unlucky_weights_hardly_matter.errs(
    says="v4, section 1, 'Flat minima': movement along most dimensions ('unlucky nodes') results in minimal "
    "change in output",
    true="only the fan-ins of unlucky nodes are flat: (n − m)d + m of n(d + c) directions at the limit; a dead "
    "node's fan-out is as stiff as a lucky one's (curvature ½)",
    impact="none",
    matters="most dimensions are flat only if c is small against d",
)
