"""Each step of the proof of Theorem B (docs/theorems.md) for random teachers and students, and its place in `basin`."""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luckproof import ProjectedFlow, TeacherStudent, basin, teachers

flint = pytest.importorskip("flint")

from dynamics.basins.balls import float_below, in_balls  # noqa: E402
from dynamics.basins.expansion import Expansion, expansion  # noqa: E402
from dynamics.basins.solution import angle_between, exact_unit_columns  # noqa: E402

SHAPES = [(3, 2), (6, 3), (12, 4), (4, 4)]
shapes, seeds = st.sampled_from(SHAPES), st.integers(0, 2**32 - 1)


@lru_cache
@in_balls
def known(d: int, m: int) -> tuple[np.ndarray, Expansion]:
    """Teachers and their expansion."""
    W = teachers.random_unit(d, m, 7)
    exact = exact_unit_columns(W)
    return W, expansion(exact, [[angle_between(a, b) for b in exact] for a in exact])


def students(W: np.ndarray, seed: int, radius: float) -> np.ndarray:
    """Unit columns at ``||W - W*||_F = radius``, mostly in a few nodes."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal(W.shape) * rng.exponential(size=W.shape[1]) ** 2
    X -= W * np.sum(W * X, axis=0)
    Y = radius / np.linalg.norm(X) * X
    u = np.sum(Y**2, axis=0)
    return W * (1 - u / 2) + np.sqrt(1 - u / 4) * Y


def contraction(teacher: np.ndarray, W: np.ndarray) -> float:
    """``2 pi (-R R')``, from the flow."""
    flow = ProjectedFlow(TeacherStudent(teacher, W))
    return float(2 * np.pi * np.sum(teacher * flow.unpack(flow(0.0, flow.initial_state()))["W"]))


class Parts:
    """The quantities of the proof at one state."""

    def __init__(self, teacher: np.ndarray, W: np.ndarray) -> None:
        m = W.shape[1]
        self.off = ~np.eye(m, dtype=bool)
        self.Delta, self.gram = W - teacher, teacher.T @ teacher
        self.u = np.sum(self.Delta**2, axis=0)
        self.R, self.delta = float(np.sqrt(self.u.sum())), self.u / 2
        self.theta = 2 * np.arcsin(np.sqrt(self.u) / 2)
        self.S, self.D = self.Delta.sum(axis=1), W @ self.delta
        self.x = teacher.T @ self.Delta  # x_jk
        self.n = self.Delta.T @ self.Delta
        self.p = self.x + self.x.T
        self.B, self.C = W.T @ W, W.T @ teacher  # C_jk = w_j . w*_k
        self.e = W.T @ self.Delta
        bounded = np.where(self.off, self.gram, 0)
        self.A, self.a = np.arcsin(bounded), 1 / np.sqrt(1 - bounded**2)
        self.h = self.A + bounded * self.a
        self.s2 = self.u * (1 - self.u / 4)

    def summed(self, values: np.ndarray) -> float:
        return float(values[self.off].sum())

    def arcsin(self, values: np.ndarray) -> np.ndarray:
        return np.arcsin(np.where(self.off, values, 0))

    def form(self, share: float) -> float:
        """``Delta.Q.Delta`` from its terms."""
        own = np.pi / 2 * (2 - share) * self.R**2 - share * self.summed(self.a * self.x.T**2)
        even = (1 - share) * np.pi / 2 + self.A
        return own + self.summed(even * self.n) + (1 - share) * self.summed(self.a * self.x * self.x.T)


@given(shape=shapes, seed=seeds, radius=st.floats(1e-3, 1.0))
def test_the_contraction_is_this_sum(shape, seed, radius):
    """The identity, against the flow."""
    teacher, _ = known(*shape)
    W = students(teacher, seed, radius)
    t = Parts(teacher, W)
    pairs = t.arcsin(t.B) * (t.x.T + t.n) - t.arcsin(t.C) * t.x.T
    pairs -= t.delta[:, None] * (t.B * t.arcsin(t.B) - t.C * t.arcsin(t.C))
    total = np.pi / 2 * (t.S @ t.S - t.S @ t.D) + t.s2 @ (np.pi / 2 - t.theta) + t.summed(pairs)
    assert total == pytest.approx(contraction(teacher, W), abs=1e-12)


@given(shape=shapes, seed=seeds, radius=st.floats(1e-3, 0.3), share=st.floats(0.01, 1.0))
def test_each_inequality_holds(shape, seed, radius, share):
    """Shift, own terms, completed square, normal parts, first and second order of the pairs, one by one."""
    teacher, about = known(*shape)
    t = Parts(teacher, students(teacher, seed, radius))
    R, small = t.R, 1e-12
    assert (1 - share) * (t.S @ t.S) - R**4 / (16 * share) - small <= t.S @ t.S - t.S @ t.D
    theta = 2 * np.arcsin(R / 2)
    bracket = theta * np.cos(theta / 2) ** 2 + np.pi / 2 * np.sin(theta / 2) ** 2
    assert t.s2 @ (np.pi / 2 - t.theta) >= (np.pi / 2 - bracket) * R**2 - small
    square = share * t.p**2 + 3 * t.p * t.n + 2 * t.n**2
    steepest = float(about.steepest)
    assert t.summed(t.a * square) / 2 >= -max(9 / (4 * share) - 2, 0) * steepest * R**4 / 2 - small
    assert abs(t.delta @ np.where(t.off, t.h * t.e, 0).sum(axis=1)) <= float(about.row) * R**3 / 2 + small
    spread = (np.sqrt(2) * float(about.norm) + R / np.sqrt(2)) ** 2
    assert t.summed((t.p + t.n) ** 2) / 2 <= spread * R**2 + small
    widest = float(about.overlap) + np.sqrt(2) * R + R**2 / 2
    if widest < 1:
        bent, bent_h = (
            widest / (1 - widest**2) ** 1.5,
            2 / np.sqrt(1 - widest**2) + widest**2 / (1 - widest**2) ** 1.5,
        )
        first = t.A * t.n + t.a * ((t.p + t.n) * (t.x.T + t.n) - t.x.T**2)
        off = t.summed(t.arcsin(t.B) * (t.x.T + t.n) - t.arcsin(t.C) * t.x.T - first)
        norm2 = float(about.norm) ** 2
        assert abs(off) <= bent / 2 * R**3 * (spread * (np.sqrt(2) + R) + norm2) + small
        curved = t.B * t.arcsin(t.B) - t.C * t.arcsin(t.C) - t.h * t.e
        off = t.summed(t.delta[:, None] * np.abs(curved))
        assert off <= bent_h / 4 * R**4 * (2 * spread + norm2) + small


@given(shape=shapes, seed=seeds, radius=st.floats(1e-3, 1.0))
def test_the_quadratic_form_is_bounded(shape, seed, radius):
    """Q on Delta is at least ``least |t|^2 - 2 mixed |t||n| - normal |n|^2`` for every share enclosed."""
    teacher, about = known(*shape)
    t = Parts(teacher, students(teacher, seed, radius))
    tangent, normal = np.sqrt(t.s2.sum()), np.linalg.norm(t.delta)
    for form in about.forms:
        bound = float(form.least) * tangent**2 - 2 * float(form.mixed) * tangent * normal
        bound -= float(form.normal) * normal**2
        assert t.form(form.share) >= bound - 1e-10
        assert normal <= t.R**2 / 2 + 1e-12


@given(shape=shapes, seed=seeds, share=st.floats(0.01, 0.99))
def test_no_state_contracts_more_slowly(shape, seed, share):
    """-R'/R is at least the rate of Theorem B in its basin."""
    teacher, about = known(*shape)
    radius = share * 0.12
    bound = in_balls(lambda: float_below(about.rate(flint.arb(radius))))()
    W = students(teacher, seed, radius)
    assert contraction(teacher, W) / (2 * np.pi * radius**2) >= bound - 1e-12


def slowest_direction(teacher: np.ndarray) -> np.ndarray:
    """The Hessian's slowest tangent step at W*, from its blocks in floats."""
    d, m = teacher.shape
    H = np.zeros((m, d, m, d))
    P = np.eye(d) - teacher.T[:, :, None] * teacher.T[:, None, :]
    for j in range(m):
        H[j, :, j] = P[j] / 2 + np.outer(teacher[:, j], teacher[:, j])
        for k in range(m):
            if k != j:
                q = teacher[:, j] @ teacher[:, k]
                twist = np.outer(teacher[:, k], teacher[:, j]) / np.sqrt(1 - q * q)
                H[j, :, k] = P[j] @ ((np.pi - np.arccos(q)) * np.eye(d) + twist) @ P[k] / (2 * np.pi)
    return np.linalg.eigh(H.reshape(m * d, m * d))[1][:, 0].reshape(m, d).T


@pytest.mark.parametrize("shape", SHAPES)
def test_half_as_much_again_is_too_much(shape):
    """The control: along the slowest direction of the Hessian 1.5 of the rate is not reached, close to W*."""
    teacher, about = known(*shape)
    radius = 1e-4
    bound = in_balls(lambda: float_below(about.rate(flint.arb(radius))))()
    Y = radius * slowest_direction(teacher)
    u = np.sum(Y**2, axis=0)
    W = teacher * (1 - u / 2) + np.sqrt(1 - u / 4) * Y
    assert bound <= contraction(teacher, W) / (2 * np.pi * radius**2) < 1.5 * bound


def test_the_larger_basin_is_served():
    """Three and four teachers: Theorem B's radius, B0's rate at W*; rates fall with R; nothing outside."""
    W = teachers.random_unit(16, 4, 0)
    found = basin(TeacherStudent(W, W))
    assert found.theorem == "B, with B0 near W*"
    assert found.radius > 0.06
    rates = [found.rate(share * found.radius) for share in np.linspace(0, 0.999, 25)]
    assert all(a >= b > 0 for a, b in itertools.pairwise(rates))
    with pytest.raises(ValueError, match="R: expected"):
        found.rate(found.radius)
    assert basin(TeacherStudent(W[:, :1], W[:, :1])).theorem == "one teacher"
