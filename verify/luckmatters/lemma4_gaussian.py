"""Lemma 4 for any Gaussian input: where the linear term comes from, and when it vanishes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np

from dynamics.measures.isotropic_gaussian import IsotropicGaussian
from dynamics.two_layer import teachers
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import Context, Evidence, drawn
from verify.judging.domains import SEED, Instance, integers, reals
from verify.luckmatters.lemma4 import LEMMA4, ROUNDING


@dataclass(frozen=True)
class Stretched(Instance):
    """``N(0, Sigma)``, Sigma diagonal, log-uniform in ``[1/spread, spread]``; the student is at chord ``distance``."""

    d: int = drawn(2, st.integers(2, 20), integers(2))
    spread: float = drawn(4.0, st.floats(1, 20), reals(1))
    distance: float = drawn(
        0.1, st.floats(-4, 0).map(lambda exponent: float(10**exponent)), reals(0, 2, low_open=True)
    )
    seed: int = drawn(0, st.integers(0, 2**31 - 1), SEED)


@LEMMA4.claim(
    "sharp",
    expected="holds",
    on=Stretched,
    examples=(Stretched(), Stretched(distance=1e-3), Stretched(spread=1.0)),
    note="the expansion is ours",
    compares=("l*_jj − l_jj", "≈", "−½ w_jᵀΣ δw_j"),
)
def departs_by_a_linear_term(instance: Stretched, context: Context, *, linear: float = 1.0) -> Evidence:
    """Lemma 4: the fall-off for any Gaussian input

    x ~ N(0, Σ):  l*_jj − l_jj = −½ w_jᵀΣ δw_j + R,  0 ≤ R ≤ ‖w_j‖_Σ ‖w*_j‖_Σ φ³/6π  (φ: angle in the metric Σ)

    Linear in ‖δw_j‖ unless Σ w*_j ∥ w*_j; then −½ w_jᵀΣ δw_j is of second order, for Σ = I it is −¼ ‖δw_j‖², which is
    where C₀ = ½ comes from (l_jj = ½).
    """
    rng = np.random.default_rng(instance.seed)
    root = np.exp(rng.uniform(-0.5, 0.5, instance.d) * math.log(instance.spread))[:, None]
    teacher = teachers.random_unit(instance.d, 1, rng)
    problem = TeacherStudent.at_angle(teacher, 2 * math.asin(instance.distance / 2), rng)
    # N(0, Sigma) is the isotropic case at Sigma^(1/2) w.
    a, b = root * problem.student_W, root * problem.teacher_W
    measure = IsotropicGaussian(instance.d)
    lost = float((measure.psi_l(a, b) - measure.psi_l(a, a))[0, 0])
    predicted = -linear * float((a * (a - b)).sum()) / 2
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    phi = math.pi - 2 * math.pi * float(measure.psi_d(a, b)[0, 0])
    tolerance = ROUNDING * float(np.linalg.norm(a) + np.linalg.norm(b)) ** 2
    remainder, bound = lost - predicted, size * phi**3 / (6 * math.pi)
    return Evidence(
        predicted=predicted,
        measured=lost,
        margin=min(remainder, bound - remainder) + tolerance,
        tolerance=tolerance,
        details={"remainder": remainder, "bound": bound},
    )


departs_by_a_linear_term.rejects("the first term 1e-6 larger", Stretched(distance=1e-3), linear=1 + 1e-6)
departs_by_a_linear_term.rejects("the first term 1 % larger", Stretched(distance=1e-3), linear=1.01)
