"""The kink identity, two layers: what the lost lemmas on ReLU independence come down to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.boundaries import aligned, visibility
from dynamics.two_layer.relu_network import TwoLayerNetwork
from dynamics.two_layer.residual_kinks import kink_coefficient
from verify.judging import Assumption, Context, Control, Cost, Evidence, Form, Outcome, Statement
from verify.mathematics.families.two_layer_pairs import ArbitraryPair, Drawn, arbitrary_pairs, draw_arbitrary
from verify.specialization.sources import DERIVED, source

Coefficient = Callable[[Array, TwoLayerNetwork, TwoLayerNetwork], Array]

IDENTITY_TERMS = 4
"""|1| + |-2| + |1| residuals enter a second difference, each with its rounding."""


def triples(drawn: Drawn, rng: np.random.Generator, stretch: float = 1.0) -> list[tuple[Array, Array, float]]:
    """For every node with a visible boundary: its column, three points across it, and eta.

    eta is 0.9 of the clearance of the clearest candidate, times ``stretch`` (1 but for a control).
    """
    found = []
    for column, visible in zip(drawn.columns.T, visibility(drawn.region, drawn.columns), strict=True):
        if visible <= 0:
            continue
        points = drawn.points(column, rng)
        if len(points.x) == 0 or points.clearance.max() <= 0:
            continue
        best = int(points.clearance.argmax())
        eta = 0.9 * stretch * float(points.clearance[best])
        found.append((column, points.triple(best, eta), eta))
    return found


def visible_nodes(instance: ArbitraryPair) -> tuple[Assumption, ...]:
    """Some node's boundary meets the region."""
    drawn = draw_arbitrary(instance)
    return (Assumption("some boundary visible", float(visibility(drawn.region, drawn.columns).max())),)


def identity(
    instance: ArbitraryPair,
    context: Context,
    coefficient: Coefficient = kink_coefficient,
    stretch: float = 1.0,
) -> Evidence:
    """Second difference of the residual against ``(1 - slope) eta kappa``, every node, every output."""
    drawn = draw_arbitrary(instance)
    worst, largest = 0.0, 0.0
    for column, x, eta in triples(drawn, context.rng(instance.seed, 1), stretch):
        r = drawn.residual(x)
        predicted = (1 - instance.slope) * eta * coefficient(column, drawn.teacher, drawn.student)
        worst = max(worst, float(np.abs(r[0] - 2 * r[1] + r[2] - predicted).max()))
        largest = max(largest, float(np.abs(predicted).max()))
    return Evidence.at_most(worst, bound=0.0, tolerance=IDENTITY_TERMS * drawn.rounding, largest_kink=largest)


def bound(instance: ArbitraryPair, context: Context, constant: float = 0.25) -> Evidence:
    """Largest ``|v_k^T r|`` at the three points against ``constant (1 - slope) eta |v_k^T kappa|``, worst pair.

    For every student k and every boundary; where k is active at the three points the left side is |g_k|.
    """
    drawn = draw_arbitrary(instance)
    worst = Evidence(predicted=0.0, measured=0.0, margin=0.0)
    ratio = np.inf
    tolerance = drawn.rounding * float(np.abs(drawn.student.V).sum(axis=1).max())
    for column, x, eta in triples(drawn, context.rng(instance.seed, 1)):
        pulls = np.abs(drawn.student.V @ drawn.residual(x).T).max(axis=1)
        kappa = kink_coefficient(column, drawn.teacher, drawn.student)
        least = constant * (1 - instance.slope) * eta * np.abs(drawn.student.V @ kappa)
        for pull, needed in zip(pulls, least, strict=True):
            if needed > tolerance and pull / needed < ratio:
                ratio = float(pull / needed)
                worst = Evidence(
                    predicted=float(needed),
                    measured=float(pull),
                    margin=float(pull - needed + tolerance),
                    tolerance=tolerance,
                )
    return worst


def positive_multiples_only(node: Array, teacher: TwoLayerNetwork, student: TwoLayerNetwork) -> Array:
    """Altered kappa: only positive multiples of the node's column are summed, as Definition 3 has it."""
    total = np.zeros(teacher.V.shape[-1])
    for network, sign in ((teacher, 1.0), (student, -1.0)):
        same = aligned(network.augmented, node[:, None])[:, 0]
        total += sign * (network.fan_in_norms * same) @ network.V
    return total


