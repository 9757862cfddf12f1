"""Pruning (remark on Theorem 5): keep nodes by top-down modulation, by weight norm, or by Hessian saliency."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
from matplotlib.figure import Figure

from dynamics.arrays import Array
from dynamics.two_layer.observables import population_loss
from dynamics.two_layer.problem import TeacherStudent
from nets.two_layer.pruning import (
    brain_damage_saliency,
    by_contribution,
    by_fan_in,
    by_fan_out,
    keep_best,
    select_nodes,
)
from verify.judging import LUCK_MATTERS, TRAINING, Budget, Context, Evidence, Item, Source, Verdict
from verify.mathematics.families.solved_students import Solved
from verify.mathematics.mean_over_seeds import exceeds
from verify.mathematics.runs.random_ensembles import Trained, trained_weights

PRUNING = Item(
    "luckmatters.theorem5.pruning",
    Source(LUCK_MATTERS, "remark 'Understanding of pruning methods'", version="v4", section="3.3"),
)

LOSS_FLOOR = 1e-13
"""Closed-form losses are differences of terms of order one: below this they are rounding."""


def other_ensembles(budget: Budget) -> st.SearchStrategy[Trained]:
    """Other seeds and over-parameterisations; the papers' sizes at the full budget."""
    m = 10 if budget.full else 4
    return st.builds(
        lambda factor, seed: Trained(2 * m, m, factor * m, m, 2 * m, 24, 3000, seed),
        st.integers(3, 6),
        st.integers(0, 2**20),
    )


def log_loss(problem: TeacherStudent, W: Array, V: Array) -> Array:
    """log10 of the population loss, one a network."""
    return np.asarray(np.log10(np.maximum(population_loss(problem, W, V), LOSS_FLOOR)))


def log_loss_after_pruning(problem: TeacherStudent, W: Array, V: Array, scores: Array, keep: int) -> Array:
    """log10 of the population loss with the ``keep`` best nodes by ``scores (..., n)``, one a network."""
    return log_loss(problem, *select_nodes(W, V, keep_best(scores, keep)))


def three_scores(instance: Trained, problem: TeacherStudent, W: Array, V: Array) -> tuple[Array, ...]:
    """Scores ``(..., n)`` by ||w_j||, by ||v_j|| and by the Hessian's diagonal.

    On unit columns the norms ||w_j|| are equal: their order is rounding, so the choice is drawn.
    """
    rng = np.random.default_rng((instance.seed, 4))
    arbitrary = np.round(by_fan_in(W, V), 9) + 1e-9 * rng.random(V.shape[:-1])
    return arbitrary, by_fan_out(W, V), brain_damage_saliency(problem, W, V)


@PRUNING.claim(
    "reading",
    expected="observed",
    on=Trained,
    draw=other_ensembles,
    examples=[Trained()],
    cost=TRAINING.at_quick(1),
    compares=("mean log₁₀ loss by ‖w‖ less that by ‖v‖", ">", "0"),
    population="trained networks on unit columns, n / m from 3 to 6",
    note="our reading: top-down modulation as ‖v_j‖",
)
def fan_out_beats_fan_in(instance: Trained, context: Context, *, swapped: bool = False) -> Evidence:
    """Pruning by top-down modulation

    Pruning nodes by ‖v_j‖ costs less loss than pruning them by ‖w_j‖
    (judged on unit columns: mean over seeds of log₁₀ J(by ‖w‖) − log₁₀ J(by ‖v‖) > 0)

    On unit columns ‖w_j‖ says nothing. Without normalisation see the next two statements: there the two orders largely
    agree, and neither norm alone is the right score.
    """
    problem = instance.start()
    W, V = trained_weights(instance, context.device)
    by_w, by_v, by_hessian = (
        log_loss_after_pruning(problem, W, V, score, instance.keep)
        for score in three_scores(instance, problem, W, V)
    )
    return exceeds(
        by_v - by_w if swapped else by_w - by_v,
        0.0,
        context,
        log10_loss_trained=float(log_loss(problem, W, V).mean()),
        log10_loss_by_fan_out=float(by_v.mean()),
        log10_loss_by_weight_norm=float(by_w.mean()),
        log10_loss_by_hessian=float(by_hessian.mean()),
    )


