"""The comparison certificate of Theorem 5: its algebra, its ensembles, and where it is vacuous."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from luckproof import EmpiricalMeasure, TeacherStudent
from verify.luckmatters.theorem5 import ANTIPODAL, MANY, ORTHOGONAL
from verify.mathematics.bounds.comparison import (
    Box,
    certified_rate,
    certify,
    comparison,
    deviation,
    least_supersolution,
    perron_root,
)
from verify.mathematics.families.two_layer_starts import TwoLayerStart, problem_of

pytestmark = pytest.mark.statement("luckmatters.theorem5", "luckmatters.lemma7")


def _metzler(size: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    M = rng.random((size, size)) * (rng.random((size, size)) < 0.5)
    return M - np.diag(np.diagonal(M) + M.sum(axis=1) + rng.random(size))


@example(size=5, seed=753, share=0.5)  # a component at its start came out one ulp above it
@given(size=st.integers(1, 7), seed=st.integers(0, 10_000), share=st.floats(0.0, 0.95))
def test_least_supersolution_is_a_supersolution_and_the_least(size: int, seed: int, share: float) -> None:
    """p >= start, M p <= -rate p, and each component is pushed or at its start."""
    M, start = _metzler(size, seed), np.random.default_rng(seed + 1).random(size) + 1e-3
    rate = np.asarray(share * -perron_root(M))
    p = least_supersolution(M, start, rate)
    excess = M @ p + rate * p
    size_of_terms = np.abs(M) @ p + rate * p
    assert np.all(p >= start)
    assert np.all(excess <= 1e-10 * size_of_terms)
    assert np.all((p == start) | (np.abs(excess) <= 1e-10 * size_of_terms))
    assert certified_rate(M, p) >= rate - 1e-9 * np.abs(M).max()
    assert certified_rate(M, p) <= -perron_root(M) + 1e-12


def test_no_vector_certifies_more_than_the_perron_root() -> None:
    """The Collatz-Wielandt quotient of any p > 0 is at most minus the Perron root, and the Perron vector reaches it."""
    M = _metzler(5, 3)
    values, vectors = np.linalg.eig(M)
    top = np.argmax(values.real)
    perron_vector = np.abs(vectors[:, top].real)
    assert certified_rate(M, perron_vector) == pytest.approx(-perron_root(M), rel=1e-8)
    for p in np.random.default_rng(0).random((50, 5)) + 1e-3:
        assert certified_rate(M, p) <= -perron_root(M) + 1e-12


def test_off_diagonal_entries_are_not_negative() -> None:
    """M is Metzler on every box, also where v_j may point away from its teacher."""
    problem = problem_of(MANY)
    for radius, fan_out in ((0.0, 0.0), (0.01, 0.1), (0.3, 2.0)):
        box = Box(np.full(problem.n, radius), np.full(problem.m, fan_out))
        M = comparison(problem, box).M
        assert np.all(M[~np.eye(len(M), dtype=bool)] >= 0)


@pytest.mark.parametrize("start", [ORTHOGONAL, ANTIPODAL])
def test_on_a_point_couplings_are_slopes_of_the_kernel(start: TwoLayerStart) -> None:
    """Box of radius 0: the push of ``sin theta_k`` on fan-out j is ``||v*_k|| |d l_jk / d theta|``, as differences say.

    In the plane of both columns, where the kernel is steepest; with thresholds the bound is looser. Central
    differences of step h err by h^2 / 6 of the third derivative, which is of order 1, and by eps / h.
    """
    problem, h = problem_of(start), 1e-5
    M = comparison(problem, Box(np.zeros(problem.n), np.zeros(problem.m))).M
    centres = np.concatenate([problem.teacher_W, problem.student_W[:, problem.m :]], axis=1)
    for j in range(problem.n):
        for k in set(range(problem.m)) - {j}:
            w, u = centres[:, k], centres[:, j]
            across = u - (u @ w) * w
            across /= np.linalg.norm(across)
            turned = np.stack([np.cos(h) * w + sign * np.sin(h) * across for sign in (1, -1)], axis=1)
            ahead, behind = problem.measure.kernels(u[:, None], turned)[0][0]
            slope = abs(ahead - behind) / (2 * h) * np.linalg.norm(problem.teacher_V[k])
            assert M[problem.m + j, k] == pytest.approx(slope, rel=1e-8, abs=1e-9)


def test_a_larger_box_gives_a_larger_system() -> None:
    """M grows entry by entry with the box: what holds on the large one holds on the small one."""
    problem = problem_of(MANY)
    small = comparison(problem, Box(np.full(problem.n, 0.001), np.full(problem.m, 0.01)))
    large = comparison(problem, Box(np.full(problem.n, 0.01), np.full(problem.m, 0.1)))
    assert np.all(large.M >= small.M)
    assert np.all(large.drift >= small.drift)


@pytest.mark.parametrize("start", [ORTHOGONAL, ANTIPODAL, MANY])
def test_the_certificate_closes_its_own_box(start: TwoLayerStart) -> None:
    """p above the start and inside the box, M p <= -rate p, and the promised drift within the caps of the r-set."""
    problem = problem_of(start)
    certificate = certify(problem)
    m, p, rate = problem.m, certificate.p, float(certificate.rate)
    assert bool(certificate.valid)
    assert rate > 0
    assert np.all(p >= deviation(problem, problem.student_W, problem.student_V))
    assert np.all(certificate.comparison.M @ p <= -rate * p)
    assert np.all(np.arcsin(p[:m]) <= certificate.box.cap[:m])
    assert np.all(p[m : 2 * m] <= certificate.box.fan_out)
    assert np.all(p[2 * m :] * (certificate.comparison.drift @ p) / (2 * rate) <= certificate.box.cap[m:])


def test_an_ensemble_is_certified_as_its_instances_are() -> None:
    """Leading axes change nothing: valid and vacuous instances side by side."""
    starts = [
        TwoLayerStart(c=2, alpha=a, theta0=t, v_error=t, r_fan_out=t) for a in (1.2, 2.9) for t in (0.01, 0.3)
    ]
    problems = [problem_of(start) for start in starts]
    names = ("teacher_W", "student_W", "teacher_V", "student_V")
    stack = TeacherStudent(*(np.stack([getattr(problem, name) for problem in problems]) for name in names))
    together, alone = certify(stack), [certify(problem) for problem in problems]
    assert together.valid.tolist() == [bool(one.valid) for one in alone]
    assert {True, False} == set(together.valid.tolist())
    np.testing.assert_allclose(together.rate, [one.rate for one in alone], rtol=1e-9)


def test_orthogonal_isotropic_nodes_are_out_of_reach_from_three_on() -> None:
    """Vacuous already at n = 3 for zero-bias isotropic input with orthogonal nodes, however near the start is."""
    near = TwoLayerStart(c=3, theta0=1e-6, v_error=1e-6, r_fan_out=1e-6)
    assert certify(problem_of(near)).valid
    for m, r in ((1, 2), (2, 1)):
        assert not certify(
            problem_of(TwoLayerStart(m=m, r=r, c=3, theta0=1e-6, v_error=1e-6, r_fan_out=1e-6))
        ).valid


def test_a_student_on_the_far_side_has_no_certificate() -> None:
    """Beyond a right angle sin theta is that of the supplement: as small, and no sign of being near."""
    near = TwoLayerStart(c=5, alpha=2.94, theta0=0.1, v_error=0.1, r_fan_out=0.1)
    assert certify(problem_of(near)).valid
    far = certify(problem_of(replace(near, theta0=np.pi - 0.1)))
    assert not far.valid
    assert np.isnan(far.rate)


def test_thresholds_make_room_for_many_nodes() -> None:
    """Four teachers and four irrelevant nodes: vacuous without bias, certified with thresholds at 3."""
    tiny = {"m": 4, "r": 4, "c": 4, "theta0": 1e-4, "v_error": 1e-3, "r_fan_out": 1e-3}
    assert not certify(problem_of(TwoLayerStart(**tiny))).valid
    assert certify(problem_of(TwoLayerStart(**tiny, threshold=3.0))).valid


def test_other_measures_are_refused() -> None:
    """No enclosures are known for an empirical measure."""
    problem = problem_of(ORTHOGONAL)
    samples = EmpiricalMeasure(np.random.default_rng(0).standard_normal((20, problem.d)))
    other = TeacherStudent(
        problem.teacher_W, problem.student_W, problem.teacher_V, problem.student_V, samples
    )
    with pytest.raises(TypeError, match="measure: expected IsotropicGaussian or BiasedGaussian"):
        certify(other)
