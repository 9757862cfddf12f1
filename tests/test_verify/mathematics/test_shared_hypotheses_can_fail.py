"""Hypotheses that Theorems 2 to 5 share hold on every instance of their families; here they meet others, on both sides.

Families of critical points are built to satisfy Assumption 1 and to have no gradient, so no instance of a statement can
be outside. The functions that check it are controlled directly.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from luckproof import Assumption, Box
from verify.luckmatters import lemma2
from verify.mathematics.families import gradient_batches
from verify.mathematics.families.gradient_batches import Batch, Networks, away_from_kinks
from verify.mathematics.families.two_layer_pairs import ArbitraryPair, Splitting
from verify.mathematics.kinks import interpolating
from verify.mathematics.kinks.hypotheses import assumption1, critical
from verify.specialization.independence import Nodes, no_positive_multiples
from verify.specialization.kink import visible_nodes
from verify.specialization.theorem2_finite import RandomFeatures, critical_on_the_samples
from verify.specialization.theorem5 import no_parallel_boundaries

REGION = Box.cube(2)


def satisfied(teachers: list[list[float]]) -> dict[str, bool]:
    """By name, for augmented columns (w1, w2, b) given as rows."""
    return {a.name: a.satisfied for a in assumption1(REGION, np.array(teachers, dtype=float).T)}


APART = "no two teachers co-linear, of either sign: angle > 1e-9 rad"
VISIBLE = "every teacher's boundary visible: reach > 0"


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


def named(assumptions: tuple[Assumption, ...], beginning: str) -> bool:
    """Whether the one so named is satisfied."""
    (found,) = [a for a in assumptions if a.name.startswith(beginning)]
    return found.satisfied


def test_a_residual_above_rounding_is_outside(monkeypatch):
    """The fit as it is, and the same with an error of a thousandth reported."""
    assert named(interpolating.interpolating(Splitting()), "residual on")
    networks, _ = interpolating.fitted(Splitting())
    monkeypatch.setattr(interpolating, "fitted", lambda splitting: (networks, 1e-3))
    assert not named(interpolating.interpolating(Splitting()), "residual on")


def test_a_sample_on_a_kink_is_outside(monkeypatch):
    """A sample of zeros, bias included, lies on every boundary."""
    assert named(away_from_kinks(Batch()), "no sample on a kink")

    class OnAKink(Networks):
        def __init__(self, batch: Batch) -> None:
            super().__init__(batch)
            self.x = self.x.clone()
            self.x[0] = 0.0

    monkeypatch.setattr(gradient_batches, "Networks", OnAKink)
    assert not named(away_from_kinks(Batch()), "no sample on a kink")


@pytest.mark.parametrize(("share", "inside"), [(1.0, True), (0.5, False)])
def test_a_constant_too_small_for_the_steps_is_outside(monkeypatch, share, inside):
    """K_d as it is, and half of it, where the steps need nearly all."""
    pair = lemma2.REACHING
    found = lemma2.overlaps_of(pair)
    monkeypatch.setattr(lemma2, "overlaps_of", lambda pair: replace(found, K_d=share * found.K_d))
    assert named(lemma2.assumption2_at_the_steps(pair), "K that the steps taken need") == inside


class Invisible(ArbitraryPair):
    """The same networks with every boundary far from the region."""

    def networks(self):
        pair = super().networks()
        teacher, student = (replace(network, b=network.b + 1e3) for network in (pair.teacher, pair.student))
        return replace(pair, teacher=teacher, student=student)


def test_networks_without_a_boundary_in_the_region_are_outside():
    """Biases moved by 1e3."""
    assert named(visible_nodes(ArbitraryPair()), "some boundary visible")
    assert not named(visible_nodes(Invisible()), "some boundary visible")


class Altered(Nodes):
    """Nodes of which the last is moved out of the region, or made twice the first."""

    moved = False

    def columns(self):
        region, columns = super().columns()
        columns = columns.copy()
        columns[:, -1] = columns[:, -1] + np.eye(len(columns))[-1] * 1e3 if self.moved else 2 * columns[:, 0]
        return region, columns


def test_hypotheses_on_nodes_fail_one_by_one():
    """A boundary outside the region; a positive multiple."""
    inside, multiple = no_positive_multiples(Nodes(2, 3, 0)), no_positive_multiples(Altered(2, 3, 0))
    outside = no_positive_multiples(type("Moved", (Altered,), {"moved": True})(2, 3, 0))
    for name, failing in (("every boundary in the region", outside), ("no positive multiples", multiple)):
        assert named(inside, name)
        assert not named(failing, name)
    assert named(outside, "no positive multiples")
    assert named(multiple, "every boundary in the region")


class Changed(RandomFeatures):
    """Random features whose teacher is out of sight, or whose student has no fan-outs."""

    silent = False

    def networks(self):
        pair, x = super().networks()
        if self.silent:
            return replace(pair, student=replace(pair.student, V=0 * pair.student.V)), x
        return replace(pair, teacher=replace(pair.teacher, b=pair.teacher.b + 1e3)), x


def test_hypotheses_on_the_samples_fail_one_by_one():
    """A teacher that is affine on the region; a student without fan-outs."""
    inside, unseen = critical_on_the_samples(RandomFeatures()), critical_on_the_samples(Changed())
    silent = critical_on_the_samples(type("Silent", (Changed,), {"silent": True})())
    for name, failing in (("every teacher visible", unseen), ("some fan-out", silent)):
        assert named(inside, name)
        assert not named(failing, name)


class Copied(ArbitraryPair):
    """The student is the teacher."""

    def networks(self):
        pair = super().networks()
        return replace(pair, student=pair.teacher)


def test_a_student_that_has_every_teacher_is_outside():
    """Theorem 5 is about a teacher that no student is co-linear with."""
    assert named(no_parallel_boundaries(ArbitraryPair(d=2)), "a teacher without co-linear student")
    assert not named(no_parallel_boundaries(Copied(d=2)), "a teacher without co-linear student")
