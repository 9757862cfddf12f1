"""The kernels of teachers and students with the students, made at one go, are those made one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from test_angles_are_accurate import exact_pair, pair_at_angle, relative_error, tolerance

from dynamics.biased_gaussian import BiasedGaussian
from dynamics.columns import Columns
from dynamics.geometry import Pairs, unit_columns
from dynamics.input_measure import InputMeasure
from dynamics.measures import EmpiricalMeasure, IsotropicGaussian

Array = NDArray[np.float64]
EPS = float(np.finfo(np.float64).eps)

seeds = st.integers(0, 2**32 - 1)


def on_sphere(A: Array) -> Columns:
    return Columns("A", A).on_sphere()


@example(dim=3, seed=0, log_angle=-15.0, opposite=False)
@example(dim=3, seed=0, log_angle=-11.5, opposite=True)
@example(dim=12, seed=1, log_angle=-0.4, opposite=True)
@given(
    dim=st.integers(2, 12),
    seed=seeds,
    log_angle=st.floats(-15.0, float(np.log10(np.pi / 2))),
    opposite=st.booleans(),
)
def test_angles_of_unit_columns_are_accurate(dim, seed, log_angle, opposite):
    """Columns known as unit ones have their own, shorter way: as accurate for the vectors as they stand."""
    one, two = (on_sphere(x) for x in pair_at_angle(dim, seed, log_angle, opposite, (0.0, 0.0)))
    pairs = Pairs(one, two)
    theta, supplement = exact_pair(one.unit[:, 0], two.unit[:, 0])
    assert relative_error(pairs.angles().item(), theta) <= tolerance(dim)
    assert relative_error(pairs.supplements().item(), supplement) <= tolerance(dim)


def matrices(seed: int, dim: int, m: int, n: int, lead: tuple[int, ...]) -> tuple[Array, Array]:
    """Teachers, and students of which some are near a teacher, near another student, or opposite."""
    rng = np.random.default_rng(seed)
    teacher, student = rng.standard_normal((*lead, dim, m)), rng.standard_normal((*lead, dim, n))
    student[..., 0] = teacher[..., 0] + 1e-9 * student[..., 0]
    if n > 2:
        student[..., 1] = -(student[..., 2] + 1e-3 * student[..., 1])
    return teacher, student


@pytest.mark.parametrize("unit", [True, False])
@given(seed=seeds, dim=st.integers(2, 8), m=st.integers(1, 5), n=st.integers(1, 6))
def test_pairs_side_by_side_are_the_pairs_apart(unit, seed, dim, m, n):
    """Every angle within the bound of either; students with themselves exact and symmetric."""
    teacher, student = matrices(seed, dim, m, n, (2,))
    above, own = (on_sphere(x) if unit else Columns("A", x) for x in (teacher, student))
    theta = Pairs(above.beside(own), own).angles()
    apart = np.concatenate([Pairs(above, own).angles(), Pairs(own, own).angles()], axis=-2)
    np.testing.assert_allclose(theta, apart, rtol=2 * tolerance(dim))
    among = theta[..., m:, :]
    assert np.array_equal(np.diagonal(among, axis1=-2, axis2=-1), np.zeros((2, n)))
    np.testing.assert_allclose(among, among.mT, rtol=2 * tolerance(dim))
    for i in range(2):
        alone = Columns("A", teacher[i]), Columns("A", student[i])
        first, second = (x.on_sphere() for x in alone) if unit else alone
        assert np.array_equal(theta[i], Pairs(first.beside(second), second).angles())


MEASURES: dict[str, InputMeasure] = {
    "isotropic": IsotropicGaussian(4, std=2.0),
    "biased": BiasedGaussian(3),
    "samples": EmpiricalMeasure(np.random.default_rng(0).standard_normal((200, 4))),
}


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("width", [3, 2500], ids=["together", "apart"])
def test_kernels_onto_are_the_kernels(name, width):
    """Small problems at one go, large ones in two calls: the same numbers to rounding, whatever the measure."""
    measure = MEASURES[name]
    teacher, student = matrices(0, 4, width, 3, ())
    prepared = measure.prepare(teacher), measure.prepare(student)
    (teacher_l, teacher_d), (own_l, own_d) = measure.kernels_onto(*prepared)
    for found, right in (
        ((teacher_l, teacher_d), measure.kernels(teacher, student)),
        ((own_l, own_d), measure.kernels(student, student)),
        (measure.psi_d_onto(*prepared), (measure.psi_d(teacher, student), measure.psi_d(student, student))),
    ):
        for one, other in zip(found, right, strict=True):
            np.testing.assert_allclose(one, other, rtol=50 * EPS, atol=50 * EPS * np.abs(other).max())


def test_a_zero_or_broken_student_spoils_only_its_own():
    """Zero: kernels 0; NaN: NaN; in the arrays made at one go as in those made apart."""
    measure = IsotropicGaussian(3)
    teacher, student = unit_columns(np.eye(3)), np.eye(3)
    student[:, 1], student[0, 2] = 0.0, np.nan
    with np.errstate(all="raise"):
        both = measure.kernels_onto(measure.prepare(teacher), measure.prepare(student))
    for psi_l, psi_d in both:
        assert not psi_l[:, 1][~np.isnan(psi_l[:, 1])].any()
        assert not psi_d[:, 1][~np.isnan(psi_d[:, 1])].any()
        assert np.isnan(psi_d[:, 2]).all()
        assert np.isfinite(psi_d[:2, :2]).all()
