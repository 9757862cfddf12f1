"""Theorem 4's flow in deviations as machine code: what NumPy gives, to rounding, at every size of the deviation."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import DOP853, RK45
from scipy.integrate._ivp.rk import rk_step

from dynamics.two_layer.deviations import compiled_field
from dynamics.two_layer.deviations.compiled_field import SWITCH, CompiledField
from dynamics.two_layer.deviations.field import DeviationField, Terms
from dynamics.two_layer.deviations.flow import DeviationFlow
from luckproof import Array, ProjectedFlow, TeacherStudent, Trajectory, integrate, spectral_rate, teachers
from tests.test_dynamics.two_layer.test_deviations_keep_their_digits import CASES, DIGITS, exactly

pytestmark = pytest.mark.statement("luckmatters.theorem4")
with_numba = pytest.mark.skipif(
    importlib.util.find_spec("numba") is None, reason="numba is not installed (extra `compiled`)"
)


def in_deviations(problem: TeacherStudent, how: str) -> DeviationFlow:
    """Theorem 4's flow in deviations, by machine code (``always``) or NumPy (``never``)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SWITCH, how)
        flow = ProjectedFlow(problem).in_deviations()
    assert flow is not None
    return flow


def both(teacher: Array) -> tuple[DeviationFlow, DeviationFlow]:
    """By machine code and by NumPy; the start plays no part in the field."""
    problem = TeacherStudent.at_angle(teacher, 0.3, 0)
    return in_deviations(problem, "always"), in_deviations(problem, "never")


@st.composite
def stacks(draw: st.DrawFn) -> tuple[Array, Array, Array]:
    """Teachers, Z and binary scales of a stack, some pairs of whose students or teachers are narrow.

    Stacks of 20 and more are computed side by side, all of them or but the last ones.
    """
    S, d = draw(st.integers(1, 5) | st.sampled_from((20, 35, 60))), draw(st.integers(2, 9))
    orthonormal = draw(st.booleans())
    m = draw(st.integers(1, d if orthonormal else 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    teacher = (teachers.orthonormal if orthonormal else teachers.random_unit)(d, m, rng, (S,))
    side = draw(st.sampled_from((0.0, 1.0, -1.0)))
    width = draw(st.sampled_from((0.2, 1e-2, 1e-6, 1e-12)))
    if side and m > 1 and not orthonormal:
        teacher[..., 1] = side * teacher[..., 0] + width * rng.standard_normal((S, d))
        teacher /= np.linalg.norm(teacher, axis=-2, keepdims=True)
    Z = rng.standard_normal(teacher.shape)
    exponents = st.floats(0, 2) | st.floats(-40, 0) | st.floats(-1000, -30)
    scale = np.resize([draw(exponents) for _ in range(min(S, 5))], S)
    if side and m > 1 and orthonormal:  # students that stand nearly in line, far from their teachers
        scale[::5] = 0.0
        turned = side * (teacher[::5, :, 0] + Z[::5, :, 0])
        Z[::5, :, 1] = turned - teacher[::5, :, 1] + width * Z[::5, :, 1]
    return teacher, Z, scale


def state(flow: DeviationFlow, Z: Array, scale: Array) -> Array:
    return flow.pack({"W": flow.field.teacher.from_given(Z), "log2_scale": scale})


def parts(flow: DeviationFlow, y: Array) -> tuple[Array, Array]:
    """dZ/dt and the growth of the scale, (S, ...)."""
    with np.errstate(all="ignore"):
        slope = flow(0.0, y)
    return slope[: -flow.instances].reshape(flow.instances, -1), slope[-flow.instances :]


@with_numba
@given(stacks())
def test_velocities_are_those_of_numpy(stack: tuple[Array, Array, Array]) -> None:
    """To 1e-12 of the largest deviation an instance, for scales from 4 to 1e-300, narrow and opposite pairs."""
    teacher, Z, scale = stack
    compiled, plain = both(teacher)
    y = state(plain, Z, scale)
    size = np.abs(Z).max(axis=(-2, -1))
    for found, expected in zip(parts(compiled, y), parts(plain, y), strict=True):
        off = np.abs(found - expected).reshape(len(size), -1).max(axis=-1)
        assert np.all(off <= 1e-12 * size)


@with_numba
@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e-8, 1e-30, 1e-100, 1e-300])
@pytest.mark.parametrize("name", ["Theorem 4", "Theorem 4, orthonormal"])
@pytest.mark.parametrize("copies", [1, 32])
def test_velocities_are_those_of_many_digits(name: str, scale: float, copies: int) -> None:
    """Relative error below 1e-12 of the largest component: along spheres, at constant length, and back to them."""
    case = CASES[name]
    W, V, Z, _ = case.arrays()
    field = DeviationField(W, V, Terms(1.0, projected=True, trains_V=False, ones=True))
    kernel = compiled_field._machine_code()
    assert kernel is not None
    shape = (copies, *Z.shape)
    y = np.append(np.broadcast_to(field.teacher.from_given(Z), shape), np.full(copies, np.log2(scale)))
    stack = CompiledField(field, shape, kernel)(y)[:-copies].reshape(shape)
    assert np.array_equal(stack, np.broadcast_to(stack[0], shape))
    found = field.teacher.to_given(stack[0])
    scale = float(np.exp2(y[-1]))
    with mp.workdps(DIGITS + 400):
        dW = exactly(case, scale)[0]
    rate = np.sum(Z * dW) / np.sum(Z * Z)
    excess = 2 * np.sum(W * Z, axis=0) + scale * np.sum(Z * Z, axis=0)
    unit = (W + scale * Z) / np.linalg.norm(W + scale * Z, axis=0)
    expected = dW - rate * Z - max(-rate, 0.0) * excess * unit
    assert np.abs(found - expected).max() < 1e-12 * np.abs(expected).max()


