"""Theorem 2 (Eqn 6) for any depth: what it says under Assumption 1, and how far it is from the gradient without it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np
from torch import Tensor

from nets.matrix_form.layered import LayeredNetwork
from nets.matrix_form.separation import separate
from verify.judging import (
    LUCK_MATTERS,
    Assumption,
    Budget,
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
from verify.mathematics.families.layered_pairs import Widths, hidden_widths
from verify.mathematics.families.separated_inputs import FAMILIES, separated_pair
from verify.mathematics.separation_gap import (
    TOLERANCE,
    autograd_gradients,
    contracted,
    gap_tensors,
    largest_error,
    rounding_scales,
)

EQUATION = "Ẇ_l = L*_l W*_l H*ᵀ_{l+1} − L_l W_l H_{l+1},   H = E[β] ∘ D"


# Without Assumption 1


def unconditional_evidence(pair: IntegerPair, context: Context) -> Evidence:
    """Eqn 6 against autograd, all layers, on an empirical measure."""
    student, teacher, x = pair.tensors()
    separation = separate(student, teacher, x)
    error = largest_error(
        autograd_gradients(student, teacher, x),
        separation.separated().total,
        rounding_scales(student, teacher, x),
    )
    return Evidence.at_most(error, bound=0.0, tolerance=TOLERANCE)


def unconditional_confirm(pair: IntegerPair) -> Evidence:
    """Both sides in fractions; the gradient by exact central differences."""
    rational = pair.rational()
    errors = [
        np.abs(rational.gradient(level) - rational.separated(level)).max() for level in range(pair.depth)
    ]
    return Evidence.at_most(float(max(errors)), bound=0.0, tolerance=0.0)


# Under Assumption 1


@dataclass(frozen=True)
class SeparatedPair:
    """A pair on inputs that may make Assumption 1 exact; ``inputs_from`` names the family (see FAMILIES)."""

    inputs_from: str = "one sample"
    inputs: int = 2
    hidden: Widths = ((2, 1),)
    outputs: int = 1
    samples: int = 4
    seed: int = 0

    def tensors(self) -> tuple[LayeredNetwork, LayeredNetwork, Tensor]:
        """Student, teacher and inputs ``(N, d)``."""
        return separated_pair(
            self.inputs_from,
            self.inputs,
            self.hidden,
            self.outputs,
            self.samples,
            np.random.default_rng(self.seed),
        )


def relative_gap_tensor(pair: SeparatedPair) -> float:
    """The largest entry of the gap over the largest entry of its layer's separated product, worst layer."""
    student, teacher, x = pair.tensors()
    separation = separate(student, teacher, x)
    worst = 0.0
    for level, gaps in enumerate(gap_tensors(separation, x)):
        for gap, moments in zip(gaps, (separation.to_teacher, separation.own), strict=True):
            scale = float(moments.H(level).abs().max() * moments.L[level].abs().max())
            worst = max(worst, float(gap.abs().max()) / scale if scale else float(gap.abs().max()))
    return worst


def separation_holds(pair: SeparatedPair) -> tuple[Assumption, ...]:
    """The Assumption-1 gap is zero to rounding."""
    return (Assumption("Assumption 1 (gap below rounding)", 1e-12 - relative_gap_tensor(pair)),)


def conditional_evidence(pair: SeparatedPair, context: Context) -> Evidence:
    """Eqn 6 against autograd, all layers, where Assumption 1 holds."""
    student, teacher, x = pair.tensors()
    separation = separate(student, teacher, x)
    exact = autograd_gradients(student, teacher, x)
    largest = max(float(g.abs().max()) for g in exact)
    error = largest_error(exact, separation.separated().total, rounding_scales(student, teacher, x))
    return Evidence.at_most(error, bound=0.0, tolerance=TOLERANCE, largest_gradient=largest)


def separated_pairs(
    budget: Budget, families: Sequence[str] = tuple(FAMILIES)
) -> st.SearchStrategy[SeparatedPair]:
    """Two to five weight matrices of width up to 4 on any of the ``families`` of inputs."""
    return st.builds(
        SeparatedPair,
        inputs_from=st.sampled_from(families),
        inputs=st.integers(1, 4),
        hidden=hidden_widths((2, 5), 4),
        outputs=st.integers(1, 3),
        samples=st.integers(1, 6),
        seed=st.integers(0, 2**16),
    )


# The error of Eqn 6 in general


