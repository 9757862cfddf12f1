"""Section 6, two-layer networks: nodes with weak specialisation have small fan-out weights."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from nets.specialization.observables import SUCCESS
from nets.specialization.runs import train_specialization
from nets.specialization.setting import SpecializationSetting
from nets.specialization.training import EPOCH
from verify.judging import (
    SPECIALIZATION,
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
from verify.mathematics.mean_over_seeds import exceeds
from verify.mathematics.studies.autograd_experiment import by_autograd
from verify.mathematics.studies.specialization_study import (
    QUICK_SAMPLES,
    rank_correlation,
    specialisation_and_fan_out,
)
from verify.mathematics.studies.trained_experiments import Trained, run_of, trained

UNSPECIALISED = 0.6
"""Best correlation below which a node counts as unspecialised."""

ROUNDING = 1e-10
"""Error of a fan-out norm of order one: an eps a step (2e-16), over at most 1e5 steps, five times over."""

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


@dataclass(frozen=True)
class OneNetwork:
    """One network, named by its own seed."""

    m: int = 4
    over_realisation: float = 2
    polarity: float = 2.0
    epochs: int = 5
    seed: int = 47


def one_network(budget: Budget) -> st.SearchStrategy[OneNetwork]:
    """Two to five teacher nodes, any seed."""
    return st.builds(OneNetwork, m=st.integers(2, 5), seed=st.integers(0, 2**20))


def ordering(best: Array, norm: Array, high: float = SUCCESS) -> Evidence:
    """Least fan-out of a specialised node minus the largest of an unspecialised one; nothing to compare: holds."""
    low_nodes, high_nodes = norm[best < UNSPECIALISED], norm[best > high]
    if not low_nodes.size or not high_nodes.size:
        return Evidence(predicted=0.0, measured=0.0, margin=0.0, details={"nodes_to_compare": 0})
    largest, least = float(low_nodes.max()), float(high_nodes.min())
    return Evidence.at_most(
        largest, bound=least, tolerance=ROUNDING, unspecialised=len(low_nodes), specialised=len(high_nodes)
    )


def order_evidence(instance: OneNetwork, context: Context, high: float = SUCCESS) -> Evidence:
    """Train the network and compare its specialised with its unspecialised nodes."""
    setting = setting_of(instance)
    run = train_specialization(
        setting, seed=[instance.seed], steps=instance.epochs * EPOCH, record_at=[], device=context.device
    )
    best, norm = (values[0] for values in specialisation_and_fan_out(run))
    return ordering(best, norm, high)


def setting_of(instance: OneNetwork) -> SpecializationSetting:
    """The paper's setting at the sizes of the instance."""
    return SpecializationSetting(
        instance.m, instance.over_realisation, instance.polarity, eval_samples=QUICK_SAMPLES
    )


def confirm_order(instance: OneNetwork) -> Evidence:
    """The same network trained by torch's autograd, its correlations by ``numpy.corrcoef``."""
    best, norm = by_autograd(setting_of(instance), instance.seed, instance.epochs * EPOCH)
    return ordering(best, norm)


def of_the_strongest(context: Context) -> Evidence:
    """A true variant: at p = 0 and n = m no trained node is left between, so there is nothing out of order."""
    return order_evidence(OneNetwork(m=4, over_realisation=1, polarity=0.0, seed=0), context)


PRINTED = Statement(
    key="specialization.experiments.low_correlation",
    form=Form.PRINTED,
    title="Every weakly specialised node has a small fan-out",
    claim="For nodes with weak specialisation the fan-out weights are small, otherwise they are high\n"
    "(judged within a network after 5 epochs: ‖v_k‖ of every node with max_j ρ_jk < 0.6 is below\n"
    "that of every node with max_j ρ_jk > 0.95)",
    source=Source(
        SPECIALIZATION, "Section 6, Two layer networks; Figure 7", "said in words; the thresholds are ours"
    ),
    expected=Outcome.REFUTED,
    instance_type=OneNetwork,
    examples=[OneNetwork()],
    instances=one_network,
    evidence=order_evidence,
    confirm=confirm_order,
    controls=[
        Control("equal teachers, n = m", of_the_strongest, must_hold=True),
        Control("the known counterexample", lambda context: order_evidence(OneNetwork(), context)),
    ],
    cost=Cost(1, 20, 200),
    remark="Where teachers are of different strength, a node specialised to a weak teacher has a fan-out as "
    "small as that teacher's, while a node on its way between two strong ones can carry more. The tendency is there "
    "(corrected form).",
)

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
    cost=Cost(2, 12, 60),
    remark="A tendency after finitely many epochs, not Theorem 3, which is about critical points.",
)
