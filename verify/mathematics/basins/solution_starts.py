"""Instances of the statement on Theorem 5's basin: students at a distance from the solution, and how they contract."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import hypothesis.strategies as st
import numpy as np
from scipy.optimize import minimize

from dynamics.arrays import Array
from dynamics.geometry.angles import norms, paired_angles
from dynamics.ode.integrate import integrate
from dynamics.two_layer.flows import TwoLayerFlow
from dynamics.two_layer.problem import TeacherStudent
from dynamics.two_layer.teachers import random_unit
from verify.judging import CannotJudgeError, Instance, OneOf, drawn, fixed, integers, reals
from verify.judging.domains import SEED

LARGEST = 50
"""Coordinates of z up to which the solution's forms are enclosed and searched: N^4 in ball arithmetic."""

NEAREST_LINES = 0.05
"""Sine of the angle of two nodes below which they are not told apart by the statement."""

TIMES = np.array([0.0, 0.5, 1.0, 2.0, 4.0, 7.0, 11.0, 16.0, 24.0, 36.0, 50.0])
NEAREST = 1e-5
"""Distances down to which rates along a run are compared: below, the rounding of a rate, 1e-15/|z|^2, shows."""

DIFFERENCE = 1e-6
KINDS = ("random", "slowest")
NODES = ("orthonormal", "random")


@dataclass(frozen=True)
class SolutionStart(Instance):
    """m relevant and r irrelevant nodes at ``|z| = share`` times the proved radius from the solution.

    Nodes and the teachers' fan-outs are ``orthonormal`` (fan-outs where c >= m) or ``random``. ``kind``: z in a random
    direction, half of it in the irrelevant fan-outs, or the slowest that ``descents`` descents on
    ``<z, dJ/dz>/|z|^2`` over the sphere find from such ones.
    """

    m: int = drawn(1, st.integers(1, 2), integers(1, 10))
    r: int = drawn(1, st.integers(1, 2), integers(0, 10))
    c: int = drawn(2, st.integers(1, 3), integers(1, 10))
    extra: int = drawn(1, st.integers(0, 2), integers(0, 10))
    nodes: str = drawn("orthonormal", st.sampled_from(NODES), OneOf(NODES))
    share: float = drawn(0.9, st.sampled_from((0.01, 0.3, 0.6, 0.9, 0.99)), reals(1e-3, 3.0))
    kind: str = drawn("slowest", st.sampled_from(KINDS), OneOf(KINDS))
    descents: int = fixed(2, integers(1, 50))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    @property
    def d(self) -> int:
        """The dimension; on a line nothing can turn."""
        return max(2, self.m + self.r + self.extra)

    @property
    def size(self) -> int:
        """Coordinates of z, on the ambient tangent spaces."""
        return self.m * self.d + (self.m + self.r) * self.c


def solution_of(start: SolutionStart) -> TeacherStudent:
    """The problem at its solution ``(W*, W_r; V*, 0)``."""
    rng, n = np.random.default_rng((start.seed, 55)), start.m + start.r
    nodes = np.eye(start.d, n) if start.nodes == "orthonormal" else random_unit(start.d, n, rng)
    orthonormal = start.nodes == "orthonormal" and start.c >= start.m
    fan_outs = np.eye(start.m, start.c) if orthonormal else random_unit(start.c, start.m, rng).T
    V = np.concatenate([fan_outs, np.zeros((start.r, start.c))])
    return TeacherStudent(nodes[:, : start.m], nodes, fan_outs, V)


def state_at(solution: TeacherStudent, z: Array) -> tuple[Array, Array, Array]:
    """``(W, V, T)`` (..., d, n), (..., n, c), (..., d, n): the state at z (..., m d + n c) and the radial velocity T.

    The first m d entries of z are projected onto the tangent spaces at the teachers.
    """
    m, d = solution.m, solution.d
    teacher = solution.teacher_W
    x = z[..., : m * d].reshape(*z.shape[:-1], m, d).swapaxes(-1, -2)
    x = x - teacher * np.sum(teacher * x, axis=-2, keepdims=True)
    turn = norms(x)[..., None, :]
    direction = np.divide(x, turn, out=np.zeros_like(x), where=turn > 0)
    W = np.broadcast_to(solution.student_W, (*z.shape[:-1], *solution.student_W.shape)).copy()
    W[..., :m] = teacher * np.cos(turn) + direction * np.sin(turn)
    T = np.zeros_like(W)
    T[..., :m] = turn * (direction * np.cos(turn) - teacher * np.sin(turn))
    V = solution.student_V + z[..., m * d :].reshape(*z.shape[:-1], solution.n, solution.c)
    return W, V, T


