"""Lemma 4 for any Gaussian input: where the linear term comes from, and when it vanishes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import hypothesis.strategies as st
import numpy as np

from dynamics.measures.isotropic_gaussian import IsotropicGaussian
from dynamics.two_layer import teachers
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import Budget, Context, Control, Evidence, Form, Outcome, Statement
from verify.luckmatters.lemma4 import ROUNDING, SOURCE


@dataclass(frozen=True)
class Stretched:
    """``N(0, Sigma)``, Sigma diagonal, log-uniform in ``[1/spread, spread]``; the student is at chord ``distance``."""

    d: int = 2
    spread: float = 4.0
    distance: float = 0.1
    seed: int = 0


def expansion(instance: Stretched, context: Context, linear: float = 1.0) -> Evidence:
    """The remainder ``l*_jj - l_jj + w_j^T Sigma dw_j / 2`` lies in ``[0, |a| |b| phi^3 / 6 pi]``."""
    rng = np.random.default_rng(instance.seed)
    root = np.exp(rng.uniform(-0.5, 0.5, instance.d) * math.log(instance.spread))[:, None]
    teacher = teachers.random_unit(instance.d, 1, rng)
    problem = TeacherStudent.at_angle(teacher, 2 * math.asin(instance.distance / 2), rng)
    a, b = root * problem.student_W, root * problem.teacher_W
    measure = IsotropicGaussian(instance.d)
    lost = float((measure.psi_l(a, b) - measure.psi_l(a, a))[0, 0])
    predicted = -linear * float((a * (a - b)).sum()) / 2
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    phi = math.pi - 2 * math.pi * float(measure.psi_d(a, b)[0, 0])
    tolerance = ROUNDING * float(np.linalg.norm(a) + np.linalg.norm(b)) ** 2
    remainder, bound = lost - predicted, size * phi**3 / (6 * math.pi)
    margin = min(remainder, bound - remainder) + tolerance
    return Evidence(
        predicted=predicted,
        measured=lost,
        margin=margin,
        tolerance=tolerance,
        details={"remainder": remainder, "bound": bound},
    )


def stretched(budget: Budget) -> st.SearchStrategy[Stretched]:
    """Anisotropic inputs in 2 to 20 dimensions, distances from 1e-4 to 1."""
    distance = st.floats(-4, 0).map(lambda exponent: float(10**exponent))
    return st.builds(Stretched, st.integers(2, 20), st.floats(1, 20), distance, st.integers(0, 2**31 - 1))


SHARP = Statement(
    key="luckmatters.lemma4",
    form=Form.SHARP,
    title="Lemma 4: the fall-off for any Gaussian input",
    claim="x ~ N(0, Σ):  l*_jj − l_jj = −½ w_jᵀΣ δw_j + R,  0 ≤ R ≤ ‖w_j‖_Σ ‖w*_j‖_Σ φ³/6π  (φ: angle in the metric Σ)",
    source=replace(SOURCE, note="the expansion is ours"),
    expected=Outcome.HOLDS,
    instance_type=Stretched,
    evidence=expansion,
    instances=stretched,
    examples=(Stretched(), Stretched(distance=1e-3), Stretched(spread=1.0)),
    controls=(Control("the first term 1 % larger", lambda c: expansion(Stretched(distance=1e-3), c, 1.01)),),
    remark=(
        "Linear in ‖δw_j‖ unless Σ w*_j ∥ w*_j; then −½ w_jᵀΣ δw_j is of second order, for Σ = I it is −¼ "
        "‖δw_j‖², which is where C₀ = ½ comes from (l_jj = ½)."
    ),
)