def norms_with_bias(node: Array, teacher: TwoLayerNetwork, student: TwoLayerNetwork) -> Array:
    """Altered kappa: norms of the fan-ins with their bias."""
    factor = np.linalg.norm(node) / np.linalg.norm(node[:-1])
    return np.asarray(kink_coefficient(node, teacher, student) * factor)


def tent(context: Context) -> Evidence:
    """A residual of -eta/4, eta/4, -eta/4 across the kink: the constant 1/4 is attained."""
    drawn = draw_arbitrary(ArbitraryPair())
    x0 = -drawn.teacher.b / drawn.teacher.W[0]
    norm = abs(float(drawn.teacher.W[0, 0]))
    eta = 0.5 * float(drawn.region.depth(x0[None])[0])
    sign = float(np.sign(drawn.teacher.W[0, 0]))
    student = replace(
        drawn.student,  # one always-active node: the best affine approximation of the teacher on x0 +- eta
        W=np.array([[0.5 * norm * sign]]),
        b=-0.5 * norm * sign * x0 + 100.0,
        V=np.array([[1.0]]),
        c=np.array([norm * eta / 4 - 100.0]),
    )
    teacher = replace(drawn.teacher, V=np.array([[1.0]]), c=np.zeros(1))
    r = (teacher(x0 + np.array([[-eta], [0.0], [eta]])) - student(x0 + np.array([[-eta], [0.0], [eta]])))[
        :, 0
    ]
    needed = 0.26 * eta * norm
    measured = float(np.abs(r).max())
    return Evidence(predicted=needed, measured=measured, margin=measured - needed)


RICH = ArbitraryPair(d=3, outputs=2, teachers=3, students=5, colinear=3, seed=1)

IDENTITY = Statement(
    key="specialization.kink",
    form=Form.SHARP,
    title="Kink identity, two layers",
    claim="""r(x₀+ηn) − 2r(x₀) + r(x₀−ηn) = (1−s) η κ_j   (r = f*−f, slope s)
κ_j = Σ_{teachers i co-linear with j} v*_i‖w*_i‖ − Σ_{students k co-linear with j} v_k‖w_k‖""",
    source=source("behind Theorems 2 to 5 (appendix Lemmas 2, 3 and 6)", DERIVED),
    expected=Outcome.HOLDS,
    instance_type=ArbitraryPair,
    instances=arbitrary_pairs,
    assumptions=visible_nodes,
    evidence=identity,
    controls=(
        Control("positive multiples only", lambda c: identity(RICH, c, positive_multiples_only)),
        Control("norms that include the bias", lambda c: identity(RICH, c, norms_with_bias)),
        Control("η five times the clearance", lambda c: identity(RICH, c, stretch=5.0)),
    ),
    examples=(ArbitraryPair(), RICH, replace(RICH, slope=0.1)),
    cost=Cost(100, 1000, 10_000),
    remark="x₀ on the boundary of node j, n its unit normal, η below the distance of x₀ to every other "
    "boundary. "
    "Co-linear means a multiple of either sign; norms are without the bias. Holds for any weights, "
    "critical or not.",
)

BOUND = Statement(
    key="specialization.kink.bound",
    form=Form.SHARP,
    title="A kink that is not cancelled shows in the gradient",
    claim="max over x₀−ηn, x₀, x₀+ηn of |v_kᵀ r| ≥ (1−s) η |v_kᵀ κ_j| / 4;  for a student k active there "
    "this is |g_k|",
    source=source("behind Theorems 2 to 5", DERIVED),
    expected=Outcome.HOLDS,
    instance_type=ArbitraryPair,
    instances=arbitrary_pairs,
    assumptions=visible_nodes,
    evidence=bound,
    controls=(Control("0.26 in place of 1/4, where 1/4 is attained", tent),),
    examples=(ArbitraryPair(), RICH),
    cost=Cost(100, 1000, 10_000),
    remark="1/4 is the best constant: an affine student whose residual at the three points is −η/4, η/4, "
    "−η/4 (for "
    "|v_k^T κ| = 1) attains it.",
)
