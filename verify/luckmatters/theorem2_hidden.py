"""What Theorem 2 leaves unsaid: the shape of H*, what E[beta] depends on, where it closes, the exact top layer."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from nets.matrix_form.layered import LayeredNetwork
from nets.matrix_form.separation import LayerGradients, Separation, separate
from verify.judging import (
    LUCK_MATTERS,
    Assumption,
    Context,
    Control,
    Cost,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
)
from verify.mathematics.families.integer_pairs import IntegerPair, integer_pairs, off_the_kinks
from verify.mathematics.precise.rational_pairs import RationalPair
from verify.mathematics.separation_gap import TOLERANCE, autograd_gradients, largest_error, rounding_scales

EXAMPLES = Cost(80, 300, 1000)
"""The refuted forms stop at their first counterexample; exact arithmetic confirms it."""

# The transpose


def _equally_wide(pair: IntegerPair) -> tuple[Assumption, ...]:
    """Both are needed for the printed product to be defined and for Assumption 1 to be exact."""
    square = all(ours == theirs for ours, theirs in pair.hidden)
    return (Assumption("student as wide as the teacher", 1.0 if square else -1.0), *off_the_kinks(pair))


def _as_printed(separation: Separation) -> list[Tensor]:
    moments = separation.to_teacher
    pull = [moments.L[level] @ W @ moments.H(level) for level, W in enumerate(separation.teacher.weights)]
    return LayerGradients(pull, separation.separated().push).total


def orientation_evidence(pair: IntegerPair, context: Context, transpose: bool = False) -> Evidence:
    """Eqn 6 on a single sample, where Assumption 1 is exact, against autograd."""
    student, teacher, x = pair.tensors()
    separation = separate(student, teacher, x)
    claimed = separation.separated().total if transpose else _as_printed(separation)
    exact = autograd_gradients(student, teacher, x)
    return Evidence.at_most(
        largest_error(exact, claimed, rounding_scales(student, teacher, x)), bound=0.0, tolerance=TOLERANCE
    )


def orientation_confirm(pair: IntegerPair) -> Evidence:
    """The gradient against Eqn 6 with H* as printed, in fractions."""
    rational = pair.rational()
    errors = [
        np.abs(rational.gradient(level) - rational.separated(level, transpose=False)).max()
        for level in range(pair.depth)
    ]
    return Evidence.at_most(float(max(errors)), bound=0.0, tolerance=0.0)


_TWO_NODES = IntegerPair(2, ((2, 2),), 1, 1, 3, 0)

ORIENTATION = Statement(
    key="luckmatters.theorem2.orientation",
    form=Form.PRINTED,
    title="Eqn 6 with H* as printed",
    claim="Ẇ_l = L*_l W*_l H*_{l+1} − L_l W_l H_{l+1},   H* = [h_jj°] student × teacher,   no transpose",
    source=Source(LUCK_MATTERS, "Theorem 2, Eqn 6"),
    expected=Outcome.REFUTED,
    instance_type=IntegerPair,
    instances=lambda budget: integer_pairs((2, 3), samples=(1, 1), equal=True),
    assumptions=_equally_wide,
    evidence=orientation_evidence,
    confirm=orientation_confirm,
    controls=(
        Control("first of the examples", lambda context: orientation_evidence(_find_asymmetric(), context)),
        Control(
            "the same with the transpose",
            lambda context: orientation_evidence(_find_asymmetric(), context, transpose=True),
            must_hold=True,
        ),
    ),
    cost=EXAMPLES,
    remark="With n student and m teacher nodes L* W* is n_l × m_{l+1} and H* is n_{l+1} × m_{l+1}: the printed product "
    "is defined only for n = m, and is then wrong unless H* is symmetric, even on a single sample, "
    "where Assumption 1 is exact. Read H*ᵀ.",
)


def _find_asymmetric() -> IntegerPair:
    """The first seed whose two nodes on either side are all active and whose H* is not symmetric."""
    for seed in range(1000):
        pair = dataclasses.replace(_TWO_NODES, seed=seed)
        H = separate(*pair.tensors()).to_teacher.H(0)
        if bool(torch.any(H.mT != H)) and float(pair.tensors()[2].abs().min()) > 0:
            return pair
    raise ValueError("seed: expected an asymmetric H* among the first 1000 seeds, found none")


# What E[beta] depends on


def _reseeded_bottom(pair: IntegerPair) -> tuple[IntegerPair, LayeredNetwork, LayeredNetwork]:
    """The pair's student, and the same with another W_0."""
    student = pair.tensors()[0]
    other = dataclasses.replace(pair, seed=pair.seed + 1).tensors()[0]
    return pair, student, LayeredNetwork((other.weights[0], *student.weights[1:]))


