"""Section 6, training dynamics: strong teacher nodes are covered first, weak ones after many epochs."""

from __future__ import annotations

import dataclasses

from verify.judging import (
    SPECIALIZATION,
    Context,
    Control,
    Cost,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
)
from verify.mathematics.mean_over_seeds import exceeds
from verify.mathematics.studies.specialization_study import halves, lead_of_the_strong
from verify.mathematics.studies.trained_experiments import Trained, polarised_teachers, run_of, trained


def lead_evidence(
    instance: Trained, context: Context, reverse: bool = False, beyond: float = 0.0
) -> Evidence:
    """Coverage of the strong minus that of the weak half of the teacher nodes, averaged over the run."""
    run = run_of(instance, context.device)
    lead = lead_of_the_strong(run)
    strong, weak = (half[-1].mean() for half in halves(run))
    return exceeds(
        -lead if reverse else lead, beyond, context,
        strong_half_at_the_end=float(strong), weak_half_at_the_end=float(weak),
    )  # fmt: skip


def without_polarity(context: Context) -> Evidence:
    """Control: between equal teachers neither half leads by a tenth."""
    instance = dataclasses.replace(Trained(), polarity=0.0, over_realisation=1, epochs=2)
    return lead_evidence(instance, context, beyond=0.1)


STATEMENT = Statement(
    key="specialization.experiments.strong_first",
    form=Form.PRINTED,
    title="Strong teacher nodes are covered first",
    claim="Student nodes specialise to strong teacher nodes first, weak ones are covered later\n"
    "(judged for p > 0: coverage, ρ > 0.95, of the strong half minus the weak half, averaged over the run, "
    "has a mean over seeds > 0)",
    source=Source(SPECIALIZATION, "Section 6, Training Dynamics; Figures 11 and 12", "said in words"),
    expected=Outcome.HOLDS,
    instance_type=Trained,
    examples=[Trained()],
    instances=trained,
    assumptions=polarised_teachers,
    evidence=lead_evidence,
    controls=[
        Control("halves exchanged", lambda context: lead_evidence(Trained(), context, reverse=True)),
        Control("equal teachers (p = 0) ahead by 0.1", without_polarity),
    ],
    cost=Cost(2, 12, 60),
    remark="True as a tendency over seeds, though its stated reason is not: with more than one output "
    "and random fan-outs α_k1 is not the largest α_kj for every student node. Within one network the order of "
    "neighbouring teachers varies.",
)
