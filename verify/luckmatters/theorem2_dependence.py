"""What E[beta] depends on: by Theorem 2's last sentence on the weights above only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nets.matrix_form.layered import LayeredNetwork
from nets.matrix_form.separation import separate
from verify.judging import SEARCH, Context, Evidence
from verify.luckmatters.theorem2 import THEOREM2
from verify.mathematics.families.integer_pairs import THREE_MATRICES, IntegerPair
from verify.mathematics.gradients.separation_gap import absolute_separation, rounding_of

TWO_MATRICES = IntegerPair(2, ((3, 2),), 2, 4, 9, 3)


def with_two_bottoms(pair: IntegerPair) -> tuple[LayeredNetwork, LayeredNetwork]:
    """The pair's student, and the same with another W_0."""
    student = pair.tensors()[0]
    other = replace(pair, seed=pair.seed + 1).tensors()[0]
    return student, LayeredNetwork((other.weights[0], *student.weights[1:]))


def largest_modulation(pair: IntegerPair) -> float:
    """The largest entry of E[beta_1] with every term in absolute value, under either bottom layer."""
    _, teacher, x = pair.tensors()
    bounds = [absolute_separation(net, teacher, x) for net in with_two_bottoms(pair)]
    return max(float(side.beta[0].max()) for bound in bounds for side in (bound.own, bound.to_teacher))


@THEOREM2.claim(
    "printed",
    part="dependence",
    expected="refuted",
    on=IntegerPair,
    cost=SEARCH.at_quick(80),
    place="the sentence after Theorem 2: 'β_{l+1} and β*_{l+1} only depends on weights …'",
    compares=("largest change of E[β_1], relative to its terms, when only W_0 is replaced", "=", "none"),
    telling=lambda pair: pair.samples >= 3,
)
def beta_looks_only_upward(pair: IntegerPair, context: Context, *, factor: float = 1.0) -> Evidence:
    """β looks only upward

    E[β_{l+1}] and E[β*_{l+1}] depend only on the weights W_{l+1}, …, W_{l_max−1}

    β_{l+1}(x) contains the gates of all layers above l+1, and those depend on every weight below: from three weight
    matrices on, replacing W_0 alone changes E[β_1]. True as printed of β as a function of the gates, and of the two
    highest layers.
    """
    _, teacher, x = pair.tensors()
    nets = with_two_bottoms(pair)
    before, after = (separate(net, teacher, x) for net in nets)
    moved = max(
        float((a.beta[0] - factor * b.beta[0]).abs().max())
        for a, b in ((before.own, after.own), (before.to_teacher, after.to_teacher))
    )
    size = largest_modulation(pair)
    tolerance = rounding_of(nets[0], teacher, x)
    return Evidence.at_most(moved / size if size else moved, bound=0.0, tolerance=tolerance)


@beta_looks_only_upward.confirmed_precisely(digits=0)
def in_fractions(pair: IntegerPair) -> Evidence:
    """``E[beta]`` of the first hidden layer, in exact arithmetic, before and after only ``W_0`` changes."""
    rational = pair.rational()
    bottom = replace(pair, seed=pair.seed + 1).rational().student[0]
    changed = replace(rational, student=(bottom, *rational.student[1:]))
    moved = [
        np.abs(rational.averaged(0, ours)[0] - changed.averaged(0, theirs)[0]).max()
        for ours, theirs in ((rational.student, changed.student), (rational.teacher, changed.teacher))
    ]
    size = largest_modulation(pair)
    return Evidence.at_most(float(max(moved)) / size if size else float(max(moved)), bound=0.0, tolerance=0.0)


beta_looks_only_upward.errs(
    says="After Theorem 2 (v4, section 2): β_{l+1} and β*_{l+1} only depend on W_{l+1}, …, W_{l_max−1}.",
    true="False from three weight matrices on: β contains the gates of the layers above, which depend on every weight "
    "below. True of the two highest layers.",
    impact="substance",
    matters="No proof at hand uses the sentence; whoever takes upper layers to modulate lower ones and not the "
    "reverse relies on it.",
)
beta_looks_only_upward.rejects("three weight matrices", THREE_MATRICES)
beta_looks_only_upward.rejects("two weight matrices, E[β] 1e-11 larger", TWO_MATRICES, factor=1 + 1e-11)
beta_looks_only_upward.accepts("two weight matrices: β is V Vᵀ, a constant", TWO_MATRICES)
