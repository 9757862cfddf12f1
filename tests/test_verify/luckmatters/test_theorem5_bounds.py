"""Theorem 5: the printed constants, the rates that each bound promises, and the slips of the printed induction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from luckproof import BOUNDS, Array, BiasedGaussian, IsotropicGaussian, TeacherStudent, teachers
from verify.luckmatters.theorem5 import ANTIPODAL, MANY, ORTHOGONAL
from verify.mathematics.bounds import (
    theorem4_corrected,
    theorem4_printed,
    theorem4_spectral,
    theorem5_certificate,
    theorem5_printed,
    theorem5_spectral,
)
from verify.mathematics.bounds.overparameterised import theorem5_printed_constants
from verify.mathematics.families.two_layer_starts import TwoLayerStart, problem_of

pytestmark = pytest.mark.statement("luckmatters.theorem5")


def test_printed_conditions_need_a_single_pair_under_isotropic_input() -> None:
    """(41) and (42) hold for m = 1, n = 2 with tiny fan-outs, and for no larger isotropic student at any angle."""
    tiny = TwoLayerStart(alpha=2.0, fan_out=1e-4)
    assert theorem5_printed_constants(problem_of(tiny)).feasible > 0
    assert not theorem5_printed_constants(problem_of(replace(tiny, fan_out=0.1))).feasible > 0
    for m, r in ((1, 2), (2, 1), (2, 2)):
        for alpha in np.linspace(0.5, 3.1, 14):
            start = TwoLayerStart(m=m, r=r, c=3, alpha=float(alpha), fan_out=1e-4)
            assert not theorem5_printed_constants(problem_of(start)).feasible > 0


def test_printed_rate_has_one_power_of_the_fan_outs_too_few() -> None:
    """Halving all fan-outs quarters the true rate of W and the spectral rate, but only halves the printed one."""
    large, small = (problem_of(TwoLayerStart(alpha=2.0, fan_out=f)) for f in (2e-3, 1e-3))
    assert theorem5_spectral(large) / theorem5_spectral(small) == pytest.approx(4, rel=0.01)
    assert theorem5_printed(large) / theorem5_printed(small) == pytest.approx(2, rel=0.05)
    assert theorem5_printed(small) > 100 * theorem5_spectral(small)


@pytest.mark.parametrize("start", [ORTHOGONAL, ANTIPODAL, MANY])
def test_certified_rate_is_below_the_spectral_rate(start: TwoLayerStart) -> None:
    """A certificate promises less than what is reached in the end."""
    problem = problem_of(start)
    assert 0 < theorem5_certificate(problem) < theorem5_spectral(problem)


def test_certified_rate_is_nearly_sharp_for_an_antipodal_node() -> None:
    """Where the overlaps nearly vanish the bound is within 5 % of the spectral rate."""
    problem = problem_of(replace(ANTIPODAL, alpha=3.1, theta0=0.001, v_error=0.001, r_fan_out=0.001))
    assert theorem5_certificate(problem) > 0.95 * theorem5_spectral(problem)


@pytest.mark.statement("luckmatters.theorem4")
def test_theorem4_bounds_are_ordered_where_they_are_not_vacuous() -> None:
    """corrected <= spectral with thresholds at 3; both vacuous for five isotropic teachers."""
    rng = np.random.default_rng(0)
    teacher = teachers.thresholded(8, 5, 3.0, rng)
    near = TeacherStudent.at_angle(teacher, 1e-3, rng, measure=BiasedGaussian(8))
    assert 0 < theorem4_corrected(near) < theorem4_spectral(near)
    isotropic = TeacherStudent.at_angle(teachers.orthonormal(8, 5, rng), 0.1, rng)
    assert np.isnan(theorem4_corrected(isotropic))
    assert np.isnan(theorem4_printed(isotropic))
    assert theorem4_spectral(isotropic) > 0


@pytest.mark.parametrize("std", [0.5, 2.0])
def test_theorem4_bounds_are_rates_of_the_flow_at_any_scale_of_the_input(std: float) -> None:
    """Corrected below spectral and near it for one teacher; both go with the variance, as the flow does."""
    rng = np.random.default_rng(0)
    teacher = teachers.random_unit(5, 1, rng)
    one, other = (
        TeacherStudent.at_angle(teacher, 0.2, 3, measure=IsotropicGaussian(5, scale)) for scale in (1.0, std)
    )
    assert 0.8 * theorem4_spectral(other) < theorem4_corrected(other) < theorem4_spectral(other)
    assert theorem4_printed(other) == pytest.approx(std**2 * theorem4_printed(one), rel=1e-12)


def test_every_bound_refuses_an_ensemble() -> None:
    """Bounds are numbers of one instance."""
    rng = np.random.default_rng(0)
    ensemble = TeacherStudent.at_angle(teachers.orthonormal(4, 2, rng, batch=(3,)), 0.1, rng)
    for bound in BOUNDS.values():
        with pytest.raises(ValueError, match="one instance"):
            bound(ensemble)


@pytest.mark.statement("luckmatters.theorem4")
def test_theorem4_bounds_refuse_unequal_thresholds() -> None:
    """With biases the constants are known for orthogonal teachers of one threshold."""
    rng = np.random.default_rng(0)
    columns = teachers.random_unit(4, 3, rng)
    problem = TeacherStudent.at_angle(columns, 0.1, rng, measure=BiasedGaussian(3))
    with pytest.raises(ValueError, match="one threshold"):
        theorem4_corrected(problem)


def test_no_bound_is_given_for_a_derived_measure() -> None:
    """The Gaussian's constants are not those of a measure with overlaps of its own; the spectral rate is its own."""

    class Halved(BiasedGaussian):
        def psi_d(self, A: Any, B: Any) -> Array:
            return 0.5 * super().psi_d(A, B)

    rng = np.random.default_rng(0)
    teacher = teachers.thresholded(8, 3, 3.0, rng)
    gaussian, halved = (
        TeacherStudent.at_angle(teacher, 1e-3, np.random.default_rng(1), measure=cls(8))
        for cls in (BiasedGaussian, Halved)
    )
    for name, bound in BOUNDS.items():
        if name.endswith("spectral"):
            continue
        if name in (
            "theorem4.basin",
            "theorem5.local",
        ):  # about input without a bias: it is given for neither
            assert np.isnan([bound(gaussian), bound(halved)]).all()
            continue
        assert not np.isnan(bound(gaussian)) or name == "theorem5.printed"
        with pytest.raises(TypeError, match="measure: expected"):
            bound(halved)
    assert theorem4_spectral(halved) == pytest.approx(0.5 * theorem4_spectral(gaussian), rel=1e-6)