fan_out_beats_fan_in.rejects("the two rules exchanged", Trained(), swapped=True)


@fan_out_beats_fan_in.drawn_by
def loss_over_nodes_kept(verdict: Verdict) -> Figure:
    """Loss after pruning to k nodes by the three scores: mean over networks, bars of two standard errors."""
    instance = Trained()
    problem = instance.start()
    W, V = trained_weights(instance, "cpu")
    figure = Figure(figsize=(5.6, 3.8), layout="constrained")
    axes = figure.subplots()
    kept = np.arange(1, instance.n + 1)
    names = ("‖w_j‖ (equal: random)", "‖v_j‖", "Hessian diagonal")
    for name, score, marker in zip(
        names, three_scores(instance, problem, W, V), ("s-", "o-", "x--"), strict=True
    ):
        losses = np.stack([log_loss_after_pruning(problem, W, V, score, int(k)) for k in kept])
        error = 2 * losses.std(axis=1, ddof=1) / np.sqrt(instance.networks)
        axes.errorbar(kept, losses.mean(axis=1), error, fmt=marker, ms=4, lw=1, label=name)
    axes.axvline(instance.m, color="0.6", ls=":", lw=1)
    axes.text(instance.m + 0.2, 0.02, "m", color="0.35", transform=axes.get_xaxis_transform())
    axes.set(xlabel="nodes kept", ylabel="log₁₀ loss after pruning")
    axes.set_xticks(range(0, instance.n + 1, 5))
    axes.legend(frameon=False, title="pruned by", loc="center", bbox_to_anchor=(0.6, 0.45))
    return figure


@PRUNING.claim(
    "sharp",
    expected="holds",
    on=Solved,
    note="the formula is ours",
    compares=("largest gap between lost loss and score", "=", "0"),
)
def saliency_is_the_loss(
    instance: Solved, context: Context, *, score: str = "saliency", larger: float = 0.0
) -> Evidence:
    """Pruning: the Hessian's saliency is the loss

    At zero loss, removing node j costs exactly ½ l_jj ‖v_j‖² = ¼ ‖w_j‖² ‖v_j‖²:
    optimal brain damage of its fan-out is exact, and the right score is ‖w_j‖ ‖v_j‖

    The paper's ‖v_j‖ is this score on unit columns (BatchNorm). Elsewhere rescaling a node to (a w_j, v_j / a) changes
    ‖v_j‖ and not the function, so ‖v_j‖ alone can prune a lucky node.
    """
    problem = instance.problem()
    rng = np.random.default_rng((instance.seed, 5))
    # Each node in a scaling of its own, which leaves the function as it is.
    factor = np.exp(rng.uniform(-np.log(3.0), np.log(3.0), instance.n))
    W, V = problem.student_W * factor, problem.student_V / factor[:, None]
    # All nodes removed at once, one an ensemble member.
    without = V * (1 - np.eye(instance.n))[:, :, None]
    lost = population_loss(problem, W, without)
    scores = {
        "saliency": brain_damage_saliency(problem, W, V),
        "contribution": by_contribution(W, V) ** 2 / 4,
        "fan-out": by_fan_out(W, V) ** 2 / 4,
    }
    # ``larger``: the score is too large by this share.
    gap = float(np.abs(lost - (1 + larger) * scores[score]).max())
    # Rounding of three sums of (n + m)^2 terms, each at most 3^2 times a squared unit norm.
    tolerance = 4 * (instance.n + instance.m) ** 2 * float(np.finfo(float).eps)
    return Evidence.close(gap, predicted=0.0, tolerance=tolerance, loss=lost.tolist())


saliency_is_the_loss.rejects("¼ ‖v_j‖² alone, nodes rescaled", Solved(), score="fan-out")
saliency_is_the_loss.rejects("a score too large by 1e-12 of itself", Solved(), larger=1e-12)
saliency_is_the_loss.accepts("¼ ‖w_j‖² ‖v_j‖²", Solved(), score="contribution")

saliency_is_the_loss.errs(
    says="v4, section 3.3, remark 'Understanding of pruning methods': prune by top-down modulation instead of "
    "weight norm",
    true="‖v_j‖ is the right score on unit columns only; removing a node costs exactly ¼‖w‖²‖v‖²",
    impact="substance",
    matters="with BatchNorm the remark stands",
)
