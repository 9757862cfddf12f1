"""How the Assumption-1 gap goes with width, for isotropic, biased and empirical input and two to four matrices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from verify.judging import Context, Evidence, Verdict
from verify.luckmatters.assumption1 import ASSUMPTION1
from verify.mathematics.studies.deep_ensembles import INPUT_SAMPLES, PAIRS, DeepEnsemble, first_layer_gaps

KEPT = 0.8
"""Share of the gap that a doubling of every width must leave; averaging out like 1/sqrt(width) would leave 0.71."""


@ASSUMPTION1.claim(
    "sharp",
    part="width.inputs",
    expected="observed",
    on=DeepEnsemble,
    examples=tuple(DeepEnsemble(kind, depth, 8) for kind in INPUT_SAMPLES for depth in (2, 3, 4)),
    place="Assumption 1 and Eqn 6",
    note="measured, not in the paper",
    compares=("mean gap at twice the width", ">", "0.8 of the mean gap at the width"),
    population="96 random pairs at He initialisation, teacher widths 8 and 16, 250 or 40 inputs",
)
def does_not_average_out(ensemble: DeepEnsemble, context: Context, *, share_kept: float = KEPT) -> Evidence:
    """The gap does not average out with width, whatever the input

    mean ‖Ẇ_0 − Eqn 6‖ / ‖Ẇ_0‖ at widths (2w, 4w) > 0.8 × the same at widths (w, 2w), teacher and student
    (averaging out like 1/√width would leave 0.71); isotropic, biased and empirical input, 2 to 4 weight matrices

    Inputs have as many coordinates as the teacher's layers are wide. With two matrices the gap rises with width
    (isotropic 0.34, 0.42, 0.52 at 4, 8, 16), with three and four it stays between 0.60 and 0.92.
    """
    narrow, wide = (
        first_layer_gaps(replace(ensemble, width=width), context.seed)
        for width in (ensemble.width, 2 * ensemble.width)
    )
    difference = float(wide.mean() - share_kept * narrow.mean())
    error = float(np.sqrt((wide.var(ddof=1) + share_kept**2 * narrow.var(ddof=1)) / PAIRS))
    reach = context.z() * error
    return Evidence(
        predicted=share_kept * float(narrow.mean()),
        measured=float(wide.mean()),
        margin=difference,
        standard_error=error,
        inconclusive=abs(difference) < reach,
        details={
            "gap at the width": float(narrow.mean()),
            "gap at twice the width": float(wide.mean()),
            "interval of the difference": [difference - reach, difference + reach],
        },
    )


does_not_average_out.rejects("half as large again at twice the width", DeepEnsemble(), share_kept=1.5)


@does_not_average_out.drawn_by
def gaps_by_width(verdict: Verdict) -> Figure:
    """Mean first-layer gap against width, one panel for each kind of input; bars: two standard errors."""
    figure = Figure(figsize=(9, 3), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    for axes, kind in zip(panels, INPUT_SAMPLES, strict=True):
        for depth in (2, 3, 4):
            widths = np.array([4, 8, 16])
            gaps = [first_layer_gaps(DeepEnsemble(kind, depth, int(width)), 0) for width in widths]
            means = np.array([float(gap.mean()) for gap in gaps])
            errors = np.array([float(gap.std(ddof=1)) / np.sqrt(PAIRS) for gap in gaps])
            axes.errorbar(widths, means, 2 * errors, fmt="o-", ms=3, label=f"{depth} matrices")
        axes.set(title=f"{kind} input", xlabel="width of the teacher", xscale="log", ylim=(0, 1.1))
        axes.set_xticks([4, 8, 16], ["4", "8", "16"])
        axes.minorticks_off()
    panels[0].set(ylabel="relative gap of Ẇ_0")
    panels[0].legend(frameon=False, fontsize=8, loc="lower right")
    return figure
