"""A claim that is false, and what one sees of it: the smallest counterexample, and one that tells more.

    luckproof verify --from examples/a_false_claim.py

It sounds right: near the solution of Theorem 4's flow every student is on its own teacher and no two teachers are
alike, so each should go home as if it were alone, at rate 1/2. Two teachers are enough to refute it: what turns both
students at once moves the network's output by less than what turns one of them.
"""

from dataclasses import dataclass

import hypothesis.strategies as st
import mpmath as mp

from luckproof import (
    SEARCH,
    Context,
    Evidence,
    Instance,
    Item,
    ProjectedFlow,
    Source,
    TeacherStudent,
    drawn,
    integers,
    spectral_rate,
    teachers,
)

CLAIM = Item(
    "ours.alone", Source("A conjecture of ours", "Students of orthonormal teachers are alone in the end")
)


@dataclass(frozen=True)
class Teachers(Instance):
    """m orthonormal teachers in m + extra dimensions."""

    m: int = drawn(1, st.integers(1, 6), integers(1, 20))
    extra: int = drawn(1, st.integers(0, 4), integers(0, 20), "dimensions beyond m")

    def impossible(self) -> str:
        return "expected a dimension to move in" if self.m + self.extra < 2 else ""


def all_of_them(budget):
    return st.builds(Teachers, m=st.integers(1, 6), extra=st.integers(1, 4))


@CLAIM.claim(
    "printed",
    expected="refuted",
    on=Teachers,
    draw=all_of_them,
    cost=SEARCH,
    compares=("late rate of the flow", "≥", "1/2, that of one student"),
    telling=lambda instance: instance.m >= 3,
)
def as_if_alone(instance: Teachers, context: Context, *, alone: bool = False) -> Evidence:
    """Students of orthonormal teachers recover them as fast as one student its teacher

    slowest rate of Theorem 4's flow at W = W* ≥ 1/2
    """
    teacher = teachers.orthonormal(instance.m + instance.extra, instance.m, 0)
    flow = ProjectedFlow(TeacherStudent(teacher, teacher), modulation="matched" if alone else "uniform")
    rate, tolerance = spectral_rate(flow), 1e-7 * instance.m  # of differences of the flow
    margin = rate - 0.5 + tolerance
    return Evidence(predicted=0.5, measured=rate, margin=margin, tolerance=tolerance)


@as_if_alone.confirmed_precisely(digits=30)
def turned_together(instance: Teachers, *, alone: bool = False) -> Evidence:
    """In thirty digits: the slowest rate is at most the curvature of the loss along one direction.

    Two students move oppositely along a third axis. With independent normal inputs it is
    E[(1(x_1 > 0) - 1(x_2 > 0))^2 x_3^2] / 2 = 1/4. In two dimensions student 1 moves towards teacher 2, student 2 away
    from teacher 1: E[(1(x_1 > 0) x_2 - 1(x_2 > 0) x_1)^2] / 2 = 1/2 - 1/2 pi. Of one student it is 1/2.
    """
    with mp.workdps(30):
        half = mp.mpf(1) / 2
        together = half / 2 if instance.m + instance.extra > 2 else half - 1 / (2 * mp.pi)
        bound = half if alone or instance.m < 2 else together
        return Evidence(predicted=0.5, measured=float(bound), margin=float(bound - half))


as_if_alone.accepts("one teacher", Teachers(m=1))
as_if_alone.accepts("each student sees itself and its own teacher alone", Teachers(m=3), alone=True)
as_if_alone.rejects("two teachers", Teachers(m=2))
