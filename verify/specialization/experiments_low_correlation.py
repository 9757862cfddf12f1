"""Section 6, two-layer networks: nodes with weak specialisation have small fan-out weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.arrays import Array
from nets.specialization.observables import SUCCESS
from nets.specialization.plan import EPOCH
from nets.specialization.setting import SpecializationSetting
from nets.specialization.training import train_specialization
from verify.judging import (
    SEED,
    SPECIALIZATION,
    TRAINING,
    Context,
    Evidence,
    Instance,
    Item,
    Source,
    fixed,
    integers,
    reals,
)
from verify.mathematics.mean_over_seeds import exceeds
from verify.mathematics.studies.coverage import rank_correlation, specialisation_and_fan_out
from verify.mathematics.studies.specialization_study import QUICK_SAMPLES
from verify.mathematics.studies.trained_experiments import Trained, run_of, trained
from verify.specialization import VERSION

LOW_CORRELATION = Item(
    "specialization.experiments.low_correlation",
    Source(SPECIALIZATION, "Two layer networks; Figure 7", "said in words", VERSION, "6"),
)

UNSPECIALISED = 0.6
"""Best correlation below which a node counts as unspecialised."""

ROUNDING = 1e-10
"""Error of a fan-out norm of order one: an eps a step (2e-16), over at most 1e5 steps, five times over."""


@dataclass(frozen=True)
class OneNetwork(Instance):
    """One network of the paper's two-layer experiments, named by its own seed."""

    m: int = fixed(4, integers(1, 100))
    over_realisation: float = fixed(2, reals(1, 100))
    polarity: float = fixed(2.0, reals(0.0, 10.0))
    epochs: int = fixed(5, integers(1, 1000))
    seed: int = fixed(47, SEED)

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


def every_node_in_order(instance: OneNetwork, context: Context) -> Evidence:
    """The words as a rule for every node of one network after a few epochs, which the paper does not claim.

    Where teachers are of different strength, a node specialised to a weak one has a fan-out as small as that teacher's,
    while a node on its way between two strong ones can carry more.
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


@dataclass(frozen=True)
class TwoNodes:
    """An unspecialised node whose fan-out is ``excess`` larger than that of a specialised one, which is 1."""

    excess: float = 1e-8


def two_in_order(nodes: TwoNodes, context: Context) -> Evidence:
    """The rule for every node, on two of them."""
    return ordering(np.array([0.5, 0.99]), np.array([1.0 + nodes.excess, 1.0]))


SETTING = Trained(over_realisation=5, epochs=4)


@LOW_CORRELATION.claim(
    "printed",
    expected="observed",
    on=Trained,
    draw=trained,
    examples=[SETTING],
    cost=TRAINING,
    compares=("rank correlation of fan-out norm and best correlation, mean over seeds", ">", "0"),
    population=(
        "two-layer students, n = m, 2m or 5m, teachers of polarity ½ to 2 as in the paper, 3,000 or 4,000 steps of SGD"
    ),
)
def tends_to_order(
    instance: Trained, context: Context, *, sign: int = 1, shuffled: bool = False, beyond: float = 0.0
) -> Evidence:
    """Low correlation goes with low fan-out

    Within a network, ‖v_k‖ grows with the best correlation max_j ρ_jk as a tendency
    (judged: mean over seeds of the rank correlation over student nodes > 0)

    The paper says that nodes with weak specialisation have small fan-outs and others high ones. Seen as a tendency
    after finitely many epochs; it is no rule for every node (a control), and not Theorem 3, which is about critical
    points.
    """
    best, norm = specialisation_and_fan_out(run_of(instance, context.device))
    if shuffled:
        norm = context.rng(instance.seed, 1).permuted(norm, axis=-1)
    ranks = rank_correlation(best, sign * norm)
    specialised = float(np.mean(best > SUCCESS))
    return exceeds(ranks, beyond, context, least=float(ranks.min()), specialised_share=specialised)


tends_to_order.rejects("fan-outs negated", SETTING, sign=-1)
tends_to_order.rejects(
    "fan-outs shuffled between nodes, rank correlation beyond 0.5", SETTING, shuffled=True, beyond=0.5
)
tends_to_order.rejects_variant(
    "as a rule for every node: a network that breaks it", every_node_in_order, OneNetwork()
)
tends_to_order.rejects_variant(
    "as a rule for every node: a fan-out 1e-8 out of order", two_in_order, TwoNodes()
)
# At p = 0 and n = m no trained node is left between, so there is nothing out of order.
tends_to_order.accepts_variant(
    "as a rule where teachers are equal and n = m",
    every_node_in_order,
    OneNetwork(m=4, over_realisation=1, polarity=0.0, seed=0),
)
tends_to_order.errs(
    says=(
        "Section 6, two-layer networks, and Figure 7: nodes with weak specialisation have small fan-out weights,"
        " strongly specialised ones high ones."
    ),
    true=(
        "A tendency, with a rank correlation of about 0.68 within a network, not a rule: nodes stuck between teachers"
        " keep large fan-outs, and nodes specialised to weak teachers have small ones."
    ),
    impact="substance",
    matters="Not for the theorems; pruning by fan-out norm during training would remove the wrong nodes now and then.",
)
