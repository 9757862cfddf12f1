"""Winner-take-all (introduction): how many students end up on one teacher, and whether the early leader wins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dynamics.arrays import Array
from dynamics.geometry.angles import angles
from dynamics.two_layer.problem import TeacherStudent
from nets.deep.node_matching import effective_number
from verify.judging import LUCK_MATTERS, Context, Evidence, Item, Source, Verdict
from verify.mathematics.mean_over_seeds import falls_below
from verify.mathematics.runs.random_ensembles import Trained, trained_weights

WINNER_TAKE_ALL = Item(
    "luckmatters.introduction.winner_take_all",
    Source(LUCK_MATTERS, "paragraph 'Implicit regularization'", version="v4", section="1"),
)

ENSEMBLE = Trained(d=10, m=5, n=25, c=5, keep=5, networks=48, steps=3000)


@dataclass(frozen=True)
class Coverage:
    """Who explains which teacher: ``angle, first_angle, shares (S, n, m)``.

    ``angle`` and ``first_angle``: of every student to every teacher after and before training; ``shares``: each
    student's share of each teacher after training.
    """

    angle: Array
    first_angle: Array
    shares: Array


@lru_cache(maxsize=4)  # the statements and their controls look at the same networks
def covered(instance: Trained, device: str) -> Coverage:
    """Train from random initialisation, and see which students explain which teacher."""
    problem = instance.start()
    W, V = trained_weights(instance, device)
    angle = angles(W, problem.teacher_W)
    return Coverage(angle, angles(problem.student_W, problem.teacher_W), shares_of(problem, angle, V))


def shares_of(problem: TeacherStudent, angle: Array, V: Array) -> Array:
    """Each student's share ``max(v_j.v*_k, 0)`` of the teacher nearest to it, ``(S, n, m)``."""
    nearest = angle == angle.min(axis=-1, keepdims=True)
    return np.where(nearest, np.maximum(V @ np.swapaxes(problem.teacher_V, -1, -2), 0.0), 0.0)


def shares_before(instance: Trained, found: Coverage) -> Array:
    """The shares at initialisation, ``(S, n, m)``."""
    problem = instance.start()
    return shares_of(problem, found.first_angle, problem.student_V)


def owners(shares: Array) -> Array:
    """Effective number of owners of a teacher, in the mean over those that have any: ``(S, n, m) -> (S,)``."""
    number = effective_number(torch.as_tensor(np.swapaxes(shares, -1, -2))).numpy()
    return np.asarray(np.nanmean(number, axis=-1))


def ranks_of_winners(found: Coverage, winner: NDArray[np.integer[Any]]) -> Array:
    """How many students were nearer to each teacher at the start than its ``winner (S, m)``, ``(S, m)``."""
    own = np.take_along_axis(found.first_angle, winner[:, None, :], axis=1)
    return np.asarray((found.first_angle < own).sum(axis=1))


FEW = 2.0


@WINNER_TAKE_ALL.claim(
    "reading",
    expected="observed",
    on=Trained,
    draw=None,
    examples=(ENSEMBLE,),
    compares=("mean effective number of owners of a teacher", "≤", "2"),
    population="48 networks, m = 5, n = 25, random start",
    note="our reading of a few: fewer than two",
)
def few_students_explain_a_teacher(instance: Trained, context: Context) -> Evidence:
    """Winner-take-all: a teacher is explained by few students

    After training a teacher node is covered by a few student nodes rather than split among many
    (judged: effective number of owners (Σ s)² / Σ s² below 2, of n/m candidates)
    """
    found = covered(instance, context.device)
    shares = found.shares
    top = shares.max(axis=1) / np.maximum(shares.sum(axis=1), 1e-300)
    return falls_below(
        owners(shares),
        FEW,
        context,
        students_per_teacher=instance.n / instance.m,
        median_top_share=float(np.median(top)),
    )


@few_students_explain_a_teacher.drawn_by
def owners_before_and_after(verdict: Verdict) -> Figure:
    """Effective number of owners of a teacher, network by network, before and after training."""
    found = covered(ENSEMBLE, "cpu")
    figure = Figure(figsize=(5.4, 3.4), layout="constrained")
    axes = figure.subplots()
    before = owners(shares_before(ENSEMBLE, found))
    bins = np.linspace(1, max(4.0, float(before.max()) + 0.1), 40).tolist()
    axes.hist(owners(found.shares), bins, alpha=0.8, label="after training")
    axes.hist(before, bins, alpha=0.6, label="before")
    axes.axvline(FEW, color="0.4", ls=":")
    axes.set(xlabel="effective number of students of a teacher", ylabel="networks")
    axes.legend(frameon=False)
    return figure


MORE_STUDENTS = Trained(d=10, m=5, n=50, c=5, keep=5, networks=400)
"""Ten students a teacher: before training it has some four owners."""


def before_training(instance: Trained, context: Context) -> Evidence:
    """The claim about the shares at initialisation."""
    problem = instance.start()
    angle = angles(problem.student_W, problem.teacher_W)
    return falls_below(owners(shares_of(problem, angle, problem.student_V)), FEW, context)


few_students_explain_a_teacher.rejects_variant("before training", before_training, MORE_STUDENTS)


@WINNER_TAKE_ALL.claim(
    "reading",
    part="leader",
    expected="observed",
    on=Trained,
    draw=None,
    examples=(ENSEMBLE,),
    place="Section 1 and remark 'Faster convergence near w*' of Theorem 4",
    compares=("mean normalised rank of the winner at the start", "≤", "¼"),
    population="48 networks, m = 5, n = 25, random start",
    note="our reading of an initial overlap that is large",
)
def the_leader_wins(instance: Trained, context: Context, *, at_random: bool = False) -> Evidence:
    """Winner-take-all: the winner was ahead at the start

    The student that wins a teacher was among its nearest at initialisation (judged: mean normalised rank below ¼)

    The winner owns most of a teacher in the end. Rank 0: it was the nearest, 1: the farthest; ½ by chance.
    """
    found = covered(instance, context.device)
    winner = found.shares.argmax(axis=1)
    if at_random:
        winner = np.random.default_rng((instance.seed, 14)).integers(0, instance.n, winner.shape)
    rank = ranks_of_winners(found, winner) / (instance.n - 1)
    return falls_below(rank.mean(axis=-1), 0.25, context, share_of_first=float((rank == 0).mean()))


@the_leader_wins.drawn_by
def ranks_at_the_start(verdict: Verdict) -> Figure:
    """Rank at the start of the student that wins a teacher, all teachers of all networks."""
    found = covered(ENSEMBLE, "cpu")
    rank = ranks_of_winners(found, found.shares.argmax(axis=1)).ravel()
    figure = Figure(figsize=(5.4, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.hist(rank, (np.arange(ENSEMBLE.n + 1) - 0.5).tolist(), rwidth=0.85)
    axes.axhline(rank.size / ENSEMBLE.n, color="0.4", ls=":", label="winners drawn at random")
    axes.set(xlabel="rank of the winner at the start (0: nearest)", ylabel="teachers")
    axes.legend(frameon=False)
    return figure


the_leader_wins.rejects("winners drawn at random", ENSEMBLE, at_random=True)