def dependence_evidence(pair: IntegerPair, context: Context) -> Evidence:
    """How far E[beta_1], E[beta*_1] move when nothing but W_0 is replaced."""
    _, teacher, x = pair.tensors()
    before, after = (separate(net, teacher, x) for net in _reseeded_bottom(pair)[1:])
    moved = max(
        float((a.beta[0] - b.beta[0]).abs().max())
        for a, b in ((before.own, after.own), (before.to_teacher, after.to_teacher))
    )
    size = max(float(before.own.beta[0].abs().max()), float(after.own.beta[0].abs().max()))
    return Evidence.at_most(moved / size if size else moved, bound=0.0, tolerance=TOLERANCE)


def dependence_confirm(pair: IntegerPair) -> Evidence:
    """``E[beta]`` of the first hidden layer, in fractions, before and after only ``W_0`` changes."""
    rational = pair.rational()
    bottom = dataclasses.replace(pair, seed=pair.seed + 1).rational().student[0]
    changed = dataclasses.replace(rational, student=(bottom, *rational.student[1:]))
    moved = [
        np.abs(rational.averaged(0, ours)[0] - changed.averaged(0, theirs)[0]).max()
        for ours, theirs in ((rational.student, changed.student), (rational.teacher, changed.teacher))
    ]
    return Evidence.at_most(float(max(moved)), bound=0.0, tolerance=0.0)


_THREE_LAYERS = IntegerPair(2, ((3, 2), (3, 2)), 2, 4, 9, 3)

DEPENDENCE = Statement(
    key="luckmatters.theorem2.dependence",
    form=Form.PRINTED,
    title="β looks only upward",
    claim="E[β_{l+1}] and E[β*_{l+1}] depend only on the weights W_{l+1}, …, W_{l_max−1}",
    source=Source(LUCK_MATTERS, "Theorem 2, its last sentence"),
    expected=Outcome.REFUTED,
    instance_type=IntegerPair,
    instances=lambda budget: integer_pairs((2, 4)),
    evidence=dependence_evidence,
    confirm=dependence_confirm,
    controls=(
        Control("three weight matrices", lambda context: dependence_evidence(_THREE_LAYERS, context)),
        Control(
            "two weight matrices: β is V Vᵀ, a constant",
            lambda context: dependence_evidence(IntegerPair(2, ((3, 2),), 2, 4, 9, 3), context),
            must_hold=True,
        ),
    ),
    cost=EXAMPLES,
    remark="β_{l+1}(x) contains the gates of all layers above l+1, and those depend on every weight below: from three "
    "weight matrices on, replacing W_0 alone changes E[β_1]. True as printed of β as a function of the gates, and of "
    "the two highest layers.",
)

# Closing the hierarchy


def _closure_error(pair: IntegerPair, levels: Sequence[int]) -> float:
    """The largest ``E[beta_l] - W_l H_{l+1} W_l^T`` over ``levels``, relative to the largest E[beta]."""
    separation = separate(*pair.tensors())
    worst = 0.0
    for moments, closed in zip(
        (separation.to_teacher, separation.own), separation.closed_modulations(), strict=True
    ):
        for level in levels:
            exact, claimed = moments.beta[level - 1], closed[level - 1]
            size = float(torch.maximum(exact.abs().max(), claimed.abs().max()))
            error = float((exact - claimed).abs().max())
            worst = max(worst, error / size if size else error)
    return worst


def closure_evidence(pair: IntegerPair, context: Context) -> Evidence:
    """``E[beta_l]`` against ``W_l H_{l+1} W_l^T`` at every layer below the top."""
    return Evidence.at_most(_closure_error(pair, range(1, pair.depth)), bound=0.0, tolerance=TOLERANCE)


def closure_at_the_top(pair: IntegerPair, context: Context) -> Evidence:
    """The two highest hidden layers only: their upper neighbour's beta does not depend on x."""
    levels = range(max(1, pair.depth - 2), pair.depth)
    return Evidence.at_most(_closure_error(pair, levels), bound=0.0, tolerance=TOLERANCE)


