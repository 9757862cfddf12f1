"""Many-to-one (remark on Theorem 5): two students near one teacher share it, and how slowly."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np

from dynamics.two_layer.problem import TeacherStudent
from verify.judging import (
    FLOW,
    LUCK_MATTERS,
    Assumption,
    CannotJudgeError,
    Context,
    Evidence,
    Item,
    Source,
    drawn_fields,
)
from verify.mathematics.runs.sharing import Sharing, follow, in_regime, smallest_share

MANY_TO_ONE = Item(
    "luckmatters.theorem5.many_to_one",
    Source(LUCK_MATTERS, "remark 'Many-to-one mapping'", version="v4", section="3.3"),
)

UNEVEN, WIDE = Sharing(noise=0.5, seed=3), Sharing(d=5, c=3, spread=0.34, noise=0.2, seed=315767)
LEFT_BEHIND = Sharing(d=4, students=3, spread=0.7, noise=0.6, seed=835)
"""The student with the smallest of three uneven shares loses it on the way."""

RESOLVED = 1e-4
"""Smallest spread judged: a tenth of it is left in the end, a hundred times the integrator's relative tolerance."""

OWN_TIMES = 10.0
"""Length of a run in the students' own time, in which ``theta = theta_0 / (1 + t)``."""


def own_time(instance: Sharing) -> float:
    """``pi / (s^2 theta_0)``, s the smallest share: k students with equal shares obey ``theta' = -theta^2 / (pi k^2)``.

    Two students with shares s and 1 - s at the angle delta from each other:
    ``delta' = -s^2 (1 - s)^2 / (pi (s^2 + (1 - s)^2)) delta^2``.
    """
    return float(np.pi / (smallest_share(instance) ** 2 * instance.spread))


def none_left_out(instance: Sharing) -> tuple[Assumption, ...]:
    """Two students apart and on the teacher's side, neither of them nearly without a share of it."""
    regime = in_regime(instance)
    least = smallest_share(instance) * instance.students
    return (
        *regime,
        Assumption.that("two students", instance.students == 2),
        Assumption.below("spread", instance.spread, 0.35, "rad"),
        Assumption.at_least("smallest share / an equal one", least, 0.6),
    )


@MANY_TO_ONE.claim(
    "reading",
    expected="holds",
    on=Sharing,
    draw=drawn_fields(Sharing, students=st.just(2)),
    assume=none_left_out,
    examples=[UNEVEN, WIDE],
    cost=FLOW.at_quick(3),
    note="our reading of 'in the vicinity': two students within 0.35 rad, with comparable shares; the paper says 'can'",
    compares=("largest angle or missing share in the end", "≤", "2θ₀ / 11"),
)
def students_share_a_teacher(instance: Sharing, context: Context, *, far_side: bool = False) -> Evidence:
    """Two students share one teacher

    Two students within 0.35 rad of a teacher node, no share below 0.6 of an equal one, both converge to it until it is
    fully explained:  w_j → w*,  Σ_j v_j → v*
    (judged: angles and missing share below 2θ₀/11 after ten units of their own time π / (s² θ₀), s the smaller share)

    The shares stay near where the start put them: nobody takes all. The approach is algebraic; see the sharp form. Of
    three or more the one with the least share can lose it before it arrives, and then stays where it is: shares of
    0.15, 0.45 and 0.31 at 0.7 rad end with the first at 0.46 rad and without a fan-out.
    """
    # In ten units of their own time both students get to the teacher like 1/t; their fan-outs add up to its own, and no
    # share is lost.
    if instance.spread < RESOLVED:
        raise CannotJudgeError(f"angles below {RESOLVED:g} are lost in the integrator's tolerance")
    problem = instance.start()
    if far_side:
        W = problem.student_W * [1, -1]
        problem = TeacherStudent(problem.teacher_W, W, problem.teacher_V, problem.student_V)
    course = follow(problem, np.array([0.0, OWN_TIMES * own_time(instance)]))
    # A factor 2 for uneven shares, whose own time is that of the smaller one, and for wide starts.
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
students_share_a_teacher.rejects("three with uneven shares: the least is left behind", LEFT_BEHIND)

