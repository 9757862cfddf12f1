"""Rates that the theorems promise for a problem, one function a bound: what the benchmarks time and compare.

Each takes one instance and returns a decay rate per unit time of the flow, NaN where the bound is vacuous.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from dynamics.basins.basin import basin
from dynamics.basins.two_layer.basin import two_layer_basin
from dynamics.basins.two_layer.distance import LARGEST_RADIUS, distance_to_solution
from dynamics.geometry.angles import angles, paired_angles, unit_columns
from dynamics.two_layer.flows import ProjectedFlow, TwoLayerFlow
from dynamics.two_layer.linearization import spectral_rate
from dynamics.two_layer.problem import TeacherStudent
from verify.mathematics.bounds.comparison import certify
from verify.mathematics.bounds.overparameterised import theorem5_printed_constants
from verify.mathematics.theorem4_constants import Theorem4Constants, theorem4_isotropic, theorem4_thresholded

Bound = Callable[[TeacherStudent], float]


def theorem4_constants(problem: TeacherStudent) -> Theorem4Constants:
    """Theorem 4's constants with theta0 the largest starting angle.

    Isotropic input with any teachers, or input with bias and thresholded orthogonal teachers of one threshold.
    Raises ValueError for an ensemble, n != m or teachers with other biases; TypeError for another measure.
    """
    _one_instance(problem)
    if problem.n != problem.m:
        raise ValueError(f"problem: expected n = m = {problem.m} students in Theorem 4, got n = {problem.n}")
    theta0 = float(paired_angles(problem.student_W, problem.teacher_W).max())
    if problem.measure.spherical_variance is not None:
        apart = angles(problem.teacher_W, problem.teacher_W)[np.triu_indices(problem.m, 1)]
        nearest, widest = float(apart.min(initial=np.pi)), float(apart.max(initial=0.0))
        return theorem4_isotropic(problem.m, theta0, nearest, widest)
    if problem.measure.biased_normal:
        start = np.diagonal(problem.measure.psi_d(problem.student_W, problem.teacher_W))
        return theorem4_thresholded(problem.m, theta0, _common_threshold(problem), float(start.min()))
    raise TypeError(f"measure: expected a Gaussian one for the bounds, got {type(problem.measure).__name__}")


def theorem4_printed(problem: TeacherStudent) -> float:
    """``d-bar gamma`` with the printed d-bar, which is no lower bound of the overlap; times c where ``L_0 = c I``."""
    constants = theorem4_constants(problem)
    return _pace(problem) * constants.rate_printed if constants.gamma > 0 else float("nan")


def theorem4_corrected(problem: TeacherStudent) -> float:
    """``gamma inf d*_jj`` over the balls; times c where ``L_0 = c I``."""
    constants = theorem4_constants(problem)
    if not min(constants.gamma, constants.d_lower) > 0:
        return float("nan")
    return _pace(problem) * constants.rate_corrected


def theorem4_spectral(problem: TeacherStudent) -> float:
    """Slowest rate of the linearised flow at ``W = W*``."""
    _one_instance(problem)
    return float(np.asarray(spectral_rate(ProjectedFlow(problem))))


def theorem4_basin(problem: TeacherStudent) -> float:
    """The proved rate of Theorem D or B0 (docs/theorems.md) from the problem's start; vacuous outside their basin."""
    _one_instance(problem)
    if problem.measure.spherical_variance is None:
        return float("nan")
    found = basin(problem)
    R = float(np.linalg.norm(unit_columns(problem.student_W) - unit_columns(problem.teacher_W)))
    return found.rate(R) if found.radius > R else float("nan")


def theorem5_printed(problem: TeacherStudent) -> float:
    """``lambda-bar gamma`` of Eqns 41-54, gamma read as the proof needs it; refuted where it is not vacuous."""
    return theorem5_printed_constants(problem).rate


def theorem5_certificate(problem: TeacherStudent) -> float:
    """Certified rate of the comparison system from the problem's start."""
    _one_instance(problem)
    return float(certify(problem).rate)


def theorem5_local(problem: TeacherStudent) -> float:
    """The proved rate of Theorem C'' (docs/theorems.md) from the problem's start; vacuous outside its basin."""
    _one_instance(problem)
    distance = float(distance_to_solution(problem))
    if problem.measure.spherical_variance is None or distance >= LARGEST_RADIUS:
        return float("nan")
    found = two_layer_basin(problem)
    return found.passage().rate if found.radius > distance else float("nan")


def theorem5_spectral(problem: TeacherStudent) -> float:
    """Slowest rate of the linearised flow at ``(W*, W_r; V*, 0)``, flat directions left out.

    W_r is taken where the problem has it: exact at the end of a run, an estimate at its start.
    """
    _one_instance(problem)
    return float(np.asarray(spectral_rate(TwoLayerFlow(problem))))


BOUNDS: Mapping[str, Bound] = MappingProxyType(
    {
        "theorem4.printed": theorem4_printed,
        "theorem4.corrected": theorem4_corrected,
        "theorem4.basin": theorem4_basin,
        "theorem4.spectral": theorem4_spectral,
        "theorem5.printed": theorem5_printed,
        "theorem5.certificate": theorem5_certificate,
        "theorem5.local": theorem5_local,
        "theorem5.spectral": theorem5_spectral,
    }
)
"""Every bound by name, in the order of the table."""


def _pace(problem: TeacherStudent) -> float:
    """``c``: the theorem is for ``L_0 = I``, and the flow runs c times as fast where ``L_0 = c I``."""
    variance = problem.measure.spherical_variance
    return 1.0 if variance is None else variance


def _one_instance(problem: TeacherStudent) -> None:
    if problem.batch_shape:
        raise ValueError(f"problem: expected one instance, got an ensemble of shape {problem.batch_shape}")


def _common_threshold(problem: TeacherStudent) -> float:
    directions, bias = problem.teacher_W[:-1], problem.teacher_W[-1]
    thresholds = -bias / np.linalg.norm(directions, axis=0)
    apart = angles(directions, directions)[np.triu_indices(problem.m, 1)]
    if np.ptp(thresholds) > 1e-9 or np.any(np.abs(apart - np.pi / 2) > 1e-9):
        raise ValueError(
            "teacher_W: expected orthogonal directions with one threshold for Theorem 4 with biases, "
            f"got thresholds from {thresholds.min():.6g} to {thresholds.max():.6g}"
        )
    return float(thresholds[0])
