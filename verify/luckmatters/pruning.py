"""Pruning (remark on Theorem 5): keep nodes by top-down modulation, by weight norm, or by Hessian saliency."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import hypothesis.strategies as st
import numpy as np
from matplotlib.figure import Figure

from dynamics.arrays import Array
from dynamics.two_layer import teachers
from dynamics.two_layer.flows import GradientFlow
from dynamics.two_layer.observables import population_loss
from dynamics.two_layer.problem import TeacherStudent
from nets import TwoLayerStudents, train
from nets.two_layer.pruning import (
    brain_damage_saliency,
    by_contribution,
    by_fan_in,
    by_fan_out,
    keep_best,
    select_nodes,
)
from verify.judging import (
    LUCK_MATTERS,
    Budget,
    Context,
    Control,
    Cost,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
    Verdict,
)
from verify.luckmatters.flat_minima import Solved, at_the_limit, solved
from verify.mathematics.mean_over_seeds import exceeds

NUMBER = "Section 3.3, remark 'Understanding of pruning methods'"

LOSS_FLOOR = 1e-13
"""Closed-form losses are differences of terms of order one: below this they are rounding."""


@dataclass(frozen=True)
class Trained:
    """An ensemble trained by SGD from random initialisation, then pruned to ``keep`` nodes."""

    d: int = 10
    m: int = 5
    n: int = 20
    c: int = 5
    keep: int = 10
    networks: int = 24
    steps: int = 3000
    seed: int = 0


def trained(budget: Budget) -> st.SearchStrategy[Trained]:
    """Other seeds and over-parameterisations; the papers' sizes at the full budget."""
    m = 10 if budget.full else 4
    return st.builds(
        lambda factor, seed: Trained(2 * m, m, factor * m, m, 2 * m, 24, 3000, seed),
        st.integers(3, 6),
        st.integers(0, 2**20),
    )


def random_start(instance: Trained) -> TeacherStudent:
    """Orthonormal teachers, random unit fan-outs; students uniform on the sphere with fan-outs of norm 1/2."""
    rng = np.random.default_rng((instance.seed, 3))
    S, d, m, n, c = instance.networks, instance.d, instance.m, instance.n, instance.c
    V_teacher = np.swapaxes(teachers.random_unit(c, m, rng, (S,)), -1, -2)
    V = 0.5 * np.swapaxes(teachers.random_unit(c, n, rng, (S,)), -1, -2)
    teacher, student = (
        teachers.orthonormal(d, m, rng, (S,)),
        teachers.random_unit(d, n, rng, (S,)),
    )
    return TeacherStudent(teacher, student, V_teacher, V)


@lru_cache(maxsize=4)  # statement, controls and figure look at the same networks
def trained_weights(instance: Trained, device: str, projected: bool = True) -> tuple[Array, Array]:
    """``(W, V)`` of the ensemble after SGD of both layers."""
    students = TwoLayerStudents.from_problem(random_start(instance), device)
    train(
        students, lr=0.1, batch_size=64, steps=instance.steps, seed=instance.seed, projected=projected,
        train_V=True, record_at=[],
    )  # fmt: skip
    return students.weights()


def log_loss_after_pruning(problem: TeacherStudent, W: Array, V: Array, scores: Array, keep: int) -> Array:
    """log10 of the population loss with the ``keep`` best nodes by ``scores (..., n)``, one a network."""
    kept = select_nodes(W, V, keep_best(scores, keep))
    return np.log10(np.maximum(population_loss(problem, *kept), LOSS_FLOOR))


def three_scores(instance: Trained, problem: TeacherStudent, W: Array, V: Array) -> tuple[Array, ...]:
    """Scores ``(..., n)`` by ||w_j||, by ||v_j|| and by the Hessian's diagonal.

    On unit columns the norms ||w_j|| are equal: their order is rounding, so the choice is drawn.
    """
    rng = np.random.default_rng((instance.seed, 4))
    arbitrary = np.round(by_fan_in(W, V), 9) + 1e-9 * rng.random(V.shape[:-1])
    return arbitrary, by_fan_out(W, V), brain_damage_saliency(problem, W, V)


