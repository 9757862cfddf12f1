"""What the remark on pruning hides: without normalisation fan-in and fan-out norms move together."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np

from dynamics.two_layer import teachers
from dynamics.two_layer.flows import GradientFlow
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import (
    LUCK_MATTERS,
    SEED,
    Budget,
    Context,
    Evidence,
    Instance,
    Item,
    Source,
    fixed,
    integers,
)

BALANCE = Item(
    "luckmatters.theorem5.pruning.balance",
    Source(
        LUCK_MATTERS,
        "remark 'Understanding of pruning methods'",
        "what it hides; the conservation law of homogeneous networks",
        version="v4",
        section="3.3",
    ),
)


@dataclass(frozen=True)
class AnyWeights(Instance):
    """Random teacher and student, no relation between them."""

    d: int = fixed(2, integers(1))
    m: int = fixed(1, integers(1))
    n: int = fixed(2, integers(1))
    c: int = fixed(1, integers(1))
    seed: int = fixed(0, SEED)

    def impossible(self) -> str:
        """Orthonormal teachers, a student for each."""
        if self.m > self.d:
            return "expected m <= d for orthonormal teachers"
        return "expected at least as many students as teachers" if self.n < self.m else ""

    def problem(self, *, unit_columns: bool) -> TeacherStudent:
        """The networks: Gaussian weights but for the teacher's orthonormal fan-ins."""
        rng = np.random.default_rng((self.seed, 6))
        W = rng.standard_normal((self.d, self.n))
        W = W / np.linalg.norm(W, axis=0) if unit_columns else W
        teacher_W = teachers.orthonormal(self.d, self.m, rng)
        teacher_V = rng.standard_normal((self.m, self.c))
        return TeacherStudent(teacher_W, W, teacher_V, rng.standard_normal((self.n, self.c)))


def any_weights(budget: Budget) -> st.SearchStrategy[AnyWeights]:
    """Up to 8 inputs, 4 teachers, 10 students, 4 outputs."""
    return st.builds(
        lambda d, m, extra, c, seed: AnyWeights(d, min(m, d), m + extra, c, seed),
        st.integers(2, 8),
        st.integers(1, 4),
        st.integers(0, 6),
        st.integers(1, 4),
        st.integers(0, 2**20),
    )


@BALANCE.claim(
    "sharp",
    expected="holds",
    on=AnyWeights,
    draw=any_weights,
    compares=("largest |d/dt (‖w_j‖² − ‖v_j‖²)|", "=", "0"),
)
def norms_die_together(
    instance: AnyWeights, context: Context, *, projected: bool = False, uneven: float = 0.0
) -> Evidence:
    """Without normalisation fan-in and fan-out die together

    Exact gradient flow without projection: d/dt (‖w_j‖² − ‖v_j‖²) = 0 at every node

    Hence ‖v_k‖² ≥ ‖v_k⁰‖² − ‖w_k⁰‖²: without projection V_r → 0 is impossible for a node that starts with
    ‖v_k⁰‖ > ‖w_k⁰‖, and from a balanced start ‖v_k‖ → 0 drags ‖w_k‖ → 0 along, so that pruning by ‖w‖ and by ‖v‖ is the
    same rule. The remark needs the projection (BatchNorm).
    """
    problem = instance.problem(unit_columns=projected)
    flow = GradientFlow(problem, projected=projected)
    speed = flow.unpack(flow(0.0, flow.initial_state()))
    W, V = problem.student_W, problem.student_V
    # ``uneven``: the fan-outs counted more than the fan-ins, by this share.
    drift = 2 * np.sum(W * speed["W"], axis=0) - 2 * (1 + uneven) * np.sum(V * speed["V"], axis=1)
    sizes = np.linalg.norm(W, axis=0) * np.linalg.norm(W, axis=0).sum() * np.linalg.norm(V, axis=1)
    # The rounding of a sum of n + m terms, each at most this large.
    scale = 1 + float(np.max(sizes) * np.linalg.norm(V, axis=1).sum())
    tolerance = 8 * (instance.n + instance.m) * float(np.finfo(float).eps) * scale
    return Evidence.close(float(np.abs(drift).max()), predicted=0.0, tolerance=tolerance)


norms_die_together.rejects("‖v‖² counted more by 1e-12", AnyWeights(), uneven=1e-12)
norms_die_together.rejects("projected flow", AnyWeights(), projected=True)

norms_die_together.errs(
    says="v4, section 3.3: V_r → 0 under top-down modulation",
    true="it needs the projection: the exact gradient flow conserves ‖w_j‖² − ‖v_j‖²",
    impact="substance",
    matters="without normalisation fan-in and fan-out die together and pruning by either is the same rule",
)
