"""Ensembles of Theorem 4's flow: ours as one stack, as a loop, and diffrax's vmap on the field written for jax."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

from luckproof import Array, ProjectedFlow, TeacherStudent, integrate, teachers
from tests.benchmarks.contest.peer_flows import jax_field

SIZES = ((32, 10), (32, 50), (1000, 10))
"""Instances, and students of each."""
CHECKED = 32
"""Members that are compared with references of their own, from the easiest to the hardest."""
SPAN = (0.0, 30.0)
RTOL, ATOL = 1e-8, 1e-10
LOOSER = {(32, 10): 10**-7.5, (32, 50): RTOL, (1000, 10): 10**-7.75}
"""Our loosest rtol (four to a decade) whose worst error is below that of every peer at RTOL; at n = 50, where stability
sets the steps, a looser one is no quicker."""
ALONE = {10: RTOL, 50: 10**-8.25}
"""The loosest rtol at which every instance alone is right to RTOL: alone, those of n = 50 take CVODE."""


@cache
def ensemble(S: int, n: int) -> ProjectedFlow:
    """S orthonormal teachers in R^n with starts from near (0.03) to far (0.6) off them: easy and hard members."""
    rng = np.random.default_rng(1)
    teacher = teachers.orthonormal(n, n, rng, (S,))
    distance = np.geomspace(0.03, 0.6, S)[:, None, None]
    start = teacher + distance * rng.standard_normal(teacher.shape)
    return ProjectedFlow(TeacherStudent(teacher, start / np.linalg.norm(start, axis=-2, keepdims=True)))


def member(S: int, n: int, index: int) -> ProjectedFlow:
    """One instance of the ensemble alone."""
    return ProjectedFlow(ensemble(S, n).problem.instance(index))


def checked(S: int) -> list[int]:
    """The members that are compared."""
    return [int(index) for index in np.linspace(0, S - 1, CHECKED)]


def end_of(flow: ProjectedFlow, rtol: float = RTOL, atol: float = ATOL, method: str = "auto") -> Array:
    """State ``(..., d, n)`` at the end of the span."""
    found = integrate(flow, SPAN, t_eval=[SPAN[1]], rtol=rtol, atol=atol, method=method)
    if not found.success:
        raise RuntimeError(found.message)
    return np.asarray(found.state["W"][-1])


def stack(S: int, n: int, rtol: float = RTOL, compiled: str = "auto") -> Array:
    """All instances as one state; on machine code unless ``compiled`` is "never"."""
    before = os.environ.get("LUCKPROOF_COMPILED", "auto")
    os.environ["LUCKPROOF_COMPILED"] = compiled
    try:
        return end_of(ensemble(S, n), rtol, rtol / 100)
    finally:
        os.environ["LUCKPROOF_COMPILED"] = before


def loop(S: int, n: int) -> Array:
    """The members that are compared, one after the other."""
    rtol = ALONE[n]
    return np.stack([end_of(member(S, n, index), rtol, rtol / 100) for index in checked(S)])


@cache
def references(S: int, n: int) -> Array:
    """Each instance alone by DOP853 at 1e-12, of those that are compared."""
    return np.stack([end_of(member(S, n, i), 1e-12, 1e-13, "DOP853") for i in checked(S)])


def errors(S: int, n: int, ends: Array) -> Array:
    """Root mean square error of each instance that is compared."""
    compared = ends if len(ends) == CHECKED else ends[checked(S)]
    return np.asarray(np.sqrt(np.mean((compared - references(S, n)) ** 2, axis=(-2, -1))))


@cache
def vmapped(S: int, n: int, solver: str) -> Callable[[], Array]:
    """diffrax's solve of all instances by ``jax.vmap``, compiled beforehand."""
    flow = ensemble(S, n)
    term, method = diffrax.ODETerm(jax_field(flow)), getattr(diffrax, solver)()
    targets, starts = jnp.asarray(flow.problem.teacher_W), jnp.asarray(flow.problem.student_W)

    def one(teacher: Any, start: Any) -> Any:
        return diffrax.diffeqsolve(
            term, method, SPAN[0], SPAN[1], None, start.ravel(), args=teacher,
            stepsize_controller=diffrax.PIDController(rtol=RTOL, atol=ATOL), max_steps=None,
            saveat=diffrax.SaveAt(t1=True),
        ).ys  # fmt: skip

    solve = jax.jit(jax.vmap(one)).lower(targets, starts).compile()
    return lambda: np.asarray(jax.block_until_ready(solve(targets, starts))).reshape(starts.shape)
