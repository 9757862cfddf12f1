"""Ensembles of networks near their teachers, as few numbers and a seed: the instances of the statements on training."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import angles, tangent_projection, unit_columns
from dynamics.measures.biased_gaussian import BiasedGaussian
from dynamics.two_layer import teachers
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import SEED, CannotJudgeError, Instance, OneOf, fixed, integers, reals

GEOMETRIES = ("orthonormal", "separated", "correlated", "thresholded")
"""Orthonormal teachers; the authors' discrete-entry teachers; all pairs at one angle; orthonormal directions with a
bias, so that nodes are active above a threshold."""


@dataclass(frozen=True)
class TeacherSpec(Instance):
    """m teachers in d dimensions.

    ``angle``: between any two of the correlated teachers. ``threshold``: of the thresholded ones; their columns have
    d + 1 rows.
    """

    m: int = fixed(1, integers(1, 200))
    d: int = fixed(2, integers(2, 400))
    teachers: str = fixed("orthonormal", OneOf(GEOMETRIES))
    angle: float = fixed(math.pi / 2, reals(0.1, math.pi / 2))
    threshold: float = fixed(1.0, reals(0.0, 3.0))
    seed: int = fixed(0, SEED)

    def impossible(self) -> str:
        if self.teachers != "separated" and self.d < self.m:
            return "expected d >= m for teachers with independent directions"
        if self.teachers == "separated" and self.d == 2 and self.m > 8:
            return "expected at most 8 separated teachers in two dimensions"
        return ""


def teacher_of(spec: TeacherSpec, rng: np.random.Generator) -> Array:
    """Unit columns (d, m), or (d + 1, m) where thresholded."""
    if spec.teachers == "separated":
        return teachers.separated(spec.d, spec.m, rng)
    if spec.teachers == "thresholded":
        return teachers.thresholded(spec.d, spec.m, spec.threshold, rng)
    frame = teachers.orthonormal(spec.d, spec.m, rng)
    if spec.teachers == "orthonormal":
        return frame
    overlap = math.cos(spec.angle) * (1 - np.eye(spec.m)) + np.eye(spec.m)
    return unit_columns(frame @ np.linalg.cholesky(overlap).T)


def measure_of(spec: TeacherSpec) -> BiasedGaussian | None:
    """Input with a bias where teachers are thresholded; None for isotropic Gaussian input."""
    return BiasedGaussian(spec.d) if spec.teachers == "thresholded" else None


def smallest_angle(teacher: Array) -> float:
    """Smallest angle between two teachers; that of orthogonal ones for m = 1."""
    apart = angles(teacher, teacher)[np.triu_indices(teacher.shape[-1], 1)]
    return float(min(apart.min(initial=math.pi / 2), math.pi / 2))


def turned(teacher: Array, step: Array, theta0: float) -> Array:
    """Students (S, d, m): teachers turned along tangent steps (S, d, m), by at most ``theta0``."""
    step = tangent_projection(np.broadcast_to(teacher, step.shape), step)
    length = np.linalg.norm(step, axis=-2, keepdims=True)
    longest = length.max(axis=-1, keepdims=True)
    if not np.all(longest > 0):
        raise CannotJudgeError("a start has no direction")
    angle = theta0 * length / longest
    return unit_columns(np.cos(angle) * teacher + np.sin(angle) * step / np.where(length > 0, length, 1.0))


def ensemble(teacher: Array, students: Array, measure: BiasedGaussian | None) -> TeacherStudent:
    """S students beside copies of one teacher, fan-outs of one."""
    copies = np.broadcast_to(teacher, (len(students), *teacher.shape))
    return (
        TeacherStudent(copies, students)
        if measure is None
        else TeacherStudent(copies, students, measure=measure)
    )
