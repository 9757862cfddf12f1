"""After Theorem 7, the symmetric case: the larger of two students loses its lead, under w' = r only."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import numpy as np

from verify.judging import ALGEBRA, SPECIALIZATION, Assumption, Context, Evidence, Item, Source, drawn_fields
from verify.mathematics.runs.rivals import UNEVEN, Rivals
from verify.specialization import VERSION

FEEDBACK = Item(
    "specialization.theorem7.feedback",
    Source(
        SPECIALIZATION,
        "the simple and symmetric case after Theorem 7",
        "dynamics and condition added; formulas lost",
        version=VERSION,
        section="5.3",
    ),
)

light_rivals = drawn_fields(
    Rivals,
    total=st.sampled_from([1.0, 0.5, 2.0]).map(lambda total: min(total, 0.9)),
    smallest=st.sampled_from((0.5, 0.1, 0.9)),
)
"""Weights that add up to less than ``||w*|| = 1``, different norms."""


def light_and_uneven(rivals: Rivals) -> tuple[Assumption, ...]:
    """The students have not reached the target yet, and differ in size."""
    _, sizes, weights, _ = rivals.parts()
    return (
        Assumption.below("Σ a‖w‖ / ‖w*‖", float(weights @ sizes), 1),
        Assumption.below("norms that differ: smallest / largest", rivals.smallest, 1 - 1e-6),
    )


@FEEDBACK.claim(
    "corrected",
    expected="holds",
    on=Rivals,
    draw=light_rivals,
    assume=light_and_uneven,
    examples=(UNEVEN,),
    cost=ALGEBRA,
    compares=("drift of ln of the larger norm over the smaller", "=", "−‖r‖ |1/‖w₁‖ − 1/‖w_n‖|, negative"),
)
def the_lead_shrinks(
    rivals: Rivals, context: Context, *, form: str = "plain", factor: float = 1.0
) -> Evidence:
    """Negative feedback in the symmetric case, under ẇ = r only

    ẇ_k = r for all k, students along w*, Σ a_k‖w_k‖ < ‖w*‖:
    d ln(‖w₁‖/‖w₂‖)/dt = ‖r‖ (1/‖w₁‖ − 1/‖w₂‖) < 0 iff ‖w₁‖ > ‖w₂‖

    The paper claims this feedback and exponential symmetry breaking of one system. No single form has both: ẇ = r has
    the feedback and linear growth, ẇ = ‖w‖r exponential growth and no feedback.
    """
    # The first and the last student, without a boost; measured is the flow's own field at the start.
    target, sizes, weights, _ = rivals.parts()
    flow = rivals.flow(form, boosted=False)
    speed = target @ flow.unpack(flow(0.0, flow.initial_state()))["W"]
    drift = float(speed[0] / sizes[0] - speed[-1] / sizes[-1]) * float(np.sign(sizes[0] - sizes[-1]))
    pull = 1 - float(weights @ sizes)
    predicted = -factor * pull * abs(1 / sizes[0] - 1 / sizes[-1])
    rounding = 1e-14 * (1 + 1 / sizes.min())
    return Evidence(
        predicted=predicted,
        measured=drift,
        margin=min(-drift, rounding - abs(drift - predicted)),
        tolerance=rounding,
    )


the_lead_shrinks.rejects("multiplicative: ratios stand still", UNEVEN, form="multiplicative")
the_lead_shrinks.rejects("Σ a‖w‖ > ‖w*‖", replace(UNEVEN, total=3.0))
the_lead_shrinks.rejects("feedback 1e-12 stronger", UNEVEN, factor=1 + 1e-12)
the_lead_shrinks.excludes("a sum past the target", replace(UNEVEN, total=3.0), "Σ a‖w‖ / ‖w*‖")
the_lead_shrinks.excludes("equal norms", replace(UNEVEN, smallest=1.0), "norms that differ")
the_lead_shrinks.includes("a sum just short of the target", replace(UNEVEN, total=1.5))
