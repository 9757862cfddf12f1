"""Winner-take-all (introduction): how many students end up on one teacher, and whether the early leader wins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import hypothesis.strategies as st
import mpmath as mp
import numpy as np
import torch
from matplotlib.figure import Figure

from dynamics.arrays import Array
from dynamics.geometry.angles import angles
from dynamics.two_layer.flows import TwoLayerFlow
from dynamics.two_layer.problem import TeacherStudent
from nets.deep.node_matching import effective_number
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
from verify.mathematics.mean_over_seeds import falls_below
from verify.mathematics.precise.kernels import dot
from verify.mathematics.precise.two_layer_flow import DIGITS, TwoLayerReference
from verify.mathematics.runs.random_ensembles import Trained, trained_weights
from verify.mathematics.runs.sharing import Sharing, follow, in_regime

SOURCE = Source(LUCK_MATTERS, "Section 1, 'Implicit regularization'")


@dataclass(frozen=True)
class Coverage:
    """``angle, first_angle (S, n, m)`` to every teacher after and before training; ``shares (S, n, m)`` of
    each teacher."""

    angle: Array
    first_angle: Array
    shares: Array


@lru_cache(maxsize=4)  # the statements and their controls look at the same networks
def covered(instance: Trained, device: str) -> Coverage:
    """Train from random initialisation. A student's share of the teacher nearest to it is ``max(v_j^T
    v*_k, 0)``."""
    problem = instance.start()
    W, V = trained_weights(instance, device)
    angle = angles(W, problem.teacher_W)
    return Coverage(angle, angles(problem.student_W, problem.teacher_W), shares_of(problem, angle, V))


def shares_of(problem: TeacherStudent, angle: Array, V: Array) -> Array:
    """Each student's share ``max(v_j.v*_k, 0)`` of the teacher nearest to it, ``(S, n, m)``."""
    nearest = angle == angle.min(axis=-1, keepdims=True)
    return np.where(nearest, np.maximum(V @ np.swapaxes(problem.teacher_V, -1, -2), 0.0), 0.0)


def owners(shares: Array) -> Array:
    """Effective number of owners of each teacher, averaged over the teachers that have any: ``(S, n, m) ->
    (S,)``."""
    number = effective_number(torch.as_tensor(np.swapaxes(shares, -1, -2))).numpy()
    return np.asarray(np.nanmean(number, axis=-1))


FEW = 2.0


def few_evidence(instance: Trained, context: Context, untrained: bool = False) -> Evidence:
    """Effective number of students that explain a teacher, against 2."""
    found = covered(instance, context.device)
    shares = found.shares
    if untrained:
        problem = instance.start()
        shares = shares_of(problem, found.first_angle, problem.student_V)
    number = owners(shares)
    top = shares.max(axis=1) / np.maximum(shares.sum(axis=1), 1e-300)
    return falls_below(
        number, FEW, context, students_per_teacher=instance.n / instance.m, median_top_share=float(np.median(top))
    )  # fmt: skip


def leader_evidence(instance: Trained, context: Context, shuffled: bool = False) -> Evidence:
    """Rank at initialisation (0 nearest, 1 farthest) of the student that owns most of a teacher in the
    end; 1/2 by chance."""
    found = covered(instance, context.device)
    winner = found.shares.argmax(axis=1)
    if shuffled:
        winner = np.random.default_rng((instance.seed, 14)).integers(0, instance.n, winner.shape)
    own = np.take_along_axis(found.first_angle, winner[:, None, :], axis=1)
    rank = (found.first_angle < own).sum(axis=1) / (instance.n - 1)
    return falls_below(rank.mean(axis=-1), 0.25, context, share_of_first=float((rank == 0).mean()))


EXAMPLE = Trained(d=10, m=5, n=25, c=5, keep=5, networks=48, steps=3000)


