"""basin_rate: below the flow's own contraction, decreasing, exact at 0, refused outside the basin."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamics.basins.rates import proved_rates
from luckproof import ProjectedFlow, TeacherStudent, basin_radius, basin_rate, basin_time, integrate
from tests.test_dynamics.basins.starts import contraction, students, turned

LATE = 0.25 - 1 / (2 * math.pi)
SIZES = [(None, None), (1, 3), (2, 2), (2, 5), (2, None), (3, 3), (20, 40)]


@given(W=students())
def test_no_state_contracts_more_slowly(W):
    """-R'/R at every state is at least the bound at its R, for its m and d and for every m."""
    d, m = W.shape
    square = float(np.sum((W - np.eye(d, m)) ** 2))
    if square > 1e-6:
        rate = contraction(W) / square
        for bound in (basin_rate(math.sqrt(square)), basin_rate(math.sqrt(square), m, d)):
            assert rate >= bound - 1e-12


@pytest.mark.parametrize(("m", "d"), SIZES)
def test_rates_fall_with_the_radius(m, d):
    """The bound is on a whole ball, so it cannot grow with it; it is positive up to the radius."""
    radii = np.linspace(0, basin_radius(m), 300, endpoint=False)
    rates = np.array([basin_rate(float(R), m, d) for R in radii])
    assert np.all(np.diff(rates) <= 0)
    assert rates[-1] > 0


def test_late_rates_are_exact():
    """At R = 0 the bound is the true late rate: 1/4 - 1/2 pi; 1/2; 1/4; in the plane 1/2 - 1/2 pi."""
    for size, late in (
        ((None, None), LATE),
        ((3, 3), LATE),
        ((1, 2), 0.5),
        ((2, 3), 0.25),
        ((2, 2), 0.5 - 1 / (2 * math.pi)),
    ):
        rate = basin_rate(0.0, *size)
        assert rate <= late  # the float of the late rate is itself rounded
        assert rate == pytest.approx(late, abs=2e-3 if size[0] == 2 else 1e-15)


def test_the_radius_is_that_of_theorem_d():
    """0.86 at least, below the ceiling 2 sqrt 2 sin(pi/8) of every m >= 2; one teacher has all but the antipode."""
    assert (
        0.86
        <= basin_radius()
        == basin_radius(2)
        == basin_radius(40)
        < 2 * math.sqrt(2) * math.sin(math.pi / 8)
    )
    assert basin_radius(1) == 2


@pytest.mark.parametrize("radius", [0.05, 0.2, 0.5, 0.7, 0.8, 0.86 - 1e-9])
def test_rates_are_those_that_were_found_before(radius):
    """An earlier code in floating point gave these; ours are within 10 % of them, or above."""
    earlier = {0.05: 0.0846, 0.2: 0.0675, 0.5: 0.0307, 0.7: 0.0122, 0.8: 0.0057}
    assert basin_rate(radius) >= 0.9 * earlier.get(radius, 0.0007)


def test_one_teacher_contracts_at_the_rate_itself():
    """m = 1: R' = -basin_rate(R) R along the flow, to rounding."""
    for theta in (1e-3, 0.5, 1.5, 3.0):
        R = 2 * math.sin(theta / 2)
        W = np.array([[math.cos(theta)], [math.sin(theta)]])
        assert contraction(W) / R**2 == pytest.approx(basin_rate(R, 1, 2), rel=1e-9)


def test_a_run_from_the_edge_of_the_basin_ends_at_the_teachers():
    """A rotation of one pair, R just inside: R falls at least as R' = -basin_rate(R) R."""
    directions = 0.05 * np.random.default_rng(0).standard_normal((12, 10))
    directions[0, 1], directions[1, 0] = 1.0, -1.0
    W = turned(directions, basin_radius() - 1e-3)
    assert W is not None
    flow = ProjectedFlow(TeacherStudent(np.eye(12, 10), W))
    run = integrate(flow, (0.0, 90.0), t_eval=np.linspace(0, 90, 46), rtol=1e-11, atol=1e-14)
    R = np.linalg.norm(run.state["W"] - np.eye(12, 10), axis=(1, 2))
    fallen = -np.diff(np.log(R)) / np.diff(run.t)
    assert np.all(fallen >= [basin_rate(float(r)) for r in R[:-1]])
    assert R[-1] < 1e-3


@pytest.mark.parametrize("radius", [-0.1, 0.88, 2.0, math.nan, math.inf])
def test_radii_outside_the_basin_are_refused(radius):
    """No bound is made up where nothing is proved."""
    with pytest.raises(ValueError, match="radius: expected"):
        basin_rate(radius)


def test_impossible_sizes_are_refused():
    """More orthonormal teachers than dimensions, or a dimension without a number of teachers."""
    for sizes, name in (((0, None), "m"), ((3, 2), "d"), ((None, 3), "d"), ((2, 0), "d")):
        with pytest.raises(ValueError, match=f"{name}: expected"):
            basin_rate(0.1, *sizes)
    with pytest.raises(ValueError, match="radius: expected"):
        basin_rate(2.0, 1, 2)