def modulation_evidence(instance: Trained, context: Context, swapped: bool = False) -> Evidence:
    """Paired: log10 loss after pruning by ||w_j|| minus after pruning by ||v_j||, same trained network."""
    problem = random_start(instance)
    W, V = trained_weights(instance, context.device)
    by_w, by_v, by_hessian = (
        log_loss_after_pruning(problem, W, V, score, instance.keep)
        for score in three_scores(instance, problem, W, V)
    )
    difference = by_v - by_w if swapped else by_w - by_v
    before = np.log10(np.maximum(population_loss(problem, W, V), LOSS_FLOOR))
    return exceeds(
        difference, 0.0, context,
        log10_loss_trained=float(before.mean()), log10_loss_by_fan_out=float(by_v.mean()),
        log10_loss_by_weight_norm=float(by_w.mean()), log10_loss_by_hessian=float(by_hessian.mean()),
    )  # fmt: skip


def pruning_figure(verdict: Verdict) -> Figure:
    """Loss after pruning to k nodes by the three scores: mean over networks, bars of two standard errors."""
    instance = Trained()
    problem = random_start(instance)
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


PRINTED = Statement(
    key="luckmatters.theorem5.pruning",
    form=Form.PRINTED,
    title="Pruning by top-down modulation",
    claim="Pruning nodes by ‖v_j‖ costs less loss than pruning them by ‖w_j‖\n"
    "(judged on unit columns: mean over seeds of log₁₀ J(by ‖w‖) − log₁₀ J(by ‖v‖) > 0)",
    source=Source(LUCK_MATTERS, NUMBER),
    expected=Outcome.HOLDS,
    instance_type=Trained,
    instances=trained,
    examples=[Trained()],
    evidence=modulation_evidence,
    controls=[
        Control("the two rules exchanged", lambda context: modulation_evidence(Trained(), context, True))
    ],
    cost=Cost(1, 8, 40),
    figure=pruning_figure,
    remark="On unit columns ‖w_j‖ says nothing. Without normalisation see the next two statements: there "
    "the two orders "
    "largely agree, and neither norm alone is the right score.",
)


def saliency_evidence(instance: Solved, context: Context, scale: float = 3.0, score: str = "obd") -> Evidence:
    """Loss after removing each node of a solved network against its score, whatever the node's own scaling."""
    problem = at_the_limit(instance)
    rng = np.random.default_rng((instance.seed, 5))
    factor = np.exp(rng.uniform(-np.log(scale), np.log(scale), instance.n))
    W, V = problem.student_W * factor, problem.student_V / factor[:, None]
    # All nodes removed at once, one an ensemble member.
    without = V * (1 - np.eye(instance.n))[:, :, None]
    lost = population_loss(problem, W, without)
    scores = {
        "obd": brain_damage_saliency(problem, W, V),
        "contribution": by_contribution(W, V) ** 2 / 4,
        "fan-out": by_fan_out(W, V) ** 2 / 4,
    }
    worst = float(np.abs(lost - scores[score]).max())
    # Rounding of three sums of (n + m)^2 terms, each at most scale^2 times a squared unit norm.
    terms = (instance.n + instance.m) ** 2
    return Evidence.close(
        worst, predicted=0.0, tolerance=4 * terms * float(np.finfo(float).eps), loss=lost.tolist()
    )


