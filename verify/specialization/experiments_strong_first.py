"""Section 6, training dynamics: strong teacher nodes are covered first, weak ones after many epochs."""

from __future__ import annotations

from verify.judging import SPECIALIZATION, TRAINING, Context, Evidence, Item, Source
from verify.mathematics.mean_over_seeds import exceeds
from verify.mathematics.studies.coverage import coverage_of_halves, lead_of_the_strong
from verify.mathematics.studies.trained_experiments import Trained, polarised_teachers, run_of, trained
from verify.specialization import VERSION

STRONG_FIRST = Item(
    "specialization.experiments.strong_first",
    Source(SPECIALIZATION, "Training Dynamics; Figures 11 and 12", "said in words", VERSION, "6"),
)


@STRONG_FIRST.claim(
    "printed",
    expected="observed",
    on=Trained,
    draw=trained,
    assume=polarised_teachers,
    examples=[Trained()],
    cost=TRAINING,
    compares=("coverage of the strong half minus the weak half, mean over seeds", ">", "0"),
    population=(
        "two-layer students of random Gaussian start, n = m, 2m or 5m, teachers of polarity ½ to 2 as in the paper,"
        " 3,000 steps of SGD"
    ),
)
def the_strong_lead(
    instance: Trained, context: Context, *, reverse: bool = False, beyond: float = 0.0
) -> Evidence:
    """Strong teacher nodes are covered first

    Student nodes specialise to strong teacher nodes first, weak ones are covered later
    (judged for p > 0: coverage, ρ > 0.95, of the strong half minus the weak half, averaged over the run, has a mean
        over seeds > 0)

    True as a tendency over seeds, though its stated reason is not: with more than one output and random fan-outs α_k1
    is not the largest α_kj for every student node. Within one network the order of neighbouring teachers varies.
    """
    run = run_of(instance, context.device)
    lead = lead_of_the_strong(run)
    strong, weak = (float(half[-1].mean()) for half in coverage_of_halves(run))
    return exceeds(
        -lead if reverse else lead,
        beyond,
        context,
        strong_half_at_the_end=strong,
        weak_half_at_the_end=weak,
    )


the_strong_lead.excludes("equal teachers", Trained(polarity=0.0), "p > 0")
the_strong_lead.includes("teachers of polarity ½", Trained(polarity=0.5))
the_strong_lead.rejects("halves exchanged", Trained(), reverse=True)
the_strong_lead.rejects(
    "equal teachers (p = 0) ahead by 0.4", Trained(polarity=0.0, over_realisation=1, epochs=2), beyond=0.4
)
