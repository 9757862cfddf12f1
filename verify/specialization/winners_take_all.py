"""Section 5.3, winners-take-all: the student with the advantage takes the whole teacher."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from verify.judging import SEARCH, SPECIALIZATION, Context, Evidence, Item, Source
from verify.mathematics.runs.rivals import AGREEMENT, FOUR, UNEVEN, Rivals

WINNERS_TAKE_ALL = Item(
    "specialization.winners_take_all",
    Source(SPECIALIZATION, "section 5.3, winners-take-all", "words only; formula derived"),
)


@WINNERS_TAKE_ALL.claim(
    "corrected",
    expected="holds",
    on=Rivals,
    examples=(FOUR, replace(UNEVEN, time=20.0)),
    cost=SEARCH.at_quick(20),
)
def the_share_is_logistic(
    rivals: Rivals, context: Context, *, form: str = "multiplicative", pace: float = 1.0
) -> Evidence:
    """The winner takes all

    ẇ_k = ‖w_k‖ r_k, students along w*, r₁ = r + ε w*:
    ‖w₁‖ / Σ‖w_k‖ = 1/(1 + e^{−εt} Σ_{k>1} ‖w_k(0)‖/‖w₁(0)‖) → 1
    """
    sizes = rivals.parts()[1]
    ends = np.abs(rivals.signed_norms(form, rivals.end))
    others = float(sizes[1:].sum() / sizes[0]) * float(np.exp(-pace * rivals.time))
    share = float(ends[0] / ends.sum())
    return Evidence.close(share, predicted=1 / (1 + others), tolerance=AGREEMENT * 10)


the_share_is_logistic.rejects("plain ẇ = r", UNEVEN, form="plain")
the_share_is_logistic.rejects("half the time", UNEVEN, pace=2.0)