SHARP = Statement(
    key="luckmatters.theorem5.pruning",
    form=Form.SHARP,
    title="Pruning: the Hessian's saliency is the loss",
    claim="At zero loss, removing node j costs exactly ½ l_jj ‖v_j‖² = ¼ ‖w_j‖² ‖v_j‖²:\n"
    "optimal brain damage of its fan-out is exact, and the right score is ‖w_j‖ ‖v_j‖",
    source=Source(LUCK_MATTERS, NUMBER, "the formula is ours"),
    expected=Outcome.HOLDS,
    instance_type=Solved,
    instances=solved,
    evidence=saliency_evidence,
    controls=[
        Control(
            "¼ ‖v_j‖² alone, nodes rescaled",
            lambda context: saliency_evidence(Solved(), context, score="fan-out"),
        ),
        Control(
            "¼ ‖w_j‖² ‖v_j‖²",
            lambda context: saliency_evidence(Solved(), context, score="contribution"),
            must_hold=True,
        ),
    ],
    remark="The paper's ‖v_j‖ is this score on unit columns (BatchNorm). Elsewhere rescaling a node to (a "
    "w_j, v_j / a) "
    "changes ‖v_j‖ and not the function, so ‖v_j‖ alone can prune a lucky node.",
)


@dataclass(frozen=True)
class AnyWeights:
    """Random teacher and student, no relation between them."""

    d: int = 2
    m: int = 1
    n: int = 2
    c: int = 1
    seed: int = 0


def any_weights(budget: Budget) -> st.SearchStrategy[AnyWeights]:
    """Up to 8 inputs, 4 teachers, 10 students, 4 outputs."""
    integers = st.integers
    return st.builds(
        lambda d, m, extra, c, seed: AnyWeights(d, m, m + extra, c, seed),
        integers(2, 8),
        integers(1, 4),
        integers(0, 6),
        integers(1, 4),
        integers(0, 2**20),
    )


def balance_evidence(instance: AnyWeights, context: Context, projected: bool = False) -> Evidence:
    """d/dt (||w_j||^2 - ||v_j||^2) of the exact population gradient flow, relative to the speeds."""
    rng = np.random.default_rng((instance.seed, 6))
    draw, (d, m, n, c) = rng.standard_normal, (instance.d, instance.m, instance.n, instance.c)
    W = draw((d, n))
    W = W / np.linalg.norm(W, axis=0) if projected else W
    teacher_W = teachers.orthonormal(d, min(m, d), rng)
    problem = TeacherStudent(teacher_W, W, draw((teacher_W.shape[1], c)), draw((n, c)))
    flow = GradientFlow(problem, projected=projected)
    speed = flow.unpack(flow(0.0, flow.initial_state()))
    V = problem.student_V
    drift = 2 * np.sum(W * speed["W"], axis=0) - 2 * np.sum(V * speed["V"], axis=1)
    sizes = np.linalg.norm(W, axis=0) * np.linalg.norm(W, axis=0).sum() * np.linalg.norm(V, axis=1)
    scale = 1 + float(np.max(sizes) * np.linalg.norm(V, axis=1).sum())
    tolerance = 8 * (n + m) * float(np.finfo(float).eps) * scale
    return Evidence.close(float(np.abs(drift).max()), predicted=0.0, tolerance=tolerance)


BALANCE = Statement(
    key="luckmatters.theorem5.pruning.balance",
    form=Form.SHARP,
    title="Without normalisation fan-in and fan-out die together",
    claim="Exact gradient flow without projection: d/dt (‖w_j‖² − ‖v_j‖²) = 0 at every node",
    source=Source(LUCK_MATTERS, NUMBER, "what it hides; the conservation law of homogeneous networks"),
    expected=Outcome.HOLDS,
    instance_type=AnyWeights,
    instances=any_weights,
    evidence=balance_evidence,
    controls=[Control("projected flow", lambda context: balance_evidence(AnyWeights(), context, True))],
    remark="Hence ‖v_k‖² ≥ ‖v_k⁰‖² − ‖w_k⁰‖²: without projection V_r → 0 is impossible for a node that starts with "
    "‖v_k⁰‖ > ‖w_k⁰‖, and from a balanced start ‖v_k‖ → 0 drags ‖w_k‖ → 0 along, so that pruning by ‖w‖ and by ‖v‖ "
    "is the same rule. The remark needs the projection (BatchNorm).",
)
