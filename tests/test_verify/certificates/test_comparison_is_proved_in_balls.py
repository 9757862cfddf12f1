"""The comparison certificate of Theorem 5 is proved again in ball arithmetic; what is not true of it is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from mpmath import mp, mpf, quad

from luckproof import Budget, TeacherStudent, unit_columns
from verify.luckmatters.theorem5 import (
    ANTIPODAL,
    FAST_ANGLE,
    MANY,
    OPPOSITE,
    ORTHOGONAL,
    SLOW_FAN_OUT,
    pairs_and_thresholded,
)
from verify.mathematics.bounds.comparison import Certificate, certify
from verify.mathematics.families.two_layer_starts import TwoLayerStart, problem_of

pytest.importorskip("flint")
from flint import arb, ctx

from verify.certificates.cap_kernels import X_SINE
from verify.certificates.comparison_proof import NotProvedError, proved_rate
from verify.certificates.normal_balls import both_active, one_relu, two_relus

pytestmark = pytest.mark.statement("luckmatters.theorem5")

THRESHOLDED = TwoLayerStart(m=2, r=2, c=3, threshold=2.0, theta0=1e-3, v_error=1e-2, r_fan_out=0.01)
EXAMPLES = (ORTHOGONAL, ANTIPODAL, OPPOSITE, MANY, SLOW_FAN_OUT, FAST_ANGLE, THRESHOLDED)


def proved(problem: TeacherStudent, certificate: Certificate) -> float:
    return proved_rate(problem, certificate.box.cap, certificate.box.fan_out, certificate.p)


def as_claimed(problem: TeacherStudent, certificate: Certificate) -> None:
    """The floats' rate is below the proved one, by rounding."""
    rate = float(certificate.rate)
    assert rate <= proved(problem, certificate) <= rate * (1 + 1e-8)


@pytest.mark.parametrize("start", EXAMPLES)
def test_the_examples_are_confirmed(start: TwoLayerStart) -> None:
    problem = problem_of(start)
    as_claimed(problem, certify(problem))


@given(pairs_and_thresholded(Budget("quick")))
def test_every_certificate_is_confirmed(start: TwoLayerStart) -> None:
    problem = problem_of(start)
    certificate = certify(problem)
    if certificate.valid:
        as_claimed(problem, certificate)


Numbers = dict[str, np.ndarray]


def cap_of_a_relevant_node_shrunk(n: Numbers) -> None:
    n["cap"][0] *= 0.9


def cap_of_an_irrelevant_node_shrunk(n: Numbers) -> None:
    n["cap"][-1] *= 0.5


def ball_of_a_fan_out_shrunk(n: Numbers) -> None:
    n["fan_out"][1] *= 0.9


def box_widened(n: Numbers) -> None:
    n["cap"][:] += 0.3


def box_of_fan_outs_widened(n: Numbers) -> None:
    n["fan_out"][:] += 2.0


def p_below_the_start(n: Numbers) -> None:
    n["p"] *= 0.9


def one_entry_of_p_raised(n: Numbers) -> None:
    n["p"][4] *= 3.0


def p_raised(n: Numbers) -> None:
    n["p"] *= 2.0


def p_negative(n: Numbers) -> None:
    n["p"][0] *= -1


def p_not_a_number(n: Numbers) -> None:
    n["p"][2] = np.nan


def cap_infinite(n: Numbers) -> None:
    n["cap"][1] = np.inf


def cap_negative(n: Numbers) -> None:
    n["cap"][1] *= -1


def cap_missing(n: Numbers) -> None:
    n["cap"] = n["cap"][1:]


def student_further_away(n: Numbers) -> None:
    n["student_W"][:, 0] += 0.01 * n["student_W"][:, 1]


def student_on_the_far_side(n: Numbers) -> None:
    n["student_W"][:, 0] *= -1


def student_fan_out_moved(n: Numbers) -> None:
    n["student_V"][0] *= 1.1


def irrelevant_fan_out_longer(n: Numbers) -> None:
    n["student_V"][-1] *= 1.5


def teachers_swapped(n: Numbers) -> None:
    n["teacher_W"] = n["teacher_W"][:, ::-1].copy()