@with_numba
@pytest.mark.parametrize("S", [5, 32, 37, 57])
def test_an_instance_is_the_same_to_the_last_bit_in_any_stack_computed_alike(S: int) -> None:
    """Alone or side by side; and NaN or infinity in one shows in that one, throughout, and in no other."""
    rng = np.random.default_rng(3)
    teacher = np.resize(teachers.orthonormal(6, 4, rng, (5,)), (S, 6, 4))
    compiled, _ = both(teacher)
    Z = np.resize(rng.standard_normal((5, 6, 4)), teacher.shape)
    scale = np.resize([0.0, -3.0, -40.0, -400.0, -1e4], S)
    whole = parts(compiled, state(compiled, Z, scale))
    assert not whole[0][4::5].any()  # a deviation below the smallest number is at rest
    beside = S if S % 32 >= 20 else S - S % 32
    for index in range(S):
        like = index % 5 if index < beside or not beside else beside + (index - beside) % 5
        assert all(np.array_equal(part[index], part[like]) for part in whole)
    for index in range(beside, S):
        alone = both(teacher[index])[0]
        lone = parts(alone, np.append(compiled.field.teacher.from_given(Z)[index], scale[index]))
        assert all(np.array_equal(one[index], other[0]) for one, other in zip(whole, lone, strict=True))
    for bad in (np.nan, np.inf):
        for spoilt in {1, S - 1}:
            y = state(compiled, Z, scale)
            y[24 * spoilt + 7] = bad
            for before, after in zip(whole, parts(compiled, y), strict=True):
                assert np.isnan(after[spoilt]).all()
                assert np.array_equal(np.delete(before, spoilt, axis=0), np.delete(after, spoilt, axis=0))


@with_numba
def test_both_call_the_same_pairs_narrow() -> None:
    """The machine code has its own copy of two thresholds."""
    from dynamics.two_layer.deviations import machine_code, pair_differences, teacher_columns

    assert machine_code.NARROW == pair_differences._NARROW_SQUARED_SINE
    assert machine_code.LINEAR_BELOW == teacher_columns.LINEAR_BELOW


def run_to_1e_100(how: str, S: int, monkeypatch: pytest.MonkeyPatch) -> Trajectory:
    monkeypatch.setenv(SWITCH, how)
    flow = ProjectedFlow(TeacherStudent.at_angle(teachers.orthonormal(6, 4, 3, (S,)), 0.3, 3))
    end = 105 * np.log(10) / float(np.min(spectral_rate(flow)))
    return integrate(flow, (0.0, end), t_eval=np.linspace(0, end, 50))


