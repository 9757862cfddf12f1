"""Fitting structured and random data (introduction): zero training error on both, sharper minima on noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from verify.judging import LUCK_MATTERS, Context, Evidence, Item, Source, Verdict
from verify.mathematics.mean_over_seeds import exceeds, falls_below
from verify.mathematics.runs.fitted_labels import LabelledData, fitted

RANDOM_LABELS = Item(
    "luckmatters.introduction.random_labels",
    Source(
        LUCK_MATTERS,
        "paragraphs 'Fitting both structured and random data', 'Flat minima'; Fig. 2",
        "",
        "v4",
        "1",
    ),
)

DATA = LabelledData()
POPULATION = (
    "16 data sets of 40 inputs, d = 10, standardised labels of two teacher nodes or the same shuffled; students of 50"
    " nodes, small random start, 2,500 steps of gradient descent"
)
ERROR = 1e-3
"""Mean squared error that counts as zero, of labels with variance one."""


@RANDOM_LABELS.claim(
    "reading",
    part="zero_error",
    expected="observed",
    on=LabelledData,
    draw=None,
    examples=(DATA,),
    compares=(
        "mean squared training error on random labels",
        "<",
        "0.001 of their variance, what counts as zero",
    ),
    population=POPULATION,
    note="our reading: shuffled labels of a small teacher, two layers",
)
def random_labels_are_fitted(instance: LabelledData, context: Context) -> Evidence:
    """Over-parameterised students fit random labels

    With random labels over-parameterisation still reaches zero training error
    (judged: mean squared error below 0.001 of the labels' variance)

    All signs are right as well. With fewer weights than labels it cannot be so, which is the control.
    """
    found = fitted(instance, shuffled=True)
    return falls_below(found.error, ERROR, context, share_of_wrong_signs=float(found.wrong.mean()))


random_labels_are_fitted.rejects("two nodes for 40 labels", replace(DATA, n=2, steps=1000))


@RANDOM_LABELS.claim(
    "reading",
    part="sharp",
    expected="observed",
    on=LabelledData,
    draw=None,
    examples=(DATA,),
    compares=("mean of log₁₀ sharpness on random labels less that on structured ones", ">", "0"),
    population=POPULATION,
    place="paragraph 'Flat minima' and Fig. 2(d)",
    note="our reading: sharpness is the largest eigenvalue of the Hessian at the fitted weights",
)
def noise_makes_minima_sharp(
    instance: LabelledData, context: Context, *, exchanged: bool = False
) -> Evidence:
    """Minima are sharper on noisy data

    Sharp minima are related to noisy data
    (judged: log₁₀ of the Hessian's largest eigenvalue, random labels less structured ones, same inputs and start, mean
      over networks > 0)

    About twice as sharp from a small start (‖w_j‖ = ‖v_j‖ = 0.1); from ‖w_j‖ = ‖v_j‖ = 1, where weights hardly move,
    the two differ by 1 % only. Whether more nodes are at work is another question (``random_labels.nodes``).
    """
    structured, shuffled = (fitted(instance, shuffled=flag) for flag in (False, True))
    gain = np.log10(shuffled.sharpness / structured.sharpness)
    return exceeds(
        -gain if exchanged else gain,
        0.0,
        context,
        sharpness_structured=float(structured.sharpness.mean()),
        sharpness_random=float(shuffled.sharpness.mean()),
    )


noise_makes_minima_sharp.rejects("the two exchanged", DATA, exchanged=True)


@noise_makes_minima_sharp.drawn_by
def sharpness_of_both(verdict: Verdict) -> Figure:
    """Sharpness on random against structured labels, network by network."""
    structured, shuffled = (fitted(DATA, shuffled=flag).sharpness for flag in (False, True))
    figure = Figure(figsize=(4.6, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.loglog(structured, shuffled, "o", ms=3)
    ends = [min(structured.min(), shuffled.min()), max(structured.max(), shuffled.max())]
    axes.loglog(ends, ends, color="0.6", lw=1)
    axes.set(xlabel="sharpness, structured labels", ylabel="sharpness, random labels")
    return figure


@RANDOM_LABELS.claim(
    "reading",
    part="nodes",
    expected="inconclusive",
    on=LabelledData,
    draw=None,
    examples=(replace(DATA, init=0.3),),
    compares=(
        "mean of log₁₀ number of nodes at work on random labels less that on structured ones",
        ">",
        "0",
    ),
    population=POPULATION.replace("small random start", "random start of norm 0.3"),
    place="paragraph 'Flat minima' and Fig. 2(d): more student nodes match with the teacher",
    note="our reading: nodes at work by the participation ratio of ‖w_j‖ ‖v_j‖; shuffled labels have no known teacher",
)
def noise_needs_more_nodes(instance: LabelledData, context: Context, *, beyond: float = 0.0) -> Evidence:
    """More student nodes are at work on noisy data

    On noisy data more student nodes match with the teacher
    (judged: log₁₀ of the effective number of nodes, (Σ s)²/Σ s² with s = ‖w_j‖ ‖v_j‖, random labels less structured
      ones, mean over networks > 0)

    Undecided: from starts of norm 0.1 and 0.3 the numbers agree within their errors (ratios 1.02 ± 0.04 and 0.95 ±
    0.02).
    Which teacher noisy data have is not said, so this counts nodes that carry weight; another count may fare
    differently.
    """
    structured, shuffled = (fitted(instance, shuffled=flag) for flag in (False, True))
    gain = np.log10(shuffled.nodes / structured.nodes)
    return exceeds(
        gain,
        beyond,
        context,
        nodes_structured=float(structured.nodes.mean()),
        nodes_random=float(shuffled.nodes.mean()),
    )


noise_needs_more_nodes.rejects("half as many again", replace(DATA, init=0.3), beyond=0.2)