@given(radius=st.floats(0, 0.46), plane=st.booleans())
def test_closed_forms_are_rounded_down(radius, plane):
    """Theorem A, one and two teachers, evaluated in ball arithmetic, lie above the floats returned."""
    flint = pytest.importorskip("flint")
    from dynamics.basins.closed_forms import any_teachers, one_teacher, two_teachers

    with flint.ctx.workprec(80):  # the float's own last digit is inside the balls of fewer
        R, pi = flint.arb(radius), flint.arb.pi()
        theta, v = 2 * (R / 2).asin(), R**2 / 2
        eta = (pi / 2 - 1) * 27 / 2048 * R**4 / (1 - v) ** 3
        arc = theta / theta.sin() if radius > 1e-9 else flint.arb(1, 1e-15)
        own = (theta / 2).cos() ** 2 * (pi / 2 - theta - arc)
        assert any_teachers(radius) < (own - R**2 * (1 / (8 * (1 - v)) + pi / 32 + eta)) / (
            2 * pi
        ) + 1e-15 * (radius <= 1e-9)
        assert one_teacher(radius) < (1 - R**2 / 4) * (pi - theta) / (2 * pi)
        if radius > 1e-6:
            ratio = (v / (1 - v)).asin() / (v / (1 - v)) / (16 * (1 - v))
            values = []
            for k in range(1, 64):
                tau = flint.arb(k * k) / 64**2 * (1 - 2 / pi)
                a, shared = pi / 2 * (1 - tau), pi / (32 * tau) + ratio
                in_plane = (
                    (1 - R**2 / 4) * (pi / 2 - theta + a - 1) - a * R / flint.arb(2).sqrt() - R**2 * shared
                )
                outside = (1 - R**2 / 4) * (pi / 2 - theta) - R**2 * (a / (4 * (a - 1)) + shared)
                values.append(in_plane if plane else outside)
            assert any(two_teachers(radius, plane=plane) < value / (2 * pi) for value in values)


@given(radius=st.floats(0, 0.87))
def test_reserves_are_rounded_down(radius):
    """Theorem A'' of the stored constants in ball arithmetic lies above the float returned."""
    flint = pytest.importorskip("flint")
    proved = proved_rates()
    with flint.ctx.workprec(100):
        R, pi = flint.arb(radius), flint.arb.pi()
        values = [
            (flint.arb(mu) - flint.arb(loss) * R**2) / (2 * pi)
            for limit, mu, loss in proved.reserves
            if limit >= radius
        ]
        assert (
            any(proved.reserved(radius) < value for value in values)
            if values
            else proved.reserved(radius) == -1
        )


def test_a_radius_between_two_balls_has_the_rate_of_the_larger():
    """Theorem D is of whole balls: inside one its rate holds, outside of it nothing is said."""
    proved = proved_rates()
    radii = np.array([radius for radius, _ in proved.sweep])
    asked = np.concatenate([radii, np.nextafter(radii, 0), (radii[1:] + radii[:-1]) / 2])
    for radius in asked:
        allowed = [rate for limit, rate in proved.sweep if limit >= radius]
        assert proved.swept(float(radius)) in allowed
    assert proved.swept(float(np.nextafter(radii[-1], 1))) == -1


@pytest.mark.parametrize(("m", "d", "radius"), [(3, 3, 0.5), (5, 7, 0.8), (1, 3, 1.2), (2, 3, 0.6)])
def test_times_are_above_those_of_runs(m, d, radius):
    """R is a tenth, a thousandth, a millionth of its start before the proved times, which are no idle bounds."""
    W = turned(np.random.default_rng(0).standard_normal((d, m)), radius)
    ends = radius * np.array([1e-1, 1e-3, 1e-6])
    times = np.array([basin_time(radius, float(end), m, d) for end in ends])
    run = integrate(
        ProjectedFlow(TeacherStudent(np.eye(d, m), W)),
        (0, times[-1]),
        t_eval=[0, *times],
        rtol=1e-10,
        atol=1e-14,
    )
    R = np.linalg.norm(run.state["W"] - np.eye(d, m), axis=(1, 2))[1:]
    assert np.all(ends * 1e-4 < R)
    assert np.all(ends * (1 + 1e-6) >= R)


def test_times_add_up():
    """None to where the start is or farther, more by way of a stop; late, the late rate alone."""
    assert basin_time(0.3, 0.3) == basin_time(0.3, 0.4) == 0
    assert basin_time(0.5, 1e-6) <= (basin_time(0.5, 0.02) + basin_time(0.02, 1e-6)) * (1 + 1e-3)
    assert basin_time(1e-5, 1e-8) == pytest.approx(math.log(1e3) / LATE, rel=1e-3)
    assert math.log(1e3) / LATE <= basin_time(1e-5, 1e-8)


@pytest.mark.parametrize(
    ("start", "end", "named"), [(0.9, 0.1, "start"), (0.5, 0.0, "end"), (0.5, -1.0, "end")]
)
def test_times_outside_are_refused(start, end, named):
    """One error that names the argument."""
    with pytest.raises(ValueError, match=f"{named}: expected"):
        basin_time(start, end)


@pytest.mark.parametrize(("start", "end"), [(1.999, 1e-3), (1.9, 0.1), (2 - 1e-6, 0.5)])
def test_the_time_from_near_the_antipode_is_close(start, end):
    """One teacher: above ``int 2 pi dt / ((pi - t) sin t)`` over the angles, by a sixth or less."""
    with mp.workdps(30):
        low, high = (2 * mp.asin(mp.mpf(R) / 2) for R in (end, start))
        # pi - t = pi exp(-x): dt / (pi - t) = dx.
        ends = [-mp.log(1 - t / mp.pi) for t in (low, high)]
        exact = mp.quad(lambda x: 2 * mp.pi / mp.sin(mp.pi * mp.exp(-x)), mp.linspace(*ends, 40))
    assert exact <= basin_time(start, end, 1) <= exact * 7 / 6
