"""Section 6, two-layer networks: nodes with weak specialisation have small fan-out weights."""

from __future__ import annotations

import numpy as np

from verify.effects import exceeds
from verify.specialization.experiments import Trained, run_of, trained
from verify.specialization.study import rank_correlation, specialisation_and_fan_out
from verify.statement import (
    SPECIALIZATION,
    Context,
    Control,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
)

SETTING = Trained(over_realisation=5, epochs=4)


def rank_evidence(instance: Trained, context: Context, sign: int = 1, shuffled: bool = False) -> Evidence:
    """Spearman's rank correlation, within each network, of a node's best correlation with its fan-out norm."""
    best, norm = specialisation_and_fan_out(run_of(instance, context.device))
    if shuffled:
        norm = context.rng(instance.seed, 1).permuted(norm, axis=-1)
    ranks = rank_correlation(best, sign * norm)
    return exceeds(
        ranks, 0.2 if shuffled else 0.0, context, least=float(ranks.min()),
        specialised_share=float(np.mean(best > 0.95)),
    )  # fmt: skip


STATEMENT = Statement(
    key="specialization.experiments.low_correlation",
    form=Form.CORRECTED,
    title="Low correlation goes with low fan-out",
    claim="Within a network, ‖v_k‖ grows with the best correlation max_j ρ_jk as a tendency\n"
    "(judged: mean over seeds of the rank correlation over student nodes > 0)",
    source=Source(SPECIALIZATION, "Section 6, Two layer networks; Figure 7", "said in words"),
    expected=Outcome.HOLDS,
    instance_type=Trained,
    examples=[SETTING],
    instances=trained,
    evidence=rank_evidence,
    controls=[
        Control("fan-outs negated", lambda context: rank_evidence(SETTING, context, sign=-1)),
        Control(
            "fan-outs shuffled between nodes, rank correlation beyond 0.2",
            lambda context: rank_evidence(SETTING, context, shuffled=True),
        ),
    ],
    max_examples={"quick": 2, "full": 12, "deep": 60},
    remark="A tendency after finitely many epochs, not Theorem 3, which is about critical points.",
)