WINDOW = np.array([0.0, 12.0, 24.0, 48.0])
"""Times at which J is compared, in the students' own time."""

LEAST_LOSS = 1e-11
"""Losses are differences of terms of order one: below this their cube root is not known to four digits."""

NARROWEST = 0.01
"""Spread from which the last loss compared, less than the cube of the last angle, spread / 49, is below LEAST_LOSS."""

LOST = "the loss has fallen to rounding before it is compared"


@MANY_TO_ONE.claim(
    "sharp",
    expected="holds",
    on=Sharing,
    # With more students several pairs are seen at once, each with its own constant.
    draw=drawn_fields(Sharing, students=st.just(2), spread=st.sampled_from([0.2, 0.3])),
    assume=none_left_out,
    cost=FLOW.at_quick(3),
    note="the orders are those of Xu and Du, COLT 2023, for one teacher neuron",
    compares=("ratio of late to early growth of J^(−1/3)", "≈", "1"),
)
def algebraically(instance: Sharing, context: Context, *, students: int = 2) -> Evidence:
    """Shared teachers are learned algebraically

    Two students that share a teacher approach it like θ ~ 1/t and J ~ 1/t³, not exponentially
    (judged: J^(−1/3) grows over their own times 24 to 48 as fast as over 12 to 24, but for twice the largest angle, in
      radians, at 12: the next order)

    At w_j = w* only Σ v_j δw_j and Σ δv_j appear in the linearised flow; differences among the sharers are flat. So a
    rate 1 − ηλ̄γ as in Theorem 5 cannot hold for a many-to-one mapping, whatever γ.
    """
    # J^(-1/3) grows linearly in t: its slopes over [12, 24] and over [24, 48] own times are equal.
    if instance.spread < NARROWEST:
        raise CannotJudgeError(LOST)
    problem, t = instance.start(), WINDOW * own_time(instance)
    if students == 1:
        W = problem.student_W[:, :1]
        problem = TeacherStudent(problem.teacher_W, W, problem.teacher_V, problem.teacher_V)
        t = np.array([0.0, 5.0, 10.0, 20.0])  # a lone student is at rounding by t = 100
    course = follow(problem, t)
    if students > 1 and course.loss[-1] < LEAST_LOSS:
        raise CannotJudgeError(LOST)
    grown = np.maximum(course.loss[1:], 1e-300) ** (-1 / 3)
    early, late = np.diff(grown) / np.diff(t[1:])
    # theta' = -k theta^2 (1 + O(theta)): the slopes differ by the first neglected order, a few theta.
    angle = float(course.angle[1].max())
    return Evidence.close(
        float(late / early), predicted=1.0, tolerance=2 * angle, angle=angle, loss=course.loss.tolist()
    )


for _statement in (students_share_a_teacher, algebraically):
    _statement.excludes("three students", LEFT_BEHIND, "two students")
    _statement.excludes("nearer to one another than half the spread", Sharing(seed=8), "students apart")
    _statement.excludes("students on the teacher", Sharing(spread=0.0), "spread > 0")
    _statement.excludes("students 0.8 rad off", Sharing(spread=0.8), "spread < π/4")
    _statement.excludes("students 0.35 rad off", Sharing(spread=0.35), "spread < 0.35")
    _statement.excludes("a share of 0.06", Sharing(noise=1.0), "smallest share / an equal one")
    _statement.includes("shares of 0.39 and 0.61", UNEVEN)

algebraically.rejects("one student (exponential)", Sharing(), students=1)

algebraically.errs(
    says="v4, section 3.3, remark 'Many-to-one mapping': two students may converge to one teacher (left to future "
    "work)",
    true="they do, algebraically: θ ~ 1/t, J ~ 1/t³, with θ' = −θ²/(πk²) for k equal shares (measured; exact to "
    "0.1 % for pairs), from 0.35 rad and comparable shares on; of three with unequal shares the least can lose its own "
    "before it arrives (shares 0.15, 0.45, 0.31 at 0.7 rad: it ends at 0.46 rad without a fan-out)",
    impact="substance",
    matters="a rate 1 − ηλ̄γ as in Theorem 5 cannot hold for many-to-one",
)
