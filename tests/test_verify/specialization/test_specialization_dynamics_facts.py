"""Numbers around Theorems 6 and 7 and Eqns 8 and 12 that the statements rest on."""

from __future__ import annotations

import numpy as np
import pytest

from luckproof import Context
from verify.mathematics.families.gradient_batches import Batch, Networks
from verify.mathematics.families.spherical_inputs import (
    OTHERS,
    SPHERICAL,
    Pair,
    closed_form,
    sample,
    second_moment,
)
from verify.mathematics.gradients.wedge import wedge_matrix
from verify.specialization import eqn12_balance, strong_premise, theorem7_alignment
from verify.specialization.eqn12 import OFFSET
from verify.specialization.theorem6_bias import Thresholds, augmented_term

pytestmark = pytest.mark.statement(
    "specialization.theorem6",
    "specialization.theorem7",
    "specialization.eqn8",
    "specialization.eqn12",
    "specialization.strong_first",
)


def test_norm_factor_at_a_known_pair():
    """w_j = (0, 1), w_k = (3, 0): (0.15915, 0.25), and 0.477 for the first without the factor."""
    w_j, w_k = np.array([0.0, 1.0]), np.array([3.0, 0.0])
    assert closed_form(w_j, w_k, 1.0) == pytest.approx([1 / (2 * np.pi), 0.25])
    assert closed_form(w_j, w_k, 1.0, norm_factor=False) == pytest.approx([3 / (2 * np.pi), 0.25])


@pytest.mark.parametrize("law", SPHERICAL + OTHERS)
def test_second_moments(law):
    """The stated c of each law is that of its samples."""
    x = sample(law, 3, 200_000, np.random.default_rng(0))
    squares = (x**2).sum(axis=1) / 3
    assert squares.mean() == pytest.approx(
        second_moment(law, 3), abs=6 * squares.std() / np.sqrt(len(x)) + 1e-12
    )


@pytest.mark.parametrize("d", [2, 3, 4, 7])
def test_wedge_at_no_angle_is_half_the_identity(d):
    """Equal nodes: E[D x x^T] = c / 2 I, whatever the dimension; opposite nodes: nothing."""
    assert wedge_matrix(0.0, d, 1.7) == pytest.approx(0.85 * np.eye(d), abs=1e-14)
    assert wedge_matrix(np.pi, d, 1.7) == pytest.approx(np.zeros((d, d)), abs=1e-14)


def test_truncated_moments_against_samples():
    """The closed term for [x; 1] agrees with its sample mean."""
    nodes = Thresholds(1.0, 0.3, -2.0, 1.0)
    w_j, w_k = nodes.columns()
    x = sample("biased", 2, 400_000, np.random.default_rng(1))
    term = x * (np.maximum(x @ w_j, 0) * (x @ w_k > 0))[:, None]
    assert np.abs(term.mean(axis=0) - augmented_term(nodes)).max() < 6 * term.std(axis=0).max() / np.sqrt(
        len(x)
    )


def test_drift_is_proportional_to_the_step():
    """||w||^2 - ||v||^2 at time 1 under gradient descent: a tenth of the step gives a tenth of the drift."""
    drifts = []
    for lr, steps in ((1e-2, 100), (1e-3, 1000)):
        networks = Networks(Batch(d=4, n=3, samples=32, lr=lr, steps=steps, seed=2))
        drifts.append(float(np.abs(networks.descend()[0]).max()))
    assert drifts[0] / drifts[1] == pytest.approx(10, rel=0.15)


def test_offset_of_the_frozen_time():
    """0.3449 to four digits."""
    assert pytest.approx(0.3449, abs=5e-5) == OFFSET


@pytest.mark.parametrize(("p", "expected"), [(0.0, 0.1), (0.5, 0.26), (1.0, 0.36), (2.0, 0.45), (2.5, 0.47)])
def test_odds_of_the_premise(p, expected):
    """m = 10, C = 50, as sampled elsewhere to two digits; p = 0 is 1/m exactly."""
    assert strong_premise.probability(strong_premise.Odds(p=p)) == pytest.approx(expected, abs=0.01)


def test_odds_of_two_equal_teachers():
    """One half by symmetry, in the plane too, where the density is singular."""
    assert strong_premise.probability(strong_premise.Odds(2, 2, 0.0)) == pytest.approx(0.5, abs=1e-8)


def test_confirmations_accept_what_holds(monkeypatch):
    """A confirmation that could not accept would prove nothing: light students, balanced weights, a strong first."""
    light = theorem7_alignment.Herd(total=0.3, seed=3)
    assert theorem7_alignment.in_twenty_digits(light).holds
    monkeypatch.setattr(eqn12_balance, "STEPS", 1000)  # enough for 1e-4 where nothing is stiff
    assert eqn12_balance.by_an_implicit_method(eqn12_balance.Turn(0.5)).holds
    first = strong_premise.Student(m=5, outputs=1, positive=True)
    assert strong_premise.in_rational_arithmetic(first).holds


def test_pairs_have_the_stated_angle():
    """Columns of a pair: norms and angle as asked for."""
    w_j, w_k = Pair(d=5, angle=2.0, norm_j=3.0, norm_k=0.5, seed=4).columns()
    assert np.linalg.norm(w_j) == pytest.approx(3)
    assert w_j @ w_k == pytest.approx(1.5 * np.cos(2.0))


def test_no_polarity_is_vacuous():
    """At p = 0 no teacher is strongest: an instance outside the premise, although its evidence would fail."""
    statement = strong_premise.strongest_pulls_hardest
    assert not statement.assumptions(strong_premise.Student(p=0.0))[0].satisfied
    assert statement.evidence(strong_premise.Student(seed=2), Context()).margin < 0
