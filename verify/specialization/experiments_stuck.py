"""Section 6, ablation: a student with n = m could fit a polarised teacher, but gets stuck."""

from __future__ import annotations

import dataclasses

import hypothesis.strategies as st

from verify.judging import (
    SPECIALIZATION,
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
from verify.mathematics.mean_over_seeds import falls_below
from verify.mathematics.studies.specialization_study import coverage
from verify.mathematics.studies.trained_experiments import Trained, run_of

COVERED = 0.97
"""Mean coverage below which networks count as stuck: a node missing in more than a few of them."""

SETTING = Trained(m=5, over_realisation=1, polarity=2.0, networks=16, epochs=25)


def just_realised(budget: Budget) -> st.SearchStrategy[Trained]:
    """Other seeds; the paper's 20 nodes, 32 seeds and 100 epochs at the full budget."""
    seeds = st.integers(0, 2**20)
    if budget.full:
        return st.builds(
            lambda p, seed: Trained(20, 1, p, 32, 100, seed), st.sampled_from([1.5, 2.0, 2.5]), seeds
        )
    return st.builds(lambda seed: dataclasses.replace(SETTING, seed=seed), seeds)


def capacity(instance: Trained) -> tuple[Assumption, ...]:
    """The student holds the teacher exactly, and the teachers differ in strength."""
    return (
        Assumption("n = m", 1.0 if instance.over_realisation == 1 else 1.0 - instance.over_realisation),
        Assumption("p > 0", float(instance.polarity)),
    )


def stuck_evidence(instance: Trained, context: Context) -> Evidence:
    """Share of covered nodes at the end, and what the last quarter of the run added to it."""
    run = run_of(instance, context.device)
    share = coverage(run)
    late = share[-1] - share[run.t >= 0.7 * run.t[-1]][0]
    return falls_below(share[-1], COVERED, context, added_late=float(late.mean()))


def wide_enough(context: Context) -> Evidence:
    """Equal teachers and 5m nodes: everything is covered within 3 epochs."""
    return stuck_evidence(dataclasses.replace(SETTING, over_realisation=5, polarity=0.0, epochs=3), context)


STATEMENT = Statement(
    key="specialization.experiments.stuck",
    form=Form.PRINTED,
    title="With n = m training gets stuck",
    claim="A student with n = m nodes has the capacity to fit the teacher but gets stuck despite long training\n"
    "(judged for p > 0: mean over seeds of the share of teacher nodes covered, ρ > 0.95, at the end < 0.97)",
    source=Source(SPECIALIZATION, "Section 6, Ablation on the effect of over-realization", "said in words"),
    expected=Outcome.HOLDS,
    instance_type=Trained,
    examples=[SETTING],
    instances=just_realised,
    assumptions=capacity,
    evidence=stuck_evidence,
    controls=[Control("equal teachers and n = 5m", wide_enough)],
    cost=Cost(1, 4, 20),
    remark="Slow as well as stuck: with m = 10, p = 2, eight seeds, 5 or 6 nodes are covered after 100 epochs "
    "(mean 5.4), 5 to 7 after 300 (mean 6.5), and none more from there to 400. At p = 1 seven "
    "of eight seeds cover 9 or 10.",
)
