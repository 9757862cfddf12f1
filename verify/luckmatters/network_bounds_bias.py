"""Theorem 5's certificate under input with a bias, where the flow is no longer the networks' mean gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from verify.judging import Assumption, Context, Evidence
from verify.luckmatters import theorem5
from verify.luckmatters.network_bounds import COMPARES, COST, FAR_SIDE, WIDE, Theorem5Bounded, not_slower

LONE = Theorem5Bounded(
    share=0.5, batch=1024, networks=32, r=0, c=2, threshold=1.5, theta0=1e-3, v_error=0.05, r_fan_out=1e-3
)

PAIR = replace(LONE, m=2, c=3, batch=512, v_error=0.01)


def certified_with_a_bias(instance: Theorem5Bounded) -> Sequence[Assumption]:
    """The conditions of the certificate, for input with a bias: only the separation is left out."""
    return (
        *theorem5.has_a_certificate(instance.start),
        Assumption.above("input with a bias: threshold", instance.threshold, 0),
    )


@theorem5.THEOREM5.claim(
    "necessity",
    part="networks.bound.bias",
    expected="needed",
    on=Theorem5Bounded,
    draw=None,
    assume=certified_with_a_bias,
    examples=(LONE, PAIR),
    cost=COST,
    compares=COMPARES,
    note="Assumption 1, E[f'_j f'_k x xᵀ] = d_jk E[x xᵀ], left out: networks in place of the flow",
)
def certificate_holds_with_a_bias(
    instance: Theorem5Bounded, context: Context, *, claimed: float = 1.0
) -> Evidence:
    """The separation of gates and inputs is needed for Theorem 5 to speak of networks

    thresholded nodes, input with a bias: networks stay under the certificate of Theorem 5's flow,
    mean over networks of y_i(t) ≤ e^{−λt} p_i for every i and t

    Assumption 1 puts d_jk E[x xᵀ] for E[f'_j f'_k x xᵀ], which without a bias changes nothing. With one, the mean
    gradient of a network turns a column whose fan-out is off: one node at its teacher moves at φ(h) (v·δv) / (1 + h²),
    h the threshold, and in the flow not at all. So sin θ grows where the certificate has it fall.
    """
    return not_slower(instance, "theorem5.certificate", context, claimed)


@certificate_holds_with_a_bias.replicated(seeds=2)
def on_fresh_samples(instance: Theorem5Bounded, *, claimed: float = 1.0) -> Evidence:
    """The smaller violation of two more ensembles, trained on other samples."""
    found = [
        not_slower(instance, "theorem5.certificate", Context(seed=1000 + seed), claimed) for seed in range(2)
    ]
    return found[int(np.argmax([evidence.margin for evidence in found]))]


certificate_holds_with_a_bias.accepts("input without a bias", WIDE)
certificate_holds_with_a_bias.rejects("twice the certified rate", LONE, claimed=2.0)
certificate_holds_with_a_bias.excludes("no bias", WIDE, "input with a bias")
certificate_holds_with_a_bias.excludes(
    "a student on the far side of its teacher", replace(FAR_SIDE, threshold=1.5), "θ₀ < π/2"
)
certificate_holds_with_a_bias.excludes(
    "fan-outs off by as much as the teacher's", replace(LONE, v_error=1.0), "the comparison system"
)
certificate_holds_with_a_bias.includes("one thresholded teacher", LONE)

certificate_holds_with_a_bias.errs(
    says="Assumption 1 (separation of expectations) puts d_jk E[x xᵀ] for E[f'_j f'_k x xᵀ]; Theorems 2 to 5 and their"
    " rates are about the flow that results (v4, section 2).",
    true="For Gaussian input without a bias the projected flow is the networks' mean gradient all the same. With a bias"
    " it is not: a fan-out that is off turns its column away from the teacher, at φ(h) (v·δv) / (1 + h²) for one node"
    " with threshold h. Where the flow's own certificate has sin θ fall from 0.001, that of networks with a fan-out 5 %"
    " off grows to five times as much. The slowest rate of networks with four thresholded teachers is 3 % (h = 1.5) and"
    " 7 % (h = 2) above that of Theorem 4's flow.",
    impact="constant",
    matters="Thresholds make Theorems 4 and 5 non-vacuous, and there the theorems speak of the flow, not of networks.",
)