def teacher_fan_out_doubled(n: Numbers) -> None:
    n["teacher_V"][0] *= 2


DAMAGE: tuple[Callable[[Numbers], None], ...] = tuple(
    value
    for name, value in dict(globals()).items()
    if getattr(value, "__annotations__", {}).get("n") == "Numbers"
)


@pytest.mark.parametrize("damage", DAMAGE, ids=[damage.__name__ for damage in DAMAGE])
def test_damage_is_refused(damage: Callable[[Numbers], None]) -> None:
    """Nothing is proved, or less than the certificate claims."""
    problem = problem_of(THRESHOLDED)
    certificate = certify(problem)
    names = ("teacher_W", "student_W", "teacher_V", "student_V")
    numbers = {name: np.array(getattr(problem, name)) for name in names}
    numbers |= {
        "cap": certificate.box.cap.copy(),
        "fan_out": certificate.box.fan_out.copy(),
        "p": certificate.p.copy(),
    }
    damage(numbers)
    W = {name: unit_columns(numbers[name]) for name in names[:2]}
    moved = TeacherStudent(*W.values(), numbers["teacher_V"], numbers["student_V"], problem.measure)
    try:
        rate = proved_rate(moved, numbers["cap"], numbers["fan_out"], numbers["p"])
    except NotProvedError:
        return
    assert rate < 0.999 * float(certificate.rate)


def test_nineteen_kinds_of_damage() -> None:
    assert len(DAMAGE) == 19


@pytest.mark.parametrize("theta", ["0.001", "0.4", "1.5707963", "2.9"])
@pytest.mark.parametrize(("h", "k"), [(-2.0, -1.5), (0.7, -3.0), (1.2, 1.2), (-4.0, -4.0)])
def test_normal_integrals_against_quadrature(h: float, k: float, theta: str) -> None:
    """One-dimensional integrals with mpmath: given z, y is normal with mean rho z and deviation sin theta."""
    with mp.workdps(30):
        t = mpf(theta)
        c, s = mp.cos(t), mp.sin(t)

        def integral(of_z: Callable[[mpf], mpf], of_y: Callable[[mpf], mpf]) -> mpf:
            turn = -k / c
            points = sorted(
                {mpf(-h), mpf(12), *(x for x in (turn + 8 * s * i for i in range(-3, 4)) if -h < x < 12)}
            )
            return quad(lambda z: mp.npdf(z) * of_z(z + h) * of_y((k + c * z) / s), points)

        gate, relu = mp.ncdf, lambda x: s * (x * mp.ncdf(x) + mp.npdf(x))
        expected = (
            (both_active, integral(lambda x: mpf(1), gate)),
            (one_relu, integral(lambda x: x, gate)),
            (two_relus, integral(lambda x: x, relu)),
        )
        for function, value in expected:
            found = function(arb(h), arb(k), arb(theta))
            assert float(found) == pytest.approx(float(value), rel=1e-10, abs=1e-15)
            assert float(found.rad()) < 1e-11


@pytest.mark.parametrize(("h", "k"), [(-2.0, -1.5), (0.7, -3.0), (1.2, 1.2)])
def test_normal_integrals_are_continuous_where_the_nodes_coincide(h: float, k: float) -> None:
    for function in (both_active, one_relu, two_relus):
        with ctx.workprec(80):
            at, near = (float(function(arb(h), arb(k), arb(t))) for t in (0, 1e-9))
        assert near == pytest.approx(at, abs=1e-8)


def test_a_student_on_the_far_side_is_not_proved() -> None:
    """Even where all sines are small."""
    near = TwoLayerStart(c=5, alpha=2.94, theta0=0.1, v_error=0.1, r_fan_out=0.1)
    certificate = certify(problem_of(near))
    with pytest.raises(NotProvedError, match="far side"):
        proved(problem_of(replace(near, theta0=np.pi - 0.1)), certificate)


def test_the_peak_of_x_sine_is_enclosed() -> None:
    """Its derivative changes sign within 1e-28 of the number that is used."""
    with ctx.workprec(150):
        below, above = arb(X_SINE) - arb("1e-28"), arb(X_SINE) + arb("1e-28")
        assert below.sin() + below * below.cos() > 0 > above.sin() + above * above.cos()