def contraction(solution: TeacherStudent, z: Array) -> Array:
    """``<z, dJ/dz> / |z|^2 = -|z|'/|z|`` of the flow at the states z (..., N), shape (...)."""
    W, V, T = state_at(solution, z)
    flow = TwoLayerFlow(TeacherStudent(solution.teacher_W, W, solution.teacher_V, V))
    speed = flow.unpack(flow(0.0, flow.initial_state()))
    steps = V - solution.student_V
    falling = -np.sum(T * speed["W"], axis=(-2, -1)) - np.sum(steps * speed["V"], axis=(-2, -1))
    return np.asarray(falling / (np.sum(T**2, axis=(-2, -1)) + np.sum(steps**2, axis=(-2, -1))))


def on_sphere(solution: TeacherStudent, z: Array, radius: float) -> Array:
    """z with tangent steps projected, scaled to ``|z| = radius``."""
    m, d = solution.m, solution.d
    x = z[..., : m * d].reshape(*z.shape[:-1], m, d)
    teacher = solution.teacher_W.T
    x = x - teacher * np.sum(teacher * x, axis=-1, keepdims=True)
    z = np.concatenate([x.reshape(*z.shape[:-1], m * d), z[..., m * d :]], axis=-1)
    return np.asarray(z * (radius / np.linalg.norm(z, axis=-1, keepdims=True)))


def slowest_at(solution: TeacherStudent, z: Array, radius: float, iterations: int = 60) -> Array:
    """A z on the sphere near ``z`` at which the flow contracts most slowly: L-BFGS with central differences."""
    size = z.size
    moves = DIFFERENCE * radius * np.concatenate([np.eye(size), -np.eye(size)])

    def objective(flat: Array) -> tuple[float, Array]:
        unit = radius * flat / np.linalg.norm(flat)
        around = np.concatenate([unit[None], unit + moves])
        values = contraction(solution, on_sphere(solution, around, radius))
        slope = (values[1 : size + 1] - values[size + 1 :]) / (2 * DIFFERENCE * radius)
        return float(values[0]), slope * (radius / float(np.linalg.norm(flat)))

    found = minimize(
        objective,
        on_sphere(solution, z, radius),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": iterations},
    )
    return on_sphere(solution, np.asarray(found.x), radius)


@lru_cache(maxsize=128)
def offset_of(start: SolutionStart, radius: float) -> Array:
    """z of the start, at ``|z| = radius``."""
    solution, rng = solution_of(start), np.random.default_rng((start.seed, 56))
    if start.kind == "random":
        return _direction(start, solution, rng, radius)
    found = [
        slowest_at(solution, _direction(start, solution, rng, radius), radius) for _ in range(start.descents)
    ]
    return min(found, key=lambda z: float(contraction(solution, z)))


def _direction(
    start: SolutionStart, solution: TeacherStudent, rng: np.random.Generator, radius: float
) -> Array:
    z = on_sphere(solution, rng.standard_normal(start.size) * rng.exponential(size=start.size), radius)
    idle = start.r * start.c
    if idle:
        z[-idle:] *= radius / max(float(np.linalg.norm(z[-idle:])), 1e-3 * radius)
    return on_sphere(solution, z, radius)


def run_from(start: SolutionStart, radius: float) -> tuple[Array, Array, float]:
    """``|z|`` and ``-|z|'/|z|`` along the flow while ``|z| >= NEAREST``, and how far W_r has moved in the end."""
    solution = solution_of(start)
    W, V, _ = state_at(solution, offset_of(start, radius))
    flow = TwoLayerFlow(TeacherStudent(solution.teacher_W, W, solution.teacher_V, V))
    run = integrate(flow, (0.0, TIMES[-1]), t_eval=TIMES, rtol=1e-11, atol=1e-14)
    if not run.success:
        raise CannotJudgeError(run.message)
    m, students = solution.m, run.state["W"] / norms(run.state["W"])[..., None, :]
    moved = float(np.linalg.norm(paired_angles(students[-1][:, m:], W[:, m:])))
    sizes: list[float] = []
    rates: list[float] = []
    for nodes, fan_outs in zip(students, run.state["V"], strict=True):
        here = TeacherStudent(
            solution.teacher_W,
            np.concatenate([solution.teacher_W, nodes[:, m:]], axis=1),
            solution.teacher_V,
            solution.student_V,
        )
        z = offset_from(here, nodes, fan_outs)
        if np.linalg.norm(z) >= NEAREST or not sizes:  # the start itself always
            sizes.append(float(np.linalg.norm(z)))
            rates.append(float(contraction(here, z)))
    return np.array(sizes), np.array(rates), moved


def offset_from(solution: TeacherStudent, W: Array, V: Array) -> Array:
    """z of the state (W, V): logarithms of the relevant columns at their teachers, steps of all fan-outs."""
    m, teacher = solution.m, solution.teacher_W
    turn = paired_angles(W[:, :m], teacher)
    along = W[:, :m] - teacher * np.sum(teacher * W[:, :m], axis=0)
    size = norms(along)
    x = np.divide(along, size, out=np.zeros_like(along), where=size > 0) * turn
    return np.concatenate([x.T.ravel(), (V - solution.student_V).ravel()])
