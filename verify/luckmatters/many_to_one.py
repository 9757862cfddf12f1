"""Many-to-one (remark on Theorem 5): two students near one teacher share it, and how slowly."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np

from dynamics.two_layer.problem import TeacherStudent
from verify.judging import FLOW, LUCK_MATTERS, Context, Evidence, Item, Source, drawn_fields
from verify.mathematics.runs.sharing import Sharing, follow, in_regime

MANY_TO_ONE = Item(
    "luckmatters.theorem5.many_to_one",
    Source(LUCK_MATTERS, "remark 'Many-to-one mapping'", version="v4", section="3.3"),
)

OWN_TIMES = 10.0
"""Length of a run in the students' own time, in which ``theta = theta_0 / (1 + t)``."""


def own_time(instance: Sharing) -> float:
    """``pi k^2 / theta_0``: k students with equal shares obey ``theta' = -theta^2 / (pi k^2)`` (sharp for two)."""
    return np.pi * instance.students**2 / instance.spread


@MANY_TO_ONE.claim(
    "printed",
    expected="holds",
    on=Sharing,
    assume=in_regime,
    examples=[Sharing(d=3, students=4, spread=0.1, noise=0.0), Sharing(5, 4, 3, 0.1, 0.2, 315767)],
    cost=FLOW.at_quick(3),
    compares=("largest angle or missing share in the end", "≤", "2θ₀ / 11"),
)
def students_share_a_teacher(instance: Sharing, context: Context, *, far_side: bool = False) -> Evidence:
    """Several students share one teacher

    Two (or more) students near a teacher node all converge to it until it is fully explained:
    w_j → w*,  Σ_j v_j → v*

    The shares stay near where the start put them: nobody takes all. The approach is algebraic, in units of π k²/θ₀ for
    k students; see the sharp form.
    """
    # In ten units of their own time all students get to the teacher like 1/t; their fan-outs add up to its own, and no
    # share is lost.
    problem = instance.start()
    if far_side:
        W = problem.student_W * [1, -1]
        problem = TeacherStudent(problem.teacher_W, W, problem.teacher_V, problem.student_V)
    course = follow(problem, np.array([0.0, OWN_TIMES * own_time(instance)]))
    # A factor 2 for uneven shares and for three or more, of which each pair has its own constant.
    limit = 2 * instance.spread / (1 + OWN_TIMES)
    angle, missing, share = course.angle[-1], float(course.missing[-1]), course.share[-1]
    return Evidence.at_most(
        max(float(angle.max()), missing, -float(share.min())),
        bound=limit,
        tolerance=0.0,
        angles=angle.tolist(),
        shares=share.tolist(),
        missing=missing,
    )


students_share_a_teacher.rejects("one student on the far side of the teacher", Sharing(), far_side=True)

WINDOW = np.array([0.0, 500.0, 1000.0, 2000.0])


@MANY_TO_ONE.claim(
    "sharp",
    expected="holds",
    on=Sharing,
    # With more students several pairs are seen at once, each with its own constant.
    draw=drawn_fields(Sharing, students=st.just(2), spread=st.sampled_from([0.2, 0.3])),
    assume=in_regime,
    cost=FLOW.at_quick(3),
    note="the orders are those of Xu and Du, COLT 2023, for one teacher neuron",
    compares=("ratio of late to early growth of J^(−1/3)", "≈", "1"),
)
def algebraically(instance: Sharing, context: Context, *, students: int = 2) -> Evidence:
    """Shared teachers are learned algebraically

    Two students that share a teacher approach it like θ ~ 1/t and J ~ 1/t³, not exponentially

    At w_j = w* only Σ v_j δw_j and Σ δv_j appear in the linearised flow; differences among the sharers are flat. So a
    rate 1 − ηλ̄γ as in Theorem 5 cannot hold for a many-to-one mapping, whatever γ.
    """
    # J^(-1/3) grows linearly in t: its slopes over [500, 1000] and over [1000, 2000] are equal.
    problem, t = instance.start(), WINDOW
    if students == 1:
        W = problem.student_W[:, :1]
        problem = TeacherStudent(problem.teacher_W, W, problem.teacher_V, problem.teacher_V)
        t = WINDOW / 100  # a lone student is at rounding by t = 500
    course = follow(problem, t)
    grown = np.maximum(course.loss[1:], 1e-300) ** (-1 / 3)
    early, late = np.diff(grown) / np.diff(t[1:])
    # theta' = -k theta^2 (1 + O(theta)): the slopes differ by the first neglected order, a few theta.
    angle = float(course.angle[1].max())
    return Evidence.close(
        float(late / early), predicted=1.0, tolerance=5 * angle, angle=angle, loss=course.loss.tolist()
    )


algebraically.rejects("one student (exponential)", Sharing(), students=1)

algebraically.errs(
    says="v4, section 3.3, remark 'Many-to-one mapping': two students may converge to one teacher (left to future "
    "work)",
    true="they do, algebraically: θ ~ 1/t, J ~ 1/t³, with θ' = −θ²/(πk²) for k equal shares (measured; exact to "
    "0.1 % for pairs)",
    impact="substance",
    matters="a rate 1 − ηλ̄γ as in Theorem 5 cannot hold for many-to-one",
)
