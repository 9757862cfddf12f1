"""Facts behind the remarks of Theorem 5 that no single statement shows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from luckproof import Context, Evidence
from verify.luckmatters.flat_minima import NO_INPUT_BETWEEN, flat_directions
from verify.luckmatters.random_initialisation import (
    all_lucky_probability,
    cap_probability,
    lucky_probability,
)
from verify.mathematics.families.solved_students import Solved
from verify.mathematics.mean_over_seeds import exceeds, falls_below, false_alarm_tail, mean_interval, weakest
from verify.mathematics.runs.sharing import Sharing, follow, smallest_share
from verify.mathematics.zero_curvature import (
    features,
    hessian_on,
    resolvable,
    resolving_inputs,
    smallest_angle,
)

pytestmark = pytest.mark.statement("luckmatters.theorem5", "luckmatters.introduction.flat_minima")


def test_caps_of_known_size() -> None:
    """On the circle a cap is theta0 / pi of it, on the 2-sphere (1 - cos theta0) / 2; a half space is one half."""
    for theta0 in (1e-3, 0.3, 1.0, np.pi / 2):
        np.testing.assert_allclose(cap_probability(2, theta0), theta0 / np.pi, rtol=1e-12)
        np.testing.assert_allclose(cap_probability(3, theta0), np.sin(theta0 / 2) ** 2, rtol=1e-12)
    assert cap_probability(50, np.pi / 2) == 0.5
    with pytest.raises(ValueError, match="theta0: expected an angle in"):
        cap_probability(3, 2.0)


def test_all_lucky_generalises_one_lucky() -> None:
    """Inclusion and exclusion for one cap is the complement; as many certain disjoint caps as students is m! / m^m."""
    assert all_lucky_probability(0.01, 30, 1) == pytest.approx(lucky_probability(0.01, 30), rel=1e-13)
    assert all_lucky_probability(1 / 3, 3, 3) == pytest.approx(6 / 27, rel=1e-12)


def test_rare_luck_keeps_its_digits() -> None:
    """For tiny caps all m teachers are lucky with probability n (n - 1) ... (n - m + 1) p^m, to leading order."""
    assert all_lucky_probability(1e-9, 31, 4) == pytest.approx(31 * 30 * 29 * 28 * 1e-36, rel=1e-7)
    assert all_lucky_probability(0.1, 2, 3) == 0.0


def test_the_share_that_a_student_ends_with() -> None:
    """What the start lacks of the teacher's fan-out is made up in equal parts: the least share is met within 1 %."""
    for seed in (3, 5):
        instance = Sharing(noise=0.5, spread=0.05, seed=seed)
        shares = follow(instance.start(), np.array([0.0, 100.0])).share[-1]
        assert shares.min() == pytest.approx(smallest_share(instance), rel=0.01)


def test_the_interval_of_an_effect_covers() -> None:
    """A Student-t interval at the context's level; decided one way, the other way, or not at all."""
    context = Context()
    samples = np.random.default_rng(0).standard_normal(400)
    found = mean_interval(samples, false_alarm_tail(context))
    assert found.reach == pytest.approx(context.z() * found.standard_error, rel=0.05)
    assert context.z() == pytest.approx(-float(ndtri(1e-3 / 200 / 2)))
    assert exceeds(samples, 0.0, context).inconclusive
    assert exceeds(samples + 1, 0.0, context).holds
    assert not falls_below(samples + 1, 0.0, context).holds
    with pytest.raises(ValueError, match="samples: expected at least 3"):
        mean_interval([1.0, np.nan, 2.0], false_alarm_tail(context))


def test_the_weakest_part_decides() -> None:
    """A failed part outweighs an undecided one, which outweighs those that hold."""
    good, better = (
        Evidence(predicted=0, measured=0, margin=1.0),
        Evidence(predicted=0, measured=0, margin=2.0),
    )
    open_, bad = (
        Evidence(predicted=0, measured=0, margin=-0.1, inconclusive=True),
        Evidence(predicted=0, measured=0, margin=-1.0),
    )
    assert weakest(better, good) is good
    assert weakest(good, open_) is open_
    assert weakest(good, open_, bad) is bad


def test_flat_directions_grow_by_the_input_dimension() -> None:
    """One more irrelevant node adds exactly d zero eigenvalues, and the gap above them stays open."""
    for extra in (1, 2, 3):
        evidence = flat_directions(Solved(5, 2, extra, 2, 3), Context())
        assert evidence.measured == 5 * extra + 2
        assert evidence.details["smallest_nonzero"] > 1e6 * evidence.details["zero_below"]


def test_hessian_at_the_limit_is_the_gram_matrix_of_the_features() -> None:
    """Automatic differentiation twice over, against the derivatives of the outputs written out."""
    problem = Solved(4, 2, 3, 2, 5).problem()
    x = resolving_inputs(problem, 5)
    F = features(problem, x)
    np.testing.assert_allclose(hessian_on(problem, x), F.T @ F / len(x), atol=1e-13)


def test_a_wedge_without_inputs_is_not_resolved() -> None:
    """The gates of two columns 3 degrees apart agree on 320 inputs: another zero eigenvalue, and said to be so."""
    problem = NO_INPUT_BETWEEN.problem()
    assert smallest_angle(problem.student_W) == pytest.approx(np.deg2rad(2.889354), rel=1e-6)
    few = problem.measure.sample(320, np.random.default_rng((NO_INPUT_BETWEEN.seed, 2)))
    wedge, _ = resolvable(problem, few)
    assert not wedge.satisfied
    assert np.linalg.matrix_rank(features(problem, few)) == 32 - 21
    x = resolving_inputs(problem, NO_INPUT_BETWEEN.seed)
    assert all(assumption.satisfied for assumption in resolvable(problem, x))
    assert np.linalg.matrix_rank(features(problem, x)) == 32 - 20


def test_eigenvalues_below_rounding_are_not_resolved() -> None:
    """A fan-out of 1e-7 has curvature 1e-14 of the largest: not zero, and not told from it by the Hessian."""
    problem = Solved(4, 2, 1, 2, 5).problem(fan_out=1e-7)
    wedge, gap = resolvable(problem, resolving_inputs(problem, 5))
    assert wedge.satisfied
    assert not gap.satisfied
