"""The kink identity, two layers: what the lost lemmas on ReLU independence come down to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.boundaries import aligned, visibility
from dynamics.two_layer.critical.relu_network import TwoLayerNetwork
from dynamics.two_layer.critical.residual_kinks import kink_coefficient
from verify.judging import (
    ALGEBRA,
    SPECIALIZATION,
    Assumption,
    CannotJudgeError,
    Context,
    Evidence,
    Item,
    Source,
)
from verify.mathematics.families.two_layer_pairs import ArbitraryPair, NetworkPair
from verify.mathematics.kinks.nearly_attained import just_below
from verify.mathematics.kinks.quarter import tent
from verify.mathematics.kinks.worst_place import nearest_to_failing
from verify.specialization import DERIVED, VERSION

KINK = Item(
    "specialization.kink",
    Source(
        SPECIALIZATION,
        "behind Theorems 2 to 5 (appendix Lemmas 2, 3 and 6)",
        DERIVED,
        version=VERSION,
        section="4.3",
    ),
)

IDENTITY_TERMS = 4
"""|1| + |-2| + |1| residuals enter a second difference, each with its rounding."""

RICH = ArbitraryPair(d=3, outputs=2, teachers=3, students=5, colinear=3, seed=1)


def triples(
    networks: NetworkPair, rng: np.random.Generator, stretch: float = 1.0
) -> list[tuple[Array, Array, float]]:
    """For every node with a visible boundary: its column, three points across it, and eta.

    eta is 0.9 of the clearance of the clearest candidate, times ``stretch`` (1 but for a control).
    """
    found = []
    for column, visible in zip(
        networks.columns.T, visibility(networks.region, networks.columns), strict=True
    ):
        if visible <= 0:
            continue
        points = networks.points(column, rng)
        if len(points.x) == 0 or points.clearance.max() <= 0:
            continue
        clearest = int(points.clearance.argmax())
        eta = 0.9 * stretch * float(points.clearance[clearest])
        found.append((column, points.triple(clearest, eta), eta))
    return found


def visible_nodes(pair: ArbitraryPair) -> tuple[Assumption, ...]:
    """Some node's boundary meets the region."""
    networks = pair.networks()
    visible = float(visibility(networks.region, networks.columns).max())
    return (Assumption.above("some boundary visible: reach", visible, 0),)


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


KAPPA = {
    "of the claim": kink_coefficient,
    "positive multiples": positive_multiples_only,
    "norms with bias": norms_with_bias,
}


@KINK.claim(
    "sharp",
    expected="holds",
    on=ArbitraryPair,
    assume=visible_nodes,
    examples=(ArbitraryPair(), RICH, replace(RICH, slope=0.1)),
    cost=ALGEBRA,
    compares=("largest error of the second difference of r", "≤", "rounding"),
)
def kink_identity(
    pair: ArbitraryPair,
    context: Context,
    *,
    kappa: str = "of the claim",
    stretch: float = 1.0,
    factor: float = 1.0,
) -> Evidence:
    """Kink identity, two layers

    r(x₀+ηn) − 2r(x₀) + r(x₀−ηn) = (1−s) η κ_j   (r = f*−f, slope s)
    κ_j = Σ_{teachers i co-linear with j} v*_i‖w*_i‖ − Σ_{students k co-linear with j} v_k‖w_k‖

    x₀ on the boundary of node j, n its unit normal, η below the distance of x₀ to every other boundary.
    Co-linear means a multiple of either sign; norms are without the bias. Holds for any weights,
    critical or not.
    """
    networks = pair.networks()
    places = triples(networks, context.rng(pair.seed, 1), stretch)
    if not places:
        raise CannotJudgeError("no boundary was found with a clearance")
    worst, largest = 0.0, 0.0
    for column, x, eta in places:
        r = networks.residual(x)
        bent = factor * (1 - pair.slope) * eta
        predicted = bent * KAPPA[kappa](column, networks.teacher, networks.student)
        worst = max(worst, float(np.abs(r[0] - 2 * r[1] + r[2] - predicted).max()))
        largest = max(largest, float(np.abs(predicted).max()))
    tolerance = IDENTITY_TERMS * networks.rounding
    return Evidence.at_most(worst, bound=0.0, tolerance=tolerance, largest_kink=largest)


kink_identity.rejects("positive multiples only", RICH, kappa="positive multiples")
kink_identity.rejects("norms that include the bias", RICH, kappa="norms with bias")
kink_identity.rejects("a kink larger by 1e-11 of itself", RICH, factor=1 + 1e-11)
kink_identity.includes("one node each", ArbitraryPair())
kink_identity.rejects("η five times the clearance", RICH, stretch=5.0)


@KINK.claim(
    "sharp",
    part="bound",
    expected="holds",
    on=ArbitraryPair,
    assume=visible_nodes,
    examples=(ArbitraryPair(), RICH),
    cost=ALGEBRA,
    place="behind Theorems 2 to 5",
    compares=("largest |v_kᵀ r| at the three points", "≥", "(1−s) η |v_kᵀ κ| / 4"),
)
def kinks_show_in_the_gradient(pair: ArbitraryPair, context: Context, *, scale: float = 1.0) -> Evidence:
    """A kink that is not cancelled shows in the gradient

    max over x₀−ηn, x₀, x₀+ηn of |v_kᵀ r| ≥ (1−s) η |v_kᵀ κ_j| / 4;  for a student k active there this is |g_k|

    1/4 is the best constant: an affine student whose residual at the three points is −η/4, η/4, −η/4 (for
    |v_k^T κ| = 1) attains it.
    """
    # Judged for every student and every boundary, not only where the student is active.
    networks = pair.networks()
    V = networks.student.V
    found = []
    tolerance = networks.rounding * float(np.abs(V).sum(axis=1).max())
    for column, x, eta in triples(networks, context.rng(pair.seed, 1)):
        pulls = scale * np.abs(V @ networks.residual(x).T).max(axis=1)
        kappa = kink_coefficient(column, networks.teacher, networks.student)
        least = (1 - pair.slope) * eta * np.abs(V @ kappa) / 4
        for pull, needed in zip(pulls, least, strict=True):
            if needed > tolerance:
                margin = float(pull - needed + tolerance)
                found.append(
                    Evidence(
                        predicted=float(needed), measured=float(pull), margin=margin, tolerance=tolerance
                    )
                )
    return nearest_to_failing(found, "no kink has a bound above its rounding")


kinks_show_in_the_gradient.rejects_variant(
    "0.26 in place of 1/4, where 1/4 is attained", tent, ArbitraryPair(), constant=0.26
)
kinks_show_in_the_gradient.rejects_variant(
    "leaky nodes without 1 − s", tent, ArbitraryPair(slope=0.1), with_slope=False
)
kinks_show_in_the_gradient.rejects_variant(
    "gradients 1e-11 below the bound", just_below(kinks_show_in_the_gradient), ArbitraryPair(), share=1e-11
)
kinks_show_in_the_gradient.includes("one node each", ArbitraryPair())
