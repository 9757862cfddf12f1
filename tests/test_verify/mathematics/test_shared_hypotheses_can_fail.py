"""Hypotheses that Theorems 2 to 5 share hold on every instance of their families; here they meet others, on both sides.

Families of critical points are built to satisfy Assumption 1 and to have no gradient, so no instance of a statement can
be outside. The functions that check it are controlled directly.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dynamics.geometry.boundaries import Box
from verify.mathematics.families.two_layer_pairs import Splitting
from verify.mathematics.kinks.hypotheses import assumption1, critical

REGION = Box.cube(2)


def satisfied(teachers: list[list[float]]) -> dict[str, bool]:
    """By name, for augmented columns (w1, w2, b) given as rows."""
    return {a.name: a.satisfied for a in assumption1(REGION, np.array(teachers, dtype=float).T)}


APART, VISIBLE = "no two teachers co-linear, of either sign", "every teacher's boundary visible"


@pytest.mark.parametrize(
    "second", [[2.0, 0.0, 0.6], [-1.0, 0.0, -0.3]], ids=["a multiple", "the mirror image"]
)
def test_co_linear_teachers_are_outside(second):
    """A multiple of either sign fails just this hypothesis; turned by a millionth it does not."""
    assert satisfied([[1.0, 0.0, 0.3], second]) == {APART: False, VISIBLE: True}
    turned = [second[0], second[1] + 1e-6, second[2]]
    assert satisfied([[1.0, 0.0, 0.3], turned]) == {APART: True, VISIBLE: True}


@pytest.mark.parametrize(("bias", "inside"), [(0.999, True), (1.001, False)])
def test_a_boundary_outside_the_region_is_outside(bias, inside):
    """x_1 = -bias lies in the square up to 1."""
    assert satisfied([[1.0, 0.0, bias], [0.0, 1.0, 0.0]]) == {APART: True, VISIBLE: inside}


def test_a_moved_student_is_no_critical_point():
    """A fan-out moved by a thousandth leaves a gradient; as it was there is none."""
    networks = Splitting(reversed=1).networks()
    assert critical(networks, 0).satisfied
    V = networks.student.V.copy()
    V[0] += 1e-3
    moved = replace(networks, student=replace(networks.student, V=V))
    assert not critical(moved, 0).satisfied
