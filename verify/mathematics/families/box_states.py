"""States in a box about the solution, and one step of descent from them: the ground of Lemmas 5, 6 and 7."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from dynamics.arrays import Array
from dynamics.geometry.angles import tangent_projection, unit_columns
from dynamics.two_layer.flows import TwoLayerFlow
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import drawn
from verify.judging.domains import SEED, Instance, integers, reals
from verify.mathematics.bounds.comparison import Box
from verify.mathematics.families.two_layer_starts import TwoLayerStart, problem_of

STATES = 24
"""States drawn in each box; half of the columns sit on the rim of their caps."""


@dataclass(frozen=True)
class BoxInstance(Instance):
    """Centres as in ``TwoLayerStart``; every column within ``cap`` of its centre, every v_j within ``fan_out_cap``.

    ``r_fan_out`` is the largest ``||v_k||`` drawn, ``eta`` the step of descent.
    """

    m: int = drawn(1, st.integers(1, 4), integers(1))
    r: int = drawn(1, st.integers(0, 4), integers(0))
    c: int = drawn(1, st.integers(1, 4), integers(1))
    alpha: float = drawn(np.pi / 2, st.floats(0.5, 3.1).map(lambda x: round(x, 2)), reals(0, np.pi))
    threshold: float = drawn(0.0, st.sampled_from((0.0, 0.5, 1.0, 2.0)), reals(0))
    cap: float = drawn(0.1, st.sampled_from((0.1, 0.01, 0.001, 0.3)), reals(0, np.pi))
    fan_out_cap: float = drawn(0.1, st.sampled_from((0.1, 0.01, 0.5, 1.5)), reals(0))
    r_fan_out: float = drawn(1.0, st.sampled_from((1.0, 0.1, 0.01)), reals(0))
    eta: float = drawn(0.01, st.sampled_from((0.01, 0.1, 0.5)), reals(0, low_open=True))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)


def centres_of(instance: BoxInstance) -> TeacherStudent:
    """The problem with its students at the centres of their caps."""
    return problem_of(
        TwoLayerStart(
            instance.m, instance.r, instance.c, instance.alpha, instance.threshold, seed=instance.seed
        )
    )


def box_of(instance: BoxInstance) -> Box:
    """The box that the instance describes: one cap for every node, one bound for every relevant fan-out."""
    return Box(np.full(instance.m + instance.r, instance.cap), np.full(instance.m, instance.fan_out_cap))


def states_in(instance: BoxInstance, count: int = STATES) -> TeacherStudent:
    """``count`` states of the box as one ensemble: the students' columns in their caps, fan-outs in their balls."""
    problem, rng = centres_of(instance), np.random.default_rng((instance.seed, 1))
    shape = (count, problem.d, problem.n)
    centres = np.broadcast_to(problem.student_W, shape)
    tangent = unit_columns(tangent_projection(centres, rng.standard_normal(shape)))
    # A hair inside the rim: the rotated column must not leave the cap by rounding.
    share = np.minimum(2 * rng.random((count, problem.n)), 1.0) * (1 - 1e-12)
    turn = instance.cap * share[:, None, :]
    W = unit_columns(np.cos(turn) * centres + np.sin(turn) * tangent)
    errors = rng.standard_normal((count, problem.n, problem.c))
    errors /= np.linalg.norm(errors, axis=-1, keepdims=True)
    share_v = np.minimum(2 * rng.random((count, problem.n, 1)), 1.0) * (1 - 1e-12)
    reach = np.full((problem.n, 1), instance.r_fan_out)
    reach[: problem.m] = instance.fan_out_cap
    V = share_v * reach * errors
    V[:, : problem.m] += problem.teacher_V
    return TeacherStudent(problem.teacher_W, W, problem.teacher_V, V, problem.measure)


def descent_step(problem: TeacherStudent, eta: float) -> tuple[Array, Array]:
    """``w_j <- normalise(w_j + eta w_j')``, ``V <- V + eta V'``: one projected step from the students' weights."""
    W, V = problem.student_W, problem.student_V
    dW, dV = TwoLayerFlow(problem).field(W, V)
    return unit_columns(W + eta * tangent_projection(W, dW)), V + eta * dV
