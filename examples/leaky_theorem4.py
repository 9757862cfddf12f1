"""A variant of Theorem 4 of Luck Matters: leaky ReLU in place of ReLU, as an input measure of one's own.

    luckproof verify --from examples/leaky_theorem4.py --attack 100 --report leaky.html --title "Theorem 4, leaky"

``relu_a(z) = (1 - a) relu(z) + a z``. Where x and -x are equally likely, ``E[relu(w.x) u.x] = w^T L_0 u / 2`` and
``P(w.x > 0) = 1/2``, so both kernels of leaky nodes follow from those of ReLU nodes and a linear part:

    psi_l^a(w, u) = (1 - a)^2 psi_l(w, u) + a w^T L_0 u,    psi_d^a(w, u) = (1 - a)^2 psi_d(w, u) + a.

A flow takes its kernels from the measure, so Theorem 4's flow on this measure is that of leaky students. On unit
columns and Gaussian input it is the exact population gradient flow, as it is for ReLU.
"""

from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np

from luckproof import (
    SAMPLING,
    SEARCH,
    SEED,
    Assumption,
    Context,
    Evidence,
    Instance,
    IsotropicGaussian,
    Item,
    ProjectedFlow,
    Source,
    TeacherStudent,
    drawn,
    integers,
    reals,
    spectral_rate,
    teachers,
)

NOTE = "A variant of Tian et al., Luck Matters (arXiv:1905.13405)"
KERNELS = Item("leaky.kernels", Source(NOTE, "Eqn 7 with leaky ReLU", version="v4", section="3.1"))
RATE = Item(
    "leaky.theorem4", Source(NOTE, "Theorem 4 with leaky ReLU, its late rate", version="v4", section="3.2")
)

RELU_RATE = 1 / 4 - 1 / (2 * np.pi)
"""Late rate of ReLU students of three or more orthonormal teachers."""


class LeakyGaussian(IsotropicGaussian):
    """Standard normal input, with the kernels of leaky ReLU nodes of ``slope``."""

    def __init__(self, dim, slope):
        super().__init__(dim)
        self.a = slope

    @property
    def slope(self):
        return self.a  # networks trained on this measure have leaky nodes too

    def kernels(self, A, B):
        psi_l, psi_d = super().kernels(A, B)
        share = (1 - self.a) ** 2
        return share * psi_l + self.a * np.swapaxes(A, -1, -2) @ B, share * psi_d + self.a

    def description(self):
        return super().description() | {"measure_slope": self.slope}


def leaky(z, slope):
    return np.where(z > 0, z, slope * z)


@dataclass(frozen=True)
class Leaky(Instance):
    """m orthonormal teachers in d dimensions, students at ``theta0`` from them, nodes of slope ``slope``."""

    m: int = drawn(3, st.integers(1, 6), integers(1, 20))
    extra: int = drawn(1, st.integers(1, 3), integers(0, 20), "dimensions beyond m")
    slope: float = drawn(0.1, st.floats(0.0, 0.9), reals(-1.0, 0.95))
    seed: int = drawn(0, st.integers(0, 1000), SEED)

    @property
    def flow(self):
        rng = np.random.default_rng(self.seed)
        measure = LeakyGaussian(self.m + self.extra, self.slope)
        teacher = teachers.orthonormal(measure.dim, self.m, rng)
        return ProjectedFlow(TeacherStudent.at_angle(teacher, 0.2, rng, measure=measure))


@KERNELS.claim(
    "reading",
    expected="holds",
    on=Leaky,
    cost=SAMPLING,
    compares=("E[relu_a(w.x) relu_a(u.x)], sampled", "=", "psi_l^a"),
)
def kernels(instance: Leaky, context: Context, *, linear: float = 1.0) -> Evidence:
    """The kernels of leaky nodes follow from those of ReLU nodes

    E[relu_a(w.x) relu_a(u.x)] = (1 − a)² ψ_l(w, u) + a wᵀu

    Judged by Monte Carlo on the first student and its teacher.
    """
    problem = instance.flow.problem
    w, u = problem.student_W[:, :1], problem.teacher_W[:, :1]
    measure = LeakyGaussian(problem.d, linear * instance.slope + (1 - linear) * 0.5)
    x = measure.sample(200_000, context.rng(instance.seed))
    products = leaky(x @ w, instance.slope)[:, 0] * leaky(x @ u, instance.slope)[:, 0]
    error = float(products.std() / len(products) ** 0.5)
    predicted, tolerance = measure.psi_l(w, u).item(), context.z() * error
    return Evidence(
        predicted=predicted,
        measured=float(products.mean()),
        margin=tolerance - abs(predicted - float(products.mean())),
        tolerance=tolerance,
        standard_error=error,
    )


kernels.rejects("with another slope in the formula", Leaky(slope=0.1), linear=0.0)


def three_teachers(instance: Leaky):
    return (Assumption.at_least("m", instance.m, 3), Assumption.at_least("d − m", instance.extra, 1))


@RATE.claim(
    "sharp",
    expected="holds",
    on=Leaky,
    assume=three_teachers,
    cost=SEARCH,
    examples=(Leaky(), Leaky(slope=0.0)),
    compares=("slowest rate of the linearised flow", "=", "(1 − a)² (1/4 − 1/2π)"),
)
def late_rate(instance: Leaky, context: Context, *, power: float = 2.0) -> Evidence:
    """Leaky students of three or more orthonormal teachers recover them at (1 − a)² of the rate of ReLU students

    rate = (1 − a)² (1/4 − 1/2π)

    The linear part of a leaky node sees the sum of all students alone: it says nothing on which student goes to which
    teacher. Towards a linear network (a → 1) nothing is left to tell them apart.
    """
    predicted = (1 - instance.slope) ** power * RELU_RATE
    # A Jacobian from differences of the flow is good to some 1e-9 of its largest entry, which grows with m.
    return Evidence.close(spectral_rate(instance.flow), predicted=predicted, tolerance=1e-7 * instance.m)


late_rate.rejects("with the first power", Leaky(slope=0.1), power=1.0)
late_rate.rejects("as fast as ReLU students", Leaky(slope=1e-4), power=0.0)
late_rate.excludes("two teachers", Leaky(m=2), "m ≥ 3")
late_rate.includes("three", Leaky(m=3))
