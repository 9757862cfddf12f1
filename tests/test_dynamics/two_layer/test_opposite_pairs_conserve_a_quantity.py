"""Two irrelevant nodes with opposite fan-outs: the closed form against many digits and against the flow."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest

from dynamics.two_layer.opposite_pair import lost_square, remaining_fan_out, slope
from luckproof import TeacherStudent, TwoLayerFlow, angles, integrate

ANGLES = (0.05, 0.6, 1.0, math.pi / 2, 2.5)


def precise_slope(t: mp.mpf) -> mp.mpf:
    """``[pi - sin t - (pi - t) cos t] / [(pi - t) sin t]`` as it stands."""
    return (mp.pi - mp.sin(t) - (mp.pi - t) * mp.cos(t)) / ((mp.pi - t) * mp.sin(t))


def in_many_digits(angle: float, *, projected: bool) -> float:
    """The square that is lost; as printed from ``d ln omega/dphi = [pi - (pi - t) cos t] / [2 (pi - t) sin t]``."""
    with mp.workdps(30):
        end, small = mp.mpf(angle), mp.mpf("1e-25")
        if projected:
            return float(mp.quad(precise_slope, [small, end / 2, end]))

        def growth(t: mp.mpf) -> mp.mpf:
            return (mp.pi - (mp.pi - t) * mp.cos(t)) / (2 * (mp.pi - t) * mp.sin(t))

        with mp.workdps(15):
            return float(
                mp.quad(
                    lambda t: precise_slope(t) * mp.exp(-2 * mp.quad(growth, [t, end])),
                    [mp.mpf("1e-9"), end / 2, end],
                )
            )


def start(size: float, apart: float, lean: float = 0.0) -> TeacherStudent:
    """A teacher e1 with its student on it, and a pair ``apart`` whose middle leans towards e1."""
    half, middle = apart / 2, np.array([math.sin(lean), math.cos(lean), 0.0])
    side = np.array([0.0, 0.0, math.sin(half)])
    W = np.stack([np.eye(3)[0], math.cos(half) * middle + side, math.cos(half) * middle - side], axis=1)
    V = np.array([[1.0, 0.0], [0.0, size], [0.0, -size]])
    return TeacherStudent(W[:, :1], W, V[:1], V)


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("projected", [True, False])
def test_the_square_lost_is_the_integral(angle, projected):
    """Quadrature in floats agrees with mpmath, where the printed flow's columns shrink by their own equation."""
    expected = in_many_digits(angle, projected=projected)
    assert lost_square(angle, projected=projected) == pytest.approx(
        expected, rel=1e-12 if projected else 1e-8
    )


@pytest.mark.parametrize("t", [1e-9, 1e-5, 9.99e-5, 1.001e-4, 1e-2, 1.0, 3.1])
def test_the_slope_is_accurate_at_every_angle(t):
    """Series and formula meet; neither loses digits."""
    with mp.workdps(50):
        assert slope(t) == pytest.approx(float(precise_slope(mp.mpf(t))), rel=1e-12)


@pytest.mark.parametrize(
    ("angle", "projected", "threshold"),
    [
        (math.pi / 2, True, 0.911456),
        (1.0, True, 0.535139),
        (0.6, True, 0.309786),
        (0.3, True, 0.151996),
        (math.pi / 2, False, 0.681050),
    ],
)
def test_thresholds_are_those_of_the_page(angle, projected, threshold):
    """To six digits; and nothing is left below, something above."""
    assert math.sqrt(lost_square(angle, projected=projected)) == pytest.approx(threshold, abs=6e-7)
    assert remaining_fan_out(threshold - 1e-6, angle, projected=projected) == 0
    assert remaining_fan_out(threshold + 1e-6, angle, projected=projected) > 0


def test_the_threshold_is_enclosed():
    """2Q(pi/2) in ball arithmetic, to ten digits; the float and the page's number lie beside it."""
    flint = pytest.importorskip("flint")
    with flint.ctx.workprec(100):
        pi, near = flint.acb.pi(), flint.arb("1e-4")
        integral = flint.acb.integral(
            lambda t, _: (pi - t.sin() - (pi - t) * t.cos()) / ((pi - t) * t.sin()), near, pi / 2
        )
        # On [0, t]: numerator between pi (t^2/2 - t^4/24) - t^3/3 and pi t^2/2, denominator pi t (1 - t/pi)(1 - t^2/6)
        # and pi t; so the slope is t/2 up to a share of 2 t.
        whole = integral.real + near**2 / 4 * (1 + 2 * near * flint.arb(0, 1))
        assert whole > flint.arb("0.8307512571")
        assert whole < flint.arb("0.8307512572")
        assert abs(whole - lost_square(math.pi / 2)) < 1e-12


@pytest.mark.parametrize("size", [0.5, 1.0, 2.0])
@pytest.mark.parametrize(("apart", "lean"), [(math.pi / 2, 0.0), (1.0, 0.5), (2.6, -1.0)])
@pytest.mark.parametrize("projected", [True, False])
def test_the_flow_conserves_it(size, apart, lean, projected):
    """v^2 less the square still to be lost stays at its start along the flow, to 1e-10; so does the shrinking law."""
    flow = TwoLayerFlow(start(size, apart, lean), projected=projected)
    run = integrate(flow, (0.0, 6.0), t_eval=np.linspace(0, 6, 7), rtol=1e-12, atol=1e-14)
    turn = angles(run.state["W"][:, :, 1:2], run.state["W"][:, :, 2:])[:, 0, 0]
    omega = np.linalg.norm(run.state["W"][:, :, 1], axis=-1)
    square = np.sum(run.state["V"][:, 1] ** 2, axis=-1)
    assert turn[-1] < turn[0] - 0.01
    # As printed, from unit columns; a pair at omega < 1 is one of unit columns with v^2 -> v^2/omega^2, scaled back.
    lost = np.array([lost_square(float(phi), projected=projected) for phi in turn])
    scale = 1.0 if projected else omega**2
    np.testing.assert_allclose(square - scale * lost, square[0] - lost[0], atol=1e-10 * max(1, size**2))
    if not projected:
        q = np.array([lost_square(float(phi)) for phi in turn])
        np.testing.assert_allclose(
            omega**2 * (math.pi - turn) * np.exp(-q), (math.pi - apart) * np.exp(-q[0])
        )


def test_without_the_symmetry_nothing_is_conserved():
    """The control: fan-outs of different norms, and the quantity moves."""
    problem = start(1.0, 1.0)
    V = problem.student_V.copy()
    V[2] *= 0.7
    flow = TwoLayerFlow(TeacherStudent(problem.teacher_W, problem.student_W, problem.teacher_V, V))
    run = integrate(flow, (0.0, 6.0), t_eval=[0.0, 6.0], rtol=1e-12, atol=1e-14)
    turn = angles(run.state["W"][:, :, 1:2], run.state["W"][:, :, 2:])[:, 0, 0]
    kept = np.sum(run.state["V"][:, 1] ** 2, axis=-1) - [lost_square(float(phi)) for phi in turn]
    assert abs(kept[1] - kept[0]) > 1e-3


@pytest.mark.parametrize("angle", [-0.1, math.pi, math.nan])
def test_angles_outside_are_refused(angle):
    """One error that names the argument."""
    with pytest.raises(ValueError, match="angle"):
        lost_square(angle)
