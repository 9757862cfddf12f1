"""Section 6, two-layer networks: nodes with weak specialisation have small fan-out weights."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from nets.specialization.observables import SUCCESS
from nets.specialization.plan import EPOCH
from nets.specialization.setting import SpecializationSetting
from nets.specialization.training import train_specialization
from verify.judging import SPECIALIZATION, TRAINING, Context, Evidence, Item, Source, drawn
from verify.mathematics.mean_over_seeds import exceeds
from verify.mathematics.studies.autograd_experiment import by_autograd
from verify.mathematics.studies.coverage import rank_correlation, specialisation_and_fan_out
from verify.mathematics.studies.specialization_study import QUICK_SAMPLES
from verify.mathematics.studies.trained_experiments import Trained, run_of, trained

LOW_CORRELATION = Item(
    "specialization.experiments.low_correlation",
    Source(SPECIALIZATION, "Section 6, Two layer networks; Figure 7", "said in words"),
)

UNSPECIALISED = 0.6
"""Best correlation below which a node counts as unspecialised."""

ROUNDING = 1e-10
"""Error of a fan-out norm of order one: an eps a step (2e-16), over at most 1e5 steps, five times over."""


@dataclass(frozen=True)
class OneNetwork:
    """One network of the paper's two-layer experiments, named by its own seed."""

    m: int = drawn(4, st.integers(2, 5))
    over_realisation: float = 2
    polarity: float = 2.0
    epochs: int = 5
    seed: int = drawn(47, st.integers(0, 2**20))

    @property
    def setting(self) -> SpecializationSetting:
        """The paper's setting at the sizes of the instance."""
        return SpecializationSetting(self.m, self.over_realisation, self.polarity, eval_samples=QUICK_SAMPLES)


def ordering(best: Array, norm: Array) -> Evidence:
    """Least fan-out of a specialised node minus the largest of an unspecialised one; nothing to compare: holds.

    ``best (n,)`` are the nodes' best correlations with a teacher node, ``norm (n,)`` their fan-out norms.
    """
    low_nodes, high_nodes = norm[best < UNSPECIALISED], norm[best > SUCCESS]
    if not low_nodes.size or not high_nodes.size:
        return Evidence(predicted=0.0, measured=0.0, margin=0.0, details={"nodes_to_compare": 0})
    largest, least = float(low_nodes.max()), float(high_nodes.min())
    return Evidence.at_most(
        largest, bound=least, tolerance=ROUNDING, unspecialised=len(low_nodes), specialised=len(high_nodes)
    )


@LOW_CORRELATION.claim(
    "printed",
    expected="refuted",
    on=OneNetwork,
    examples=[OneNetwork()],
    cost=TRAINING.at_quick(1),
    note="said in words; the thresholds are ours",
)
def every_node_in_order(instance: OneNetwork, context: Context) -> Evidence:
    """Every weakly specialised node has a small fan-out

    For nodes with weak specialisation the fan-out weights are small, otherwise they are high
    (judged within a network after 5 epochs: ‖v_k‖ of every node with max_j ρ_jk < 0.6 is below
    that of every node with max_j ρ_jk > 0.95)

    Where teachers are of different strength, a node specialised to a weak teacher has a fan-out as small as that
    teacher's, while a node on its way between two strong ones can carry more. The tendency is there (corrected form).
    """
    run = train_specialization(
        instance.setting,
        seed=[instance.seed],
        steps=instance.epochs * EPOCH,
        record_at=[],
        device=context.device,
    )
    best, norm = (values[0] for values in specialisation_and_fan_out(run))
    return ordering(best, norm)


@every_node_in_order.confirmed_by
def trained_by_autograd(instance: OneNetwork) -> Evidence:
    """The same network trained by torch's autograd, its correlations by ``numpy.corrcoef``."""
    return ordering(*by_autograd(instance.setting, instance.seed, instance.epochs * EPOCH))


# At p = 0 and n = m no trained node is left between, so there is nothing out of order.
every_node_in_order.accepts(
    "equal teachers, n = m", OneNetwork(m=4, over_realisation=1, polarity=0.0, seed=0)
)
every_node_in_order.rejects("the known counterexample", OneNetwork())

SETTING = Trained(over_realisation=5, epochs=4)


@LOW_CORRELATION.claim(
    "corrected", expected="holds", on=Trained, draw=trained, examples=[SETTING], cost=TRAINING
)
def tends_to_order(
    instance: Trained, context: Context, *, sign: int = 1, shuffled: bool = False, beyond: float = 0.0
) -> Evidence:
    """Low correlation goes with low fan-out

    Within a network, ‖v_k‖ grows with the best correlation max_j ρ_jk as a tendency
    (judged: mean over seeds of the rank correlation over student nodes > 0)

    A tendency after finitely many epochs, not Theorem 3, which is about critical points.
    """
    best, norm = specialisation_and_fan_out(run_of(instance, context.device))
    if shuffled:
        norm = context.rng(instance.seed, 1).permuted(norm, axis=-1)
    ranks = rank_correlation(best, sign * norm)
    specialised = float(np.mean(best > SUCCESS))
    return exceeds(ranks, beyond, context, least=float(ranks.min()), specialised_share=specialised)


tends_to_order.rejects("fan-outs negated", SETTING, sign=-1)
tends_to_order.rejects(
    "fan-outs shuffled between nodes, rank correlation beyond 0.2", SETTING, shuffled=True, beyond=0.2
)