def identity_evidence(pair: SeparatedPair, context: Context, factor: float = 1.0) -> Evidence:
    """Autograd against Eqn 6 plus the contracted gap: equal on any inputs."""
    student, teacher, x = pair.tensors()
    separation = separate(student, teacher, x)
    missing = contracted(separation, gap_tensors(separation, x))
    claimed = [a + factor * b for a, b in zip(separation.separated().total, missing, strict=True)]
    exact = autograd_gradients(student, teacher, x)
    scales = rounding_scales(student, teacher, x)
    gap = largest_error(exact, separation.separated().total, scales)
    return Evidence.at_most(
        largest_error(exact, claimed, scales), bound=0.0, tolerance=TOLERANCE, relative_error_of_eqn_6=gap
    )


GENERIC = SeparatedPair("generic", 3, ((3, 2), (4, 3), (2, 2)), 2, 6, 1)
EXAMPLES = (
    SeparatedPair("one sample", 3, ((4, 2), (3, 3), (2, 4)), 2, 1, 3),
    SeparatedPair("constant gates", 4, ((4, 2), (4, 3), (4, 2), (3, 3)), 3, 6, 0),
    SeparatedPair("switch", 4, ((4, 3),), 2, 6, 0),
)

_WITNESS = IntegerPair(samples=3, largest=3, seed=1)
_DEEP_WITNESS = IntegerPair(3, ((3, 2), (2, 3)), 2, 4, 9, 5)

DEEP = Statement(
    key="luckmatters.theorem2.deep",
    form=Form.PRINTED,
    title="Eqn 6 as the gradient dynamics of a deep ReLU network",
    claim=EQUATION + "\nread as a property of ReLU networks, without Assumption 1",
    source=Source(LUCK_MATTERS, "Theorem 2, Eqn 6", "used in section 3 without its assumption"),
    expected=Outcome.REFUTED,
    instance_type=IntegerPair,
    instances=lambda budget: integer_pairs((2, 4)),
    assumptions=off_the_kinks,
    evidence=unconditional_evidence,
    confirm=unconditional_confirm,
    controls=(
        Control("two samples, one layer of ReLU", lambda context: unconditional_evidence(_WITNESS, context)),
        Control(
            "a single sample separates all expectations",
            lambda context: unconditional_evidence(dataclasses.replace(_DEEP_WITNESS, samples=1), context),
            must_hold=True,
        ),
    ),
    cost=Cost(100, 300, 1000),
    remark="Two inputs on a line and one node on either side are enough: the gate selects which inputs count, so "
    "E[f'f* xx] is not E[f'f'*] E[xx]. The difference is measured under Assumption 1; with all "
    "networks and inputs drawn at random it is of the size of the gradient itself.",
)

CONDITIONAL = Statement(
    key="luckmatters.theorem2",
    form=Form.PRINTED,
    title="Gradient dynamics under separation of expectations",
    claim=EQUATION + "\nif Assumption 1 holds (H* enters transposed: it is student × teacher)",
    source=Source(LUCK_MATTERS, "Theorem 2, Eqn 6", "transpose restored"),
    expected=Outcome.HOLDS,
    instance_type=SeparatedPair,
    instances=separated_pairs,
    assumptions=separation_holds,
    evidence=conditional_evidence,
    controls=(
        Control(
            "generic inputs (Assumption 1 broken)", lambda context: conditional_evidence(GENERIC, context)
        ),
    ),
    examples=EXAMPLES,
    cost=Cost(100, 1000, 10_000),
    remark="Assumption 1 is exact for a single sample, where all gates are the same for every input (a deep linear "
    "network on its open paths), and for a hidden layer whose gates all listen to one coordinate of fixed size. "
    "Networks and inputs drawn at random break it and are counted as vacuous.",
)

IDENTITY = Statement(
    key="luckmatters.theorem2",
    form=Form.CORRECTED,
    title="The gradient is Eqn 6 plus the contracted Assumption-1 gap",
    claim="Ẇ_l = L*_l W*_l H*ᵀ_{l+1} − L_l W_l H_{l+1} + Σ w*_{j°k°} Δ*_{jj°kk°} − Σ w_{j'k'} Δ_{jj'kk'}\n"
    "Δ = E[β f'f' ff] − E[β] E[f'f'] E[ff],   any input, any depth",
    source=Source(LUCK_MATTERS, "Theorem 2, Eqns 6 and 15", "the remainder kept"),
    expected=Outcome.HOLDS,
    instance_type=SeparatedPair,
    instances=lambda budget: separated_pairs(budget, ("generic", "switch")),
    evidence=identity_evidence,
    controls=(
        Control("gap left out", lambda context: identity_evidence(GENERIC, context, factor=0.0)),
        Control("gap with the other sign", lambda context: identity_evidence(GENERIC, context, factor=-1.0)),
    ),
    examples=(GENERIC, *EXAMPLES),
    cost=Cost(60, 600, 10_000),
    remark="Needs no assumption: what Eqn 6 leaves out is the gap summed as in Eqn 15, so Eqn 6 is exact where the "
    "gap vanishes and wrong by exactly this much elsewhere.",
)
