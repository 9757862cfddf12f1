"""An instance on which no place is found to look at cannot be judged; it once held with a margin of infinity."""

from __future__ import annotations

import pytest

from luckproof import CannotJudgeError, Evidence, make_context
from verify.mathematics.families.two_layer_pairs import ArbitraryPair
from verify.mathematics.kinks.worst_place import nearest_to_failing
from verify.specialization import kink, theorem2, theorem3, theorem3_residual, theorem5
from verify.specialization.theorem1_zero_loss import DeadStudent, critical_point

CONTEXT = make_context("quick", "cpu", 0)


def test_the_place_nearest_to_failing_decides():
    """By the margin as a share of the bound; of no place, the reason is told."""
    places = [Evidence(predicted=b, measured=m, margin=m - b) for b, m in ((1.0, 3.0), (10.0, 12.0))]
    assert nearest_to_failing(places, "no place") is places[1]
    with pytest.raises(CannotJudgeError, match="no place"):
        nearest_to_failing([], "no place")


def test_a_teacher_without_a_disc(monkeypatch):
    """Theorem 5's bound needs a disc on the boundary of a bare teacher."""
    monkeypatch.setattr(theorem5, "largest_disc", lambda *anything: None)
    with pytest.raises(CannotJudgeError, match="no disc"):
        theorem5.gradient_bounds_the_angle(theorem5.PLANAR, CONTEXT)


@pytest.mark.parametrize("identity", [kink.kink_identity, kink.kinks_show_in_the_gradient])
def test_networks_without_a_crossing(monkeypatch, identity):
    """Both kink statements look across boundaries, of which none may be found with a clearance."""
    monkeypatch.setattr(kink, "triples", lambda *anything: [])
    with pytest.raises(CannotJudgeError, match=r"no (boundary|kink)"):
        identity(ArbitraryPair(), CONTEXT)


def test_students_without_an_observed_kink(monkeypatch):
    """Theorem 3, corrected and sharp: no student that is on its own."""
    for module in (theorem3, theorem3_residual):
        monkeypatch.setattr(module, "unaligned_and_visible", lambda networks: [])
    for statement in (theorem3.observers_are_pulled, theorem3_residual.residual_bounds_fan_outs):
        with pytest.raises(CannotJudgeError, match="no "):
            statement(theorem3.LONE, CONTEXT)


def test_teachers_without_an_observation(monkeypatch):
    """Theorem 2, corrected: no score above rounding."""
    monkeypatch.setattr(theorem2, "best_observation", lambda *anything: (0.0, 0, None))
    with pytest.raises(CannotJudgeError, match="no bare teacher"):
        theorem2.observers_of_a_bare_teacher_are_pulled(theorem2.BARE, CONTEXT)


@pytest.mark.parametrize(
    ("student", "inside"), [(DeadStudent(), True), (DeadStudent(output_bias=True), False)]
)
def test_zero_loss_is_claimed_of_critical_points_only(student, inside):
    """With a trained output bias the dead students have a gradient: outside, where it once held."""
    assert all(assumption.satisfied for assumption in critical_point(student)) == inside
