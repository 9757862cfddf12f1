"""Winner-take-all (introduction): how many students end up on one teacher, and whether the early leader wins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from dynamics.geometry import angles
from dynamics.problems import TeacherStudent
from nets.metrics import effective_number
from verify.effects import falls_below
from verify.luckmatters.many_to_one import Sharing, follow, start
from verify.luckmatters.pruning import Trained, random_start, trained_weights
from verify.statement import LUCK_MATTERS, Context, Control, Evidence, Form, Outcome, Source, Statement

Array = NDArray[np.float64]
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
    problem = random_start(instance)
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
        problem = random_start(instance)
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
    controls=[
        Control("winners drawn at random", lambda context: leader_evidence(EXAMPLE, context, shuffled=True))
    ],
)


def single_winner_evidence(instance: Sharing, context: Context, horizon: float = 1000.0) -> Evidence:
    """Share of the stronger of the students near one teacher, against 0.9."""
    share = follow(start(instance), np.array([0.0, horizon])).share[-1]
    return Evidence(0.9, float(share.max()), float(share.max()) - 0.9, details={"shares": share.tolist()})


def lone_student_evidence(context: Context) -> Evidence:
    """The same code with a second student that starts on the far side of the teacher."""
    problem = start(Sharing())
    far = TeacherStudent(
        problem.teacher_W, problem.student_W * [1, -1], problem.teacher_V, problem.student_V * [[1], [0]]
    )
    share = follow(far, np.array([0.0, 1000.0])).share[-1]
    return Evidence(0.9, float(share.max()), float(share.max()) - 0.9)


def confirm_mirror(instance: Sharing) -> Evidence:
    """Two mirror images about the teacher, c = 1: the flow keeps the mirror symmetry, so the shares are
    equal for ever.

    Verified on the flow itself: at mirror-image states the two students' speeds are mirror images to rounding, so
    neither share can get ahead of the other, and each ends with half.
    """
    from dynamics.flows import TwoLayerFlow

    worst = 0.0
    for theta in np.linspace(0.02, 0.6, 30):
        W = np.array([[np.cos(theta), np.cos(theta)], [np.sin(theta), -np.sin(theta)]])
        flow = TwoLayerFlow(TeacherStudent(np.eye(2)[:, :1], W, np.ones((1, 1)), np.full((2, 1), 0.4)))
        speed = flow.unpack(flow(0.0, flow.initial_state()))
        mirrored = speed["W"][:, 1] * [1, -1]
        worst = max(worst, float(np.abs(speed["W"][:, 0] - mirrored).max()), abs(float(np.ptp(speed["V"]))))
    top = 0.5 if worst < 1e-14 else np.nan
    return Evidence(0.9, top, top - 0.9, details={"asymmetry": worst})


SINGLE = Statement(
    key="luckmatters.introduction.winner_take_all.single",
    form=Form.PRINTED,
    title="Winner-take-all: one winner",
    claim="Students that start near one teacher compete until one of them takes it (judged: a share above 0.9)",
    source=Source(LUCK_MATTERS, "Section 1, 'winner-take-all'", "the strict reading"),
    expected=Outcome.REFUTED,
    instance_type=Sharing,
    examples=[Sharing(), Sharing(d=4, c=2, noise=0.2, seed=1)],
    evidence=single_winner_evidence,
    confirm=confirm_mirror,
    controls=[
        Control("a rival on the far side", lone_student_evidence, must_hold=True),
        Control("shares at t = 1", lambda context: single_winner_evidence(Sharing(), context, horizon=1.0)),
    ],
    remark="Students near one teacher share it in the proportions of the start; two mirror images do so for "
    "ever. 'A few' is right "
    "because few start near, not because the near ones fight it out.",
)
