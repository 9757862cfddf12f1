"""Theorem 3 with the eps of batch normalisation: the norm of a filter exchanges energy with the scale."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
from matplotlib.figure import Figure

from verify.judging import ALGEBRA, Context, Evidence, Verdict, drawn_fields
from verify.luckmatters.theorem3 import FAINT, FLOW, RECTIFIED, SHUT, THEOREM3, WITH_EPS
from verify.mathematics.gradients.normalised_training import Training, farthest_off, flow, flow_rates

LARGE_EPS = replace(RECTIFIED, eps=0.1, biased=True)
NARROW = Training("relu_bn", 1e-8, True, hidden=(1, 1), inputs=5, samples=3, seed=1202)
"""Two narrow blocks, the upper one fed nearly the same number by every sample: |f| / sigma multiplies the rounding."""


@THEOREM3.claim(
    "corrected",
    part="eps",
    expected="holds",
    on=Training,
    draw=drawn_fields(Training, eps=st.sampled_from([1e-8, 1e-5, 1e-3, 0.1, 1.0]), biased=st.booleans()),
    assume=flow,
    examples=(WITH_EPS, LARGE_EPS, replace(FLOW, eps=1.0), NARROW),
    cost=ALGEBRA.at_quick(60),
    note="eps term added",
    compares=("d‖(w_j, b_j)‖²/dt", "=", "eps/(σ_j² + eps) d(c₀ⱼ²)/dt"),
)
def exchanged_with_the_scale(training: Training, context: Context, *, factor: float = 1.0) -> Evidence:
    """What eps does to the norm: energy is exchanged with BN's scale

    d‖(w_j, b_j)‖²/dt = eps/(σ_j² + eps) · d(c₀ⱼ²)/dt  under gradient flow, both placements

    Not in the paper. The drift is O(eps/σ²) and its sign is that of the growth of the learnable scale c₀: it vanishes
    where ∂J/∂c₀ = 0. Small filters drift fastest, since σ² falls with ‖w‖².
    """
    return farthest_off(
        (
            factor * training.eps / (block.variance + training.eps) * block.scale,
            block.weight + block.bias,
            block.rounding,
        )
        for block in flow_rates(training)
    )


exchanged_with_the_scale.rejects("drift said to be zero", LARGE_EPS, factor=0.0)
exchanged_with_the_scale.rejects("drift × 1.001", LARGE_EPS, factor=1.001)
exchanged_with_the_scale.rejects("drift 1e-9 larger", LARGE_EPS, factor=1 + 1e-9)
exchanged_with_the_scale.excludes("steps", replace(LARGE_EPS, lr=0.1), "gradient flow")
exchanged_with_the_scale.excludes("a node that is always shut", SHUT, "σ / max |f| at every node")
exchanged_with_the_scale.includes("a node that hardly varies", FAINT)


@exchanged_with_the_scale.drawn_by
def drift_over_eps(verdict: Verdict) -> Figure:
    """Fastest drift of a squared norm over eps, one network in both placements."""
    figure = Figure(figsize=(5, 3.2), layout="constrained")
    axes = figure.subplots()
    sizes = np.logspace(-9, 1, 21)
    for start, label in ((FLOW, "Linear → BN → ReLU"), (RECTIFIED, "Linear → ReLU → BN")):
        runs = [(eps, flow_rates(replace(start, eps=float(eps)))) for eps in sizes]
        measured = [max(float(block.weight.abs().max()) for block in blocks) for _, blocks in runs]
        predicted = [
            max(float((eps / (block.variance + eps) * block.scale).abs().max()) for block in blocks)
            for eps, blocks in runs
        ]
        line = axes.loglog(sizes, predicted, label=f"{label}, predicted")[0]
        axes.loglog(sizes, measured, "o", ms=3, color=line.get_color())
    axes.axvline(1e-5, color="0.7", ls=":")
    axes.set(xlabel="eps (dotted: PyTorch's default)", ylabel="largest |d‖w‖²/dt|")
    axes.legend(frameon=False, fontsize=8)
    return figure