@with_numba
@pytest.mark.parametrize("S", [3, 24])
def test_runs_to_1e_100_are_those_of_numpy(S: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Angles and losses to 1e-7 of themselves, on all of their way down."""
    compiled, plain = (run_to_1e_100(how, S, monkeypatch) for how in ("always", "never"))
    assert compiled.observables["sin_theta"][-1].max() < 1e-100
    for name in ("sin_theta", "loss"):
        np.testing.assert_allclose(compiled.observables[name], plain.observables[name], rtol=1e-7)
    assert [run.attributes["configuration"]["compiled"] for run in (compiled, plain)] == [True, False]


@with_numba
@pytest.mark.parametrize("method", [DOP853, RK45])
@pytest.mark.parametrize("orthonormal", [True, False])
@pytest.mark.parametrize("S", [4, 36, 60])
def test_a_whole_step_is_scipys(method: type[RK45], orthonormal: bool, S: int) -> None:
    """All stages and the state after it, to rounding, of instances large and small and of some at rest."""
    rng = np.random.default_rng(4)
    teacher = (teachers.orthonormal if orthonormal else teachers.random_unit)(6, 4, rng, (S,))
    flow, _ = both(teacher)
    y = state(flow, rng.standard_normal(teacher.shape), np.resize([0.0, -3.0, -900.0, -1e4], S))
    A, B = (np.array(part, order="C") for part in (method.A, method.B))
    K, expected = np.empty((2, method.n_stages + 1, y.size))
    K[0] = f = flow(0.0, y)
    assert flow.explicit_step is not None
    after = flow.explicit_step(y, 0.3, A, B, K)
    exact, _ = rk_step(flow, 0.0, y, f, 0.3, A, B, method.C, expected)
    np.testing.assert_allclose(after, exact, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(K, expected, rtol=1e-12, atol=1e-13)


@with_numba
@pytest.mark.parametrize("method", ["DOP853", "RK45"])
def test_runs_take_the_steps_that_they_take_in_numpy(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many evaluations and steps, rejected ones among them, to the same state."""
    problem = TeacherStudent.at_angle(teachers.random_unit(5, 3, 2, (4,)), 1.0, 2)
    runs = []
    for how in ("always", "never"):
        monkeypatch.setenv(SWITCH, how)
        runs.append(integrate(ProjectedFlow(problem), (0.0, 30.0), method=method, first_step=20.0))
    assert len({(run.nfev, run.n_steps) for run in runs}) == 1
    np.testing.assert_allclose(runs[0].state["W"], runs[1].state["W"], atol=1e-9)


@with_numba
def test_auto_takes_cvode_where_it_is_quicker_than_machine_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is by half as many evaluations as stability asks for; a quarter less is enough beside NumPy."""
    flow = ProjectedFlow(TeacherStudent.at_angle(teachers.orthonormal(50, 50, 0, (2,)), 0.3, 0))
    chosen = []
    for how, rtol in (("always", 1e-8), ("always", 1e-4), ("never", 1e-8)):
        monkeypatch.setenv(SWITCH, how)
        run = integrate(flow, (0.0, 30.0), rtol=rtol, atol=rtol / 100, max_steps=1)
        chosen.append(run.attributes["method"])
    assert chosen == ["DOP853", "CVODE", "CVODE"]


@with_numba
def test_limits_hold_within_whole_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps, wall clock, and stages that are never finite: each ends the run by its name."""
    monkeypatch.setenv(SWITCH, "always")
    flow = ProjectedFlow(TeacherStudent.at_angle(teachers.orthonormal(6, 4, 3, (3,)), 0.3, 3))
    assert integrate(flow, (0.0, 9.0), max_steps=2).status == "step_limit"
    assert integrate(flow, (0.0, 1e9), max_seconds=1e-3).status == "time_limit"
    spoilt = flow.in_deviations()
    assert spoilt is not None
    monkeypatch.setattr(type(spoilt), "explicit_step", property(lambda self: never_finite))
    monkeypatch.setattr(type(flow), "in_deviations", lambda self: spoilt)
    assert integrate(flow, (0.0, 9.0), method="DOP853").status == "nonfinite"


def never_finite(y: Array, h: float, A: Array, B: Array, K: Array) -> Array:
    K[1:] = np.nan
    return y.copy()


def test_without_numba_numpy_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is asked for always; another word for the switch is refused by name."""
    compiled_field._machine_code.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    problem = TeacherStudent.at_angle(teachers.orthonormal(6, 4, 3, (100,)), 0.3, 3)
    assert not in_deviations(problem, "always").compiled
    compiled_field._machine_code.cache_clear()
    with pytest.raises(
        ValueError, match=r"^LUCKPROOF_COMPILED: expected one of auto, never, always, got 'no'$"
    ):
        in_deviations(problem, "no")


SMALL = """
import sys
import luckproof
from luckproof import ProjectedFlow, TeacherStudent, integrate, teachers

for lead in ((), (8,)):
    problem = TeacherStudent.at_angle(teachers.orthonormal(10, 5, 0, lead), 0.3, 0)
    assert integrate(ProjectedFlow(problem), (0.0, 1.0)).success
print("numba" in sys.modules)

from numba.core.caching import CacheImpl

CacheImpl._locator_classes = []  # as where no folder can be written to
problem = TeacherStudent.at_angle(teachers.orthonormal(10, 10, 0, (10,)), 0.3, 0)
run = integrate(ProjectedFlow(problem), (0.0, 1.0))
print(run.success, run.attributes["configuration"]["compiled"])
"""


def told_by(script: str, **variables: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env=os.environ | variables, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.split("\n")


@with_numba
def test_small_flows_do_not_load_numba_and_large_stacks_need_no_place_to_write() -> None:
    """Single flows and small stacks are NumPy's; where the machine code cannot be kept, it is made for the process."""
    assert told_by(SMALL, **{SWITCH: "auto"})[:2] == ["False", "True True"]
