"""One student, one teacher: the reduced system is the gradient flow, and its passage times follow three laws."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamics.two_layer.one_teacher import reached
from luckproof import (
    GradientFlow,
    OneTeacherFlow,
    PassageFlow,
    TeacherStudent,
    diverged,
    frozen_passage_time,
    integrate,
    passage,
    passage_times,
)

FAR = diverged(1e300)
"""Passage times have no scale of their own and pass the default limit."""

pytestmark = pytest.mark.statement("specialization.eqn11", "specialization.eqn12")

TABLE = [
    (0.1, 1.0, 1.0, 60.5600, 6),
    (0.01, 1.0, 1.0, 626.141, 6),
    (0.001, 1.0, 1.0, 6281.02, 6),
    (0.001, 0.01, 0.01, 6281.02, 6),
    (0.1, 1.0, 0.5, 1.02512e5, 6),
    (0.025, 1.0, 0.5, 2.78e7, 3),
    (0.1, 0.5, 1.0, 6.782, 4),
    (0.025, 0.5, 1.0, 10.329, 5),
]


@given(
    delta=st.floats(0.01, 3.1),
    rho=st.floats(0.1, 3),
    v=st.floats(-2, 2),
    teacher_v=st.floats(-2, 2),
)
def test_three_numbers_are_the_gradient_flow(delta, rho, v, teacher_v):
    """Put back into the plane, (delta', rho', v') is the exact gradient field."""
    w = rho * np.array([[-np.cos(delta)], [np.sin(delta)]])
    problem = TeacherStudent(np.array([[1.0], [0.0]]), w, [[teacher_v]], [[v]])
    whole = GradientFlow(problem)
    state = whole.unpack(whole(0.0, whole.initial_state()))
    flow = OneTeacherFlow(delta, rho, v, teacher_v=teacher_v)
    turn, grow, fan = flow(0.0, flow.initial_state())
    dw = grow * w[:, 0] / rho + rho * turn * np.array([np.sin(delta), np.cos(delta)])
    assert state["W"][:, 0] == pytest.approx(dw, abs=1e-13)
    assert state["V"][0, 0] == pytest.approx(fan, abs=1e-12)


def test_the_field_at_a_known_point():
    """w = (-.9, .5), v = .7, v* = 1.3: w' = (.232459, -.088342), v' = -.361977."""
    problem = TeacherStudent([[1.0], [0.0]], [[-0.9], [0.5]], [[1.3]], [[0.7]])
    flow = GradientFlow(problem)
    assert flow(0.0, flow.initial_state()) == pytest.approx([0.232459, -0.088342, -0.361977], abs=5e-7)


@pytest.mark.parametrize(("eps", "rho", "v", "expected", "digits"), TABLE)
def test_passage_times(eps, rho, v, expected, digits):
    """Known times, from an event in time; the same from the angle as a clock; rho^2 - v^2 stays."""
    run = passage(OneTeacherFlow(eps, rho, v))
    time = run.events["reached"][0]
    assert time == pytest.approx(expected, rel=0.6 * 10.0 ** (1 - digits))
    assert float(passage_times(PassageFlow(eps, rho, v))) == pytest.approx(time, rel=1e-7)
    balance = run.observables["balance"]
    assert balance[-1] == pytest.approx(balance[0], abs=1e-9)


def test_an_ensemble_of_passages():
    """Several starts in one run give what each gives alone."""
    rho, v = np.array([1.0, 0.5, 1.0]), np.array([1.0, 1.0, 0.8])
    together = passage_times(PassageFlow(np.array([[0.1], [0.2]]), rho, v))
    assert together.shape == (2, 3)
    assert together[1, 1] == pytest.approx(float(passage_times(PassageFlow(0.2, 0.5, 1.0))), rel=1e-7)


@pytest.mark.parametrize(
    ("eps", "expected"), [(0.1, 9.63843), (0.01, 99.65344), (1e-3, 999.65494), (1e-4, 9999.65509)]
)
def test_frozen_time(eps, expected):
    """Quadrature against known values, 30-digit quadrature, and the integrated Eqn 12."""
    time = frozen_passage_time(eps)
    assert time == pytest.approx(expected, abs=6e-6)
    with mp.workdps(30):
        ends = (
            [mp.mpf(eps), mp.mpf(eps) * 10, mp.mpf("0.5"), mp.pi / 2]
            if eps < 0.05
            else [mp.mpf(eps), mp.pi / 2]
        )
        exact = mp.quad(lambda x: 1 / (x * mp.sin(x)), ends)
    assert time == pytest.approx(float(exact), rel=1e-12)
    integrated = passage(OneTeacherFlow(eps, frozen=True)).events["reached"][0]
    assert integrated / (2 * np.pi) == pytest.approx(time, rel=1e-9)


def test_starting_past_the_end():
    """The event counts where the angle is there already."""
    run = integrate(OneTeacherFlow(2.0), (0.0, 10.0), events=[reached(np.pi / 2)])
    assert run.events["reached"] == (0.0,)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: OneTeacherFlow(0.0), "delta"),
        (lambda: OneTeacherFlow(4.0), "delta"),
        (lambda: OneTeacherFlow(0.1, rho=0.0), "rho"),
        (lambda: OneTeacherFlow(0.1, v=float("nan")), "v"),
        (lambda: OneTeacherFlow(0.1, c=-1.0), "c"),
        (lambda: PassageFlow(2.0, end=1.0), "end"),
        (lambda: PassageFlow(0.1, v=-1.0), "v, teacher_v"),
        (lambda: passage(OneTeacherFlow(np.array([0.1, 0.2]))), "flow"),
        (lambda: frozen_passage_time(0.0), "start"),
        (lambda: frozen_passage_time(0.1, kappa=0.0), "kappa"),
    ],
)
def test_bad_input_is_named(make, name):
    """One ValueError that names the argument."""
    with pytest.raises(ValueError, match=f"^{name}"):
        make()


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_fan_outs_whose_product_is_beyond_float64_have_signs(size):
    """What counts is on which side of zero it is, not whether it can be written."""
    PassageFlow(0.1, v=-size, teacher_v=-size)
    with pytest.raises(ValueError, match=r"^v, teacher_v"):
        PassageFlow(0.1, v=size, teacher_v=-size)


def test_stiff_passages_survive_loose_tolerances():
    """A trial step that overshoots log v by hundreds once ended the run (rtol 1e-6, small fan-out)."""
    for scale, eps in ((0.7, 0.0046), (1.5, 0.00937)):
        flow = PassageFlow(np.array([eps, eps / 2]), scale, scale / 2)
        loose, tight = passage_times(flow, rtol=1e-6), passage_times(flow, rtol=1e-10)
        assert loose == pytest.approx(tight, rel=1e-4)


@pytest.mark.parametrize("rtol", [1e-6, 1e-8])
@pytest.mark.parametrize(
    ("eps", "rho", "v"),
    [(1.0441366519805563e-3, 1.5007781982421877, 0.75038909912109385), (0.0129, 0.1, 0.05)],
)
def test_a_steep_first_transient_is_not_stepped_over(eps, rho, v, rtol):
    """At loose tolerances too: LSODA was 0.6 % off here, in silence; another family agrees to 50 rtol."""
    flow = PassageFlow(np.array([eps, eps / 2]), rho, v)
    reference = integrate(flow, (0, 1), t_eval=[1], method="Radau", rtol=1e-8, atol=1e-12, events=[FAR])
    assert passage_times(flow, rtol=rtol) == pytest.approx(reference.state["elapsed"][-1], rel=50 * rtol)
