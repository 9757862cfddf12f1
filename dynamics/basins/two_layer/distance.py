"""How far a start is from Theorem 5's solution, in the distance whose balls are proved basins."""

from __future__ import annotations

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import paired_angles
from dynamics.two_layer.problem import TeacherStudent

LARGEST_RADIUS = 0.6
"""Radii are looked for up to here: kappa's own third derivative is positive and known there."""


def distance_to_solution(problem: TeacherStudent) -> Array:
    """``|z|`` of the problem's start: angles to the teachers and steps of all fan-outs, (...)."""
    m = problem.m
    turn = paired_angles(problem.student_W[..., :m], problem.teacher_W)
    steps = problem.student_V.copy()
    steps[..., :m, :] -= problem.teacher_V
    return np.asarray(np.sqrt(np.sum(turn**2, axis=-1) + np.sum(steps**2, axis=(-2, -1))))