def owners_figure(verdict: Verdict) -> Figure:
    """Effective number of owners of a teacher, network by network, before and after training."""
    found, problem = covered(EXAMPLE, "cpu"), EXAMPLE.start()
    figure = Figure(figsize=(5.4, 3.4), layout="constrained")
    axes = figure.subplots()
    before = owners(shares_of(problem, found.first_angle, problem.student_V))
    bins = np.linspace(1, max(4.0, float(before.max()) + 0.1), 40).tolist()
    axes.hist(owners(found.shares), bins, alpha=0.8, label="after training")
    axes.hist(before, bins, alpha=0.6, label="before")
    axes.axvline(FEW, color="0.4", ls=":")
    axes.set(xlabel="effective number of students of a teacher", ylabel="networks")
    axes.legend(frameon=False)
    return figure


def ranks_figure(verdict: Verdict) -> Figure:
    """Rank at the start of the student that wins a teacher, all teachers of all networks."""
    found = covered(EXAMPLE, "cpu")
    own = np.take_along_axis(found.first_angle, found.shares.argmax(axis=1)[:, None, :], axis=1)
    rank = (found.first_angle < own).sum(axis=1).ravel()
    figure = Figure(figsize=(5.4, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.hist(rank, (np.arange(EXAMPLE.n + 1) - 0.5).tolist(), rwidth=0.85)
    axes.axhline(rank.size / EXAMPLE.n, color="0.4", ls=":", label="winners drawn at random")
    axes.set(xlabel="rank of the winner at the start (0: nearest)", ylabel="teachers")
    axes.legend(frameon=False)
    return figure


FEW_OWNERS = Statement(
    key="luckmatters.introduction.winner_take_all",
    form=Form.PRINTED,
    title="Winner-take-all: a teacher is explained by few students",
    claim="After training a teacher node is covered by a few student nodes rather than split among many\n"
    "(judged: effective number of owners (Σ s)² / Σ s² below 2, of n/m candidates)",
    source=SOURCE,
    expected=Outcome.HOLDS,
    instance_type=Trained,
    examples=[EXAMPLE],
    evidence=few_evidence,
    figure=owners_figure,
    controls=[Control("before training", lambda context: few_evidence(EXAMPLE, context, untrained=True))],
)

LEADER = Statement(
    key="luckmatters.introduction.winner_take_all.leader",
    form=Form.PRINTED,
    title="Winner-take-all: the winner was ahead at the start",
    claim="The student that wins a teacher was among its nearest at initialisation (judged: mean normalised "
    "rank below ¼)",
    source=Source(LUCK_MATTERS, "Section 1 and remark 'Faster convergence near w*' of Theorem 4"),
    expected=Outcome.HOLDS,
    instance_type=Trained,
    examples=[EXAMPLE],
    evidence=leader_evidence,
    figure=ranks_figure,
    controls=[
        Control("winners drawn at random", lambda context: leader_evidence(EXAMPLE, context, shuffled=True))
    ],
)


def rivals(budget: Budget) -> st.SearchStrategy[Sharing]:
    """Two or three students of one teacher, with shares up to a fifth apart."""
    integers = st.integers
    return st.builds(
        Sharing, integers(3, 6), integers(2, 3), integers(1, 3), st.sampled_from([0.1, 0.2, 0.3]),
        st.sampled_from([0.0, 0.1, 0.2]), integers(0, 2**20),
    )  # fmt: skip


def shares_figure(verdict: Verdict) -> Figure:
    """Shares of one teacher over time, two and three students near it."""
    figure = Figure(figsize=(5.4, 3.6), layout="constrained")
    axes = figure.subplots()
    times = np.concatenate([[0.0], np.geomspace(0.1, 1000.0, 60)])
    for instance, style in ((Sharing(noise=0.2), "-"), (Sharing(students=3, noise=0.2, seed=1), "--")):
        shares = follow(instance.start(), times).share
        for index in range(instance.students):
            label = f"{instance.students} students" if index == 0 else None
            axes.plot(times[1:], shares[1:, index], style, color=f"C{index}", label=label)
    axes.axhline(WINS, color="0.6", ls=":")
    axes.text(0.12, WINS - 0.02, "a winner's share", color="0.35", va="top")
    axes.set(xscale="log", xlabel="time", ylabel="share of the teacher", ylim=(0, 1))
    axes.legend(frameon=False, loc="upper right", bbox_to_anchor=(1, 0.88))
    return figure


WINS, SHARE_BLUR = 0.9, 1e-5
"""The share of a winner; shares are integrated to 1e-7."""


def single_winner_evidence(instance: Sharing, context: Context, horizon: float = 1000.0) -> Evidence:
    """Share of the stronger of the students near one teacher, against 0.9."""
    share = follow(instance.start(), np.array([0.0, horizon])).share[-1]
    top = float(share.max())
    return Evidence(
        predicted=WINS,
        measured=top,
        margin=top - WINS + SHARE_BLUR,
        tolerance=SHARE_BLUR,
        details={"shares": share.tolist()},
    )


def lone_student_evidence(context: Context) -> Evidence:
    """The same code with a second student that starts on the far side of the teacher."""
    problem = Sharing().start()
    far = TeacherStudent(
        problem.teacher_W, problem.student_W * [1, -1], problem.teacher_V, problem.student_V * [[1], [0]]
    )
    share = follow(far, np.array([0.0, 1000.0])).share[-1]
    return Evidence(predicted=WINS, measured=float(share.max()), margin=float(share.max()) - WINS)


def confirm_single(instance: Sharing) -> Evidence:
    """The flow in 30 digits up to t = 100; what the shares still change up to t = 1000 (a thousandth) from float64."""
    problem = instance.start()
    later = follow(problem, np.array([0.0, 100.0, 1000.0])).share[1:]
    drift = float(np.abs(np.diff(later, axis=0)).max())
    with mp.workdps(DIGITS):
        reference = TwoLayerReference(problem)
        _, V = reference.integrate(100, 200)
        goal = reference.teacher_V[0]
        top = float(max(dot(v, goal) for v in V) / dot(goal, goal))
    return Evidence(
        predicted=WINS, measured=top, margin=top + drift - WINS, tolerance=drift, details={"digits": DIGITS}
    )


def mirror_evidence(context: Context) -> Evidence:
    """Two mirror images about the teacher, c = 1: the flow keeps the symmetry, so each has half for ever.

    At mirror-image states the two students' speeds are mirror images to rounding: neither can get ahead.
    """
    worst = 0.0
    for theta in np.linspace(0.02, 0.6, 30):
        W = np.array([[np.cos(theta), np.cos(theta)], [np.sin(theta), -np.sin(theta)]])
        flow = TwoLayerFlow(TeacherStudent(np.eye(2)[:, :1], W, np.ones((1, 1)), np.full((2, 1), 0.4)))
        speed = flow.unpack(flow(0.0, flow.initial_state()))
        mirrored = speed["W"][:, 1] * [1, -1]
        worst = max(worst, float(np.abs(speed["W"][:, 0] - mirrored).max()), abs(float(np.ptp(speed["V"]))))
    top = 0.5 if worst < 1e-14 else np.nan
    return Evidence(predicted=WINS, measured=top, margin=top - WINS, details={"asymmetry": worst})


SINGLE = Statement(
    key="luckmatters.introduction.winner_take_all.single",
    form=Form.PRINTED,
    title="Winner-take-all: one winner",
    claim="Students that start near one teacher compete until one of them takes it (judged: a share above 0.9)",
    source=Source(LUCK_MATTERS, "Section 1, 'winner-take-all'", "the strict reading"),
    expected=Outcome.REFUTED,
    instance_type=Sharing,
    instances=rivals,
    assumptions=in_regime,
    evidence=single_winner_evidence,
    confirm=confirm_single,
    figure=shares_figure,
    cost=Cost(20, 100, 300),
    controls=[
        Control("a rival on the far side", lone_student_evidence, must_hold=True),
        Control("two mirror images", mirror_evidence),
        Control("shares at t = 1", lambda context: single_winner_evidence(Sharing(), context, horizon=1.0)),
    ],
    remark="Students near one teacher share it in the proportions of the start; two mirror images do so for "
    "ever. 'A few' is right "
    "because few start near, not because the near ones fight it out.",
)
