"""How the Assumption-1 gap goes with depth, in networks at random initialisation on three kinds of input."""

from __future__ import annotations

from dataclasses import replace

import torch
from matplotlib.figure import Figure

from verify.judging import Context, Evidence, Verdict
from verify.luckmatters.assumption1 import ASSUMPTION1
from verify.mathematics.studies.deep_ensembles import INPUT_SAMPLES, PAIRS, DeepEnsemble, gaps_of

SHAPES = ((3, 6), (3, 10), (4, 6), (5, 6))
"""Weight matrices and width of the teacher."""


@ASSUMPTION1.claim(
    "sharp",
    part="depth",
    expected="observed",
    on=DeepEnsemble,
    examples=tuple(DeepEnsemble(kind, depth, width) for kind in INPUT_SAMPLES for depth, width in SHAPES),
    place="Assumption 1 and Eqn 6",
    note="measured, not in the paper",
    compares=("mean first-layer gap of the deeper networks", ">", "mean first-layer gap with two matrices"),
    population="96 random pairs at He initialisation, students twice as wide as teachers, 250 or 40 inputs",
)
def is_larger_in_deeper_networks(ensemble: DeepEnsemble, context: Context, *, level: int = 0) -> Evidence:
    """The gap of the first layer is larger in deeper networks

    mean ‖Ẇ_0 − Eqn 6‖ / ‖Ẇ_0‖ with 3, 4, 5 weight matrices > the same with 2
    He initialisation, students twice as wide as teachers; isotropic, biased and empirical input

    Means over 96 pairs on 250 inputs (empirical: 40): 0.42 to 0.63 of the gradient with two weight matrices, 0.66 to
    0.92 with three to five. Within a network the gap falls towards the top layer, where it is zero. With more than two
    matrices projecting the first layer does not remove it, for isotropic input either: β varies with x.
    """
    deep, projected = gaps_of(ensemble, context.seed)
    shallow = gaps_of(replace(ensemble, depth=2), context.seed)[0][:, 0]
    difference = float(deep[:, level].mean() - shallow.mean())
    standard_error = float(torch.sqrt((deep[:, level].var() + shallow.var()) / PAIRS))
    return Evidence(
        predicted=float(shallow.mean()),
        measured=float(deep[:, level].mean()),
        margin=difference,
        tolerance=0.0,
        standard_error=standard_error,
        inconclusive=abs(difference) < context.z() * standard_error,
        details={"gaps": deep.mean(dim=0).tolist(), "projected_first_layer": float(projected.mean())},
    )


is_larger_in_deeper_networks.rejects("the top layer, where Eqn 6 is exact", DeepEnsemble(), level=-1)


@is_larger_in_deeper_networks.drawn_by
def gaps_by_layer(verdict: Verdict) -> Figure:
    """Mean gap per layer, counted from the bottom, one panel for each kind of input."""
    figure = Figure(figsize=(9, 3), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    for axes, kind in zip(panels, INPUT_SAMPLES, strict=True):
        for record in verdict.judged:
            if record.evidence and record.instance.inputs == kind and "gaps" in record.evidence.details:
                gaps = record.evidence.details["gaps"]
                label = f"{record.instance.depth} matrices, width {record.instance.width}"
                axes.plot(range(len(gaps)), gaps, "o-", ms=3, label=label)
        axes.set(title=f"{kind} input", xlabel="layer l")
    panels[0].set(ylabel="relative gap of Ẇ_l", ylim=(0, None))
    panels[0].legend(frameon=False, fontsize=8)
    return figure
