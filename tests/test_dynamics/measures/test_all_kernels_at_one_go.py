"""The kernels of teachers and students with the students, made at one go, are those made one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dynamics.geometry.angles import Pairs
from dynamics.geometry.columns import Columns
from dynamics.measures import isotropic_gaussian as measures
from luckproof import (
    Array,
    BiasedGaussian,
    EmpiricalMeasure,
    InputMeasure,
    IsotropicGaussian,
    ProjectedFlow,
    TeacherStudent,
    unit_columns,
)
from tests.test_dynamics.geometry.test_angles_are_accurate import (
    exact_pair,
    pair_at_angle,
    relative_error,
    tolerance,
)

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


@pytest.mark.parametrize("dim", [3, 50, 1000])
def test_parallel_unit_columns_have_no_angle(dim):
    """Columns that differ by their rounding only, and sines whose squares underflow: 0, not what is left of norms."""
    rng = np.random.default_rng(dim)
    column = np.ones((dim, 1))
    scaled = column * rng.lognormal(size=100)
    assert not Pairs(on_sphere(column), on_sphere(scaled)).angles().any()
    tilted = np.eye(dim)[:, :1] + 1e-141 * np.eye(dim)[:, 1:2]
    assert not Pairs(on_sphere(np.eye(dim)[:, :1]), on_sphere(tilted)).angles().any()


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
    """Every angle and supplement within the bound of either; students with themselves exact and symmetric."""
    teacher, student = matrices(seed, dim, m, n, (2,))
    above, own = (on_sphere(x) if unit else Columns("A", x) for x in (teacher, student))
    joined, apart = Pairs(above.beside(own), own), (Pairs(above, own), Pairs(own, own))
    theta = joined.angles()
    np.testing.assert_allclose(
        theta, np.concatenate([x.angles() for x in apart], axis=-2), rtol=2 * tolerance(dim)
    )
    supplement = np.concatenate([x.supplements() for x in apart], axis=-2)
    np.testing.assert_allclose(joined.supplements(), supplement, rtol=2 * tolerance(dim))
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
@pytest.mark.parametrize("joined", [True, False])
def test_kernels_onto_are_the_kernels(name, joined, monkeypatch):
    """By one call on the columns joined or by two: the numbers and shapes of the kernels, whatever the measure."""
    monkeypatch.setattr(measures, "_JOINED_PAIRS", 1 << 16 if joined else 0)
    measure = MEASURES[name]
    teacher, student = matrices(0, 4, 5, 3, (2,))
    prepared = measure.prepare(teacher), measure.prepare(student)
    assert name != "isotropic" or measures._joinable(*prepared) is joined
    (teacher_l, teacher_d), (own_l, own_d) = measure.kernels_onto(*prepared)
    for found, right in (
        ((teacher_l, teacher_d), measure.kernels(teacher, student)),
        ((own_l, own_d), measure.kernels(student, student)),
        (measure.psi_d_onto(*prepared), (measure.psi_d(teacher, student), measure.psi_d(student, student))),
    ):
        for one, other in zip(found, right, strict=True):
            assert one.shape == other.shape
            np.testing.assert_allclose(one, other, rtol=50 * EPS, atol=50 * EPS * np.abs(other).max())


def test_teachers_of_any_size_meet_students_on_the_sphere():
    """Near antiparallel, where the roundings of directions would show: as accurate as by psi_d itself."""
    rng = np.random.default_rng(0)
    measure = IsotropicGaussian(5)
    teacher = 1.3 * rng.standard_normal((5, 1))
    student = -(unit_columns(teacher) + 1e-10 * rng.standard_normal((5, 1)))
    prepared = measure.prepare(teacher), measure.prepare_unit(Columns("student", student))
    (joined, _), apart = measure.psi_d_onto(*prepared), measure.psi_d(*prepared)
    assert abs(joined.item() / apart.item() - 1) <= 4 * EPS


def test_a_measure_made_from_the_gaussian_is_heard_by_the_flow():
    """Its own kernels are what the flows use: the way to write a control."""

    class Doubled(IsotropicGaussian):
        def psi_d(self, A, B):
            return 2 * super().psi_d(A, B)

    teacher, student = (unit_columns(x) for x in matrices(0, 4, 3, 3, ()))
    fields = []
    for measure in (IsotropicGaussian(4), Doubled(4)):
        flow = ProjectedFlow(TeacherStudent(teacher, student, measure=measure))
        fields.append(flow(0.0, flow.initial_state()))
    np.testing.assert_allclose(fields[1], 2 * fields[0], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("joined", [True, False])
def test_a_zero_or_broken_column_spoils_only_its_own(joined, monkeypatch):
    """Zero: kernels 0; NaN: NaN; of teachers and of students, joined or apart, and no warning."""
    monkeypatch.setattr(measures, "_JOINED_PAIRS", 1 << 16 if joined else 0)
    measure = IsotropicGaussian(3)
    teacher, student = np.eye(3), np.eye(3) + 0.1
    teacher[:, 0] = student[:, 1] = 0.0
    student[0, 2] = np.nan
    with np.errstate(all="raise"):
        both = measure.kernels_onto(measure.prepare(teacher), measure.prepare(student))
    for (psi_l, psi_d), zero in zip(both, (0, 1), strict=True):
        for kernel in (psi_l, psi_d):
            assert np.array_equal(np.isnan(kernel[:2]), [[False, False, True]] * 2)
            assert np.isnan(kernel[:, 2]).all()
            assert not kernel[zero, :2].any()
            assert not kernel[:2, 1].any()
    (psi_l, psi_d), _ = both
    np.testing.assert_allclose(
        psi_d[1:, 0], IsotropicGaussian(3).psi_d(teacher, student)[1:, 0], rtol=8 * EPS
    )
    np.testing.assert_allclose(
        psi_l[1:, 0], IsotropicGaussian(3).psi_l(teacher, student)[1:, 0], rtol=8 * EPS
    )


def test_unequal_fan_ins_are_named():
    """One message, whichever way the kernels are made."""
    measure = IsotropicGaussian(4)
    with pytest.raises(ValueError, match="expected equal numbers of rows"):
        measure.psi_d_onto(measure.prepare(np.eye(4)), IsotropicGaussian(5).prepare(np.eye(5)))
