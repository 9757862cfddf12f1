"""Section 5.3, winners-take-all: the student with the advantage takes the whole teacher."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from verify.judging import SEARCH, SPECIALIZATION, Context, Evidence, Item, Source
from verify.mathematics.runs.rivals import AGREEMENT, FOUR, UNEVEN, Rivals
from verify.specialization import VERSION

WINNERS_TAKE_ALL = Item(
    "specialization.winners_take_all",
    Source(
        SPECIALIZATION,
        "paragraph on symmetry breaking, its potential winners-take-all mechanism",
        "the paper has words only; dynamics and formula are ours",
        version=VERSION,
        section="5.3",
    ),
)


@WINNERS_TAKE_ALL.claim(
    "reading",
    expected="holds",
    on=Rivals,
    examples=(FOUR, replace(UNEVEN, time=8.0)),
    cost=SEARCH.at_quick(20),
    compares=("share of the first student in all norms", "=", "logistic function of εt"),
)
def the_share_is_logistic(
    rivals: Rivals, context: Context, *, form: str = "multiplicative", pace: float = 1.0
) -> Evidence:
    """The winner takes all, our reading

    ẇ_k = ‖w_k‖ r_k, students along w*, r₁ = r + ε w*:
    ‖w₁‖ / Σ‖w_k‖ = 1/(1 + e^{−εt} Σ_{k>1} ‖w_k(0)‖/‖w₁(0)‖) → 1

    "Potential" in the paper, which gives no formula. Judged at finite times, where the loser is still resolved; the
    limit 1 is that of the formula. The winner is the one with the advantage, even when it starts smallest.
    """
    sizes = rivals.parts()[1]
    ends = np.abs(rivals.signed_norms(form, rivals.end))
    others = float(sizes[1:].sum() / sizes[0]) * float(np.exp(-pace * rivals.time))
    share = float(ends[0] / ends.sum())
    return Evidence.close(share, predicted=1 / (1 + others), tolerance=AGREEMENT * 10)


the_share_is_logistic.rejects("plain ẇ = r", UNEVEN, form="plain")
the_share_is_logistic.rejects("time 1e-5 longer", UNEVEN, pace=1 + 1e-5)
the_share_is_logistic.rejects("half the time", UNEVEN, pace=2.0)
