"""Students at a given distance from orthonormal teachers: random, rotations, concentrated on few nodes."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from luckproof import Array, ProjectedFlow, TeacherStudent


def turned(directions: Array, radius: float) -> Array | None:
    """Unit columns at ``||W - I||_F = radius``: each e_j turned along its column of ``directions`` (d, m).

    Tangent parts are stretched together, W = exp(scale t), until the distance is the radius; None where the largest
    turn would pass a right angle.
    """
    d, m = directions.shape
    teacher = np.eye(d)[:, :m]
    tangent = directions - teacher * np.sum(teacher * directions, axis=0)
    length = np.linalg.norm(tangent, axis=0)
    if not length.max() > 0:
        return None

    def distance(scale: float) -> float:
        return float(np.sqrt(np.sum(2 * (1 - np.cos(np.minimum(scale * length, np.pi))))))

    low, high = 0.0, np.pi / 2 / length.max()
    if distance(high) < radius:
        return None
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if distance(middle) < radius else (low, middle)
    unit = np.divide(tangent, length, out=np.zeros_like(tangent), where=length > 0)
    return np.asarray(teacher * np.cos(low * length) + unit * np.sin(low * length))


@st.composite
def students(draw: st.DrawFn, most: float = 0.86) -> Array:
    """Random, skew (a rotation of the teachers) and sparse displacements, m up to 8, R from 0.02 to ``most``."""
    m = draw(st.integers(1, 8))
    d = m + draw(st.integers(0 if m > 1 else 1, 2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(("random", "skew", "sparse", "along")))
    directions = rng.standard_normal((d, m)) * rng.exponential(size=m) ** 2
    if kind == "skew":
        directions[:m] -= directions[:m].T
    elif kind == "sparse":
        directions *= rng.random((d, m)) < 0.4
    elif kind == "along":
        directions = directions * 0.1 + rng.standard_normal((d, 1))
    W = turned(directions, draw(st.floats(0.02, most)))
    return np.eye(d)[:, :m] if W is None else W


def contraction(W: Array) -> float:
    """``-R R'`` of the flow at W about the teachers e_1 .. e_m: minus the derivative of ``R^2 / 2``."""
    teacher = np.eye(*W.shape)
    flow = ProjectedFlow(TeacherStudent(teacher, W))
    velocity = flow.unpack(flow(0.0, flow.initial_state()))["W"]
    return float(np.sum(teacher * velocity))