def closure_confirm(pair: IntegerPair) -> Evidence:
    """The same differences in fractions."""
    rational = pair.rational()
    errors = [
        np.abs(rational.averaged(level - 1, other)[0] - _closed(rational, level, other)).max()
        for level in range(1, pair.depth)
        for other in (rational.student, rational.teacher)
    ]
    return Evidence.at_most(float(max(errors)), bound=0.0, tolerance=0.0)


def _closed(rational: RationalPair, level: int, other: Sequence[np.ndarray]) -> np.ndarray:
    beta, D, _ = rational.averaged(level, other)
    return np.asarray(rational.student[level] @ (beta * D) @ other[level].T)


_FOUR_LAYERS = IntegerPair(2, ((3, 2), (3, 3), (3, 2)), 2, 4, 9, 3)

CLOSURE = Statement(
    key="luckmatters.theorem2.closure",
    form=Form.PRINTED,
    title="Closing the hierarchy of E[β]",
    claim="E[β_l] = W_l H_{l+1} W_lᵀ,   E[β*_l] = W_l H*_{l+1} W*_lᵀ   at every layer",
    source=Source(LUCK_MATTERS, "Theorem 2", "implied: Eqn 6 is closed only with a rule for E[β]"),
    expected=Outcome.REFUTED,
    instance_type=IntegerPair,
    instances=lambda budget: integer_pairs((3, 4)),
    evidence=closure_evidence,
    confirm=closure_confirm,
    controls=(
        Control("four weight matrices", lambda context: closure_evidence(_FOUR_LAYERS, context)),
        Control(
            "three weight matrices", lambda context: closure_evidence(_THREE_LAYERS, context), must_hold=True
        ),
    ),
    cost=Cost(200, 500, 1000),
    remark="Eqn 6 needs E[β_l], and Eqn 3 gives it as W_l E[f'f'ᵀ ∘ β_{l+1}] W_lᵀ; to have H there is a second "
    "separation, E[f'f' β] = E[f'f'] E[β], which Assumption 1 does not contain. First false with four weight matrices.",
)

CLOSURE_TOP = Statement(
    key="luckmatters.theorem2.closure",
    form=Form.CORRECTED,
    title="The hierarchy of E[β] closes at the two highest hidden layers",
    claim="E[β_l] = W_l H_{l+1} W_lᵀ  for l = L−1 and l = L−2, of L weight matrices;  any input",
    source=Source(LUCK_MATTERS, "Theorem 2", "layers restricted"),
    expected=Outcome.HOLDS,
    instance_type=IntegerPair,
    instances=lambda budget: integer_pairs((2, 5), samples=(1, 8)),
    evidence=closure_at_the_top,
    controls=(Control("the lowest layer of four", lambda context: closure_evidence(_FOUR_LAYERS, context)),),
    examples=(_THREE_LAYERS, _FOUR_LAYERS),
    cost=Cost(100, 1000, 10_000),
    remark="β of the layer above is constant there (I at the top, W Wᵀ below it), so nothing has to be separated.",
)

# The top layer


def top_evidence(pair: IntegerPair, context: Context, level: int = -1) -> Evidence:
    """Eqn 6 at ``level`` (the top) against autograd."""
    student, teacher, x = pair.tensors()
    claimed = separate(student, teacher, x).separated().total[level]
    exact = autograd_gradients(student, teacher, x)[level]
    scale = rounding_scales(student, teacher, x)[level]
    return Evidence.at_most(largest_error([exact], [claimed], [scale]), bound=0.0, tolerance=TOLERANCE)


TOP = Statement(
    key="luckmatters.theorem2.top",
    form=Form.SHARP,
    title="The top layer is exact",
    claim="Ẇ_{L−1} = L*_{L−1} W*_{L−1} − L_{L−1} W_{L−1}  for any input and any depth, without Assumption 1",
    source=Source(LUCK_MATTERS, "Theorem 2, Eqn 6 at l = l_max − 1"),
    expected=Outcome.HOLDS,
    instance_type=IntegerPair,
    instances=lambda budget: integer_pairs((2, 5), samples=(1, 8)),
    evidence=top_evidence,
    controls=(Control("the layer below it", lambda context: top_evidence(_THREE_LAYERS, context, level=-2)),),
    examples=(_THREE_LAYERS, _FOUR_LAYERS),
    cost=Cost(100, 1000, 10_000),
    remark="Gates and β are constants at the top, so there is nothing to separate.",
)
