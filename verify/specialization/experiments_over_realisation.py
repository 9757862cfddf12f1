"""Section 6, ablation: over-realised students cover more teacher nodes, and help the loss where polarity is high."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from verify.judging import SPECIALIZATION, TRAINING, Assumption, Budget, Context, Evidence, Item, Source
from verify.mathematics.mean_over_seeds import exceeds
from verify.mathematics.studies.coverage import coverage, time_average
from verify.mathematics.studies.trained_experiments import Trained, polarised_teachers, run_of
from verify.specialization import VERSION

OVER_REALISATION = Item(
    "specialization.experiments.over_realisation",
    Source(
        SPECIALIZATION,
        "Ablation on the effect of over-realization; Figure 9",
        "said in words",
        VERSION,
        "6",
    ),
)
SETTING = Trained(networks=16, epochs=4)

WIDE = "two-layer students with n = 5m (10m too at full) beside n = m, teachers of polarity ¾ to 1¼, 4,000 steps of SGD"


def wide_students(budget: Budget) -> st.SearchStrategy[Trained]:
    """Wider students to be compared with n = m; the paper's 20 teacher nodes and 32 seeds at the full budget."""
    m, networks = (20, 32) if budget.full else (10, 16)
    return st.builds(
        lambda over, polarity, seed: Trained(m, over, polarity, networks, 4, seed),
        st.sampled_from([5.0, 10.0] if budget.full else [5.0]),
        st.sampled_from([0.75, 1.0, 1.25]),
        st.integers(0, 2**20),
    )


def over_realised(instance: Trained) -> tuple[Assumption, ...]:
    """Wider than the teacher."""
    return (Assumption.above("n / m", instance.over_realisation, 1),)


def just_realised(instance: Trained) -> Trained:
    """The student with n = m beside the same teachers, data and batches."""
    return replace(instance, over_realisation=1)


@OVER_REALISATION.claim(
    "printed",
    expected="observed",
    on=Trained,
    draw=wide_students,
    assume=over_realised,
    examples=[SETTING],
    cost=TRAINING.at_quick(1),
    compares=("coverage gained over n = m, averaged over the run, mean over seeds", ">", "0"),
    population=WIDE,
)
def covers_more(
    instance: Trained, context: Context, *, swapped: bool = False, beyond: float = 0.0
) -> Evidence:
    """Over-realised students cover more teacher nodes

    Over-realised students explain more teacher nodes than students with n = m
    (judged: share of nodes covered, ρ > 0.95, averaged over the run; mean over seeds of the paired difference > 0)
    """
    wide, narrow = (run_of(i, context.device) for i in (instance, just_realised(instance)))
    gain = time_average(wide, coverage(wide)) - time_average(narrow, coverage(narrow))
    return exceeds(
        -gain if swapped else gain,
        beyond,
        context,
        covered_wide_at_the_end=float(coverage(wide)[-1].mean()),
        covered_narrow_at_the_end=float(coverage(narrow)[-1].mean()),
    )


covers_more.rejects("students exchanged", SETTING, swapped=True)
covers_more.rejects("a gain of one half", SETTING, beyond=0.5)
covers_more.excludes("n = m", replace(SETTING, over_realisation=1), "n / m")
covers_more.includes("n = 5m", SETTING)


def loss_gain(instance: Trained, context: Context) -> Array:
    """Decades by which the wide student's final loss on fresh samples is below that of n = m, one a seed."""
    wide, narrow = (
        np.log10(run_of(i, context.device).observables["loss"][-1])
        for i in (instance, just_realised(instance))
    )
    return np.asarray(narrow - wide)


def polarised_and_wider(instance: Trained) -> tuple[Assumption, ...]:
    """Wider than the teacher, whose nodes differ in strength."""
    return (*over_realised(instance), *polarised_teachers(instance))


@OVER_REALISATION.claim(
    "printed",
    part="loss",
    expected="observed",
    on=Trained,
    draw=wide_students,
    assume=polarised_and_wider,
    examples=[SETTING],
    cost=TRAINING.at_quick(1),
    place="Figure 10, caption",
    compares=("decades of evaluation loss gained over n = m, mean over seeds", ">", "0"),
    population=WIDE,
)
def lowers_the_loss(
    instance: Trained, context: Context, *, swapped: bool = False, beyond: float = 0.0
) -> Evidence:
    """Over-realisation lowers the loss at high polarity

    With higher p, over-realisation achieves better test performance: a lower evaluation loss
    (judged: decades of evaluation loss gained over n = m after the same steps; mean over seeds > 0)

    The paper says beside the figure that the difference is not large. Measured with m = 10, n = 5m, 16 networks each,
    in decades: −2.06 ± 0.11 at p = 0, 0.39 ± 0.35 at ½, 1.81 ± 0.06 at ¾, 1.49 ± 0.05 at 1, 0.76 ± 0.04 at 1¼,
    0.54 ± 0.04 at 1½, 0.37 ± 0.05 at 2. With equal teachers (p = 0) the student with n = m converges exponentially to
    rounding, while an over-realised one stays decades higher on a slow tail: several nodes share a teacher, and the
    redundant ones align or die slowly.
    """
    gain = loss_gain(instance, context)
    return exceeds(-gain if swapped else gain, beyond, context, decades=float(gain.mean()))


EQUAL = replace(SETTING, polarity=0.0)

lowers_the_loss.excludes("n = m", replace(SETTING, over_realisation=1), "n / m")
lowers_the_loss.excludes("equal teachers", EQUAL, "p > 0")
lowers_the_loss.includes("n = 5m, p = 1", SETTING)
lowers_the_loss.rejects("students exchanged", SETTING, swapped=True)
lowers_the_loss.rejects("equal teachers, p = 0", EQUAL)
lowers_the_loss.rejects("a gain of two decades at p = 1", SETTING, beyond=2.0)
lowers_the_loss.errs(
    says=(
        "Section 6 and Figure 10: with higher polarity, over-realisation achieves a lower evaluation loss; elsewhere"
        " over-realisation is said to help without that condition."
    ),
    true=(
        "At polarity ¾ to 2 the loss is lower, by 0.4 to 1.8 decades (m = 10, n = 5m, 4,000 steps), as the caption"
        " says it. With equal teachers (p = 0) it is 2.1 decades higher than with n = m: redundant nodes share a"
        " teacher and align or die slowly."
    ),
    impact="substance",
    matters="The condition in the caption is needed; coverage of teacher nodes grows with over-realisation anyway.",
)
