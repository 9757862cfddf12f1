"""Input laws with and without spherical symmetry, and the term of Eqn 9 sampled from them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import paired_angles
from dynamics.two_layer.teachers import orthonormal
from verify.judging import SEED, Instance, OneOf, drawn, integers, reals

SPHERICAL = ("gaussian", "sphere", "ball", "student", "shells")
"""Laws with spherical symmetry: Gaussian, uniform on the unit sphere, uniform in the unit ball, Student-t, shells."""

OTHERS = ("cube", "rademacher", "anisotropic", "shifted", "biased")
"""Laws without: the first two still have covariance I; ``biased`` is ``[x; 1]`` with x Gaussian."""

DEGREES = 12
"""Degrees of freedom of the Student-t law: the summands of the mean then still have finite fifth moments."""

SHELLS = ((0.0, 0.2), (1.0, 0.5), (3.0, 0.3))
"""Radius and probability of each shell; the first is the origin itself, an atom."""

CHUNK = 1 << 15
"""Samples held in memory at a time."""

NORM = st.sampled_from([1.0, 0.25, 0.5, 2.0, 4.0])


@dataclass(frozen=True)
class Pair(Instance):
    """Nodes j and k at an angle in d dimensions, with norms, turned at random; and the law of the input.

    Angles are drawn away from 0 and pi, where a sample of affordable size resolves nothing.
    """

    law: str = drawn("gaussian", st.sampled_from(SPHERICAL), OneOf(SPHERICAL + OTHERS))
    d: int = drawn(2, st.integers(2, 10), integers(2, 1000))
    angle: float = drawn(1.0, st.floats(0.1, 2.9), reals(0.0, math.pi))
    norm_j: float = drawn(1.0, NORM, reals(1e-6, 1e6))
    norm_k: float = drawn(1.0, NORM, reals(1e-6, 1e6))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    def columns(self) -> tuple[Array, Array]:
        """``w_j``, ``w_k``, each (d,)."""
        plane = orthonormal(self.d, 2, np.random.default_rng(self.seed))
        w_j = plane @ np.array([math.cos(self.angle), math.sin(self.angle)])
        return self.norm_j * w_j, self.norm_k * plane[:, 0]


def second_moment(law: str, d: int) -> float:
    """``c = E||x||^2 / d``, exact."""
    shells = sum(p * r**2 for r, p in SHELLS) / d
    return {
        "sphere": 1 / d,
        "ball": 1 / (d + 2),
        "student": DEGREES / (DEGREES - 2),
        "shells": shells,
        "anisotropic": float(np.mean(_stretch(d) ** 2)),
        "shifted": 1 + 0.25 / d,
    }.get(law, 1.0)


def _stretch(d: int) -> Array:
    return np.linspace(0.5, 1.5, d)


def sample(law: str, d: int, size: int, rng: np.random.Generator) -> Array:
    """``size`` inputs of the law, (size, d)."""
    x = rng.standard_normal((size, d))
    if law == "gaussian":
        return x
    if law == "student":
        return np.asarray(x / np.sqrt(rng.chisquare(DEGREES, (size, 1)) / DEGREES))
    if law in ("sphere", "ball", "shells"):
        radius = np.ones((size, 1))
        if law == "ball":
            radius = rng.uniform(size=(size, 1)) ** (1 / d)
        elif law == "shells":
            radius = rng.choice([r for r, _ in SHELLS], p=[p for _, p in SHELLS], size=(size, 1))
        return np.asarray(radius * x / np.linalg.norm(x, axis=1, keepdims=True))
    if law == "cube":
        return rng.uniform(-math.sqrt(3), math.sqrt(3), (size, d))
    if law == "rademacher":
        return np.where(x > 0, 1.0, -1.0)
    if law == "anisotropic":
        return np.asarray(x * _stretch(d))
    if law == "shifted":
        return np.asarray(x + 0.5 * np.eye(d)[0])
    if law == "biased":
        return np.concatenate([x[:, :-1], np.ones((size, 1))], axis=1)
    raise ValueError(f"law: expected one of {', '.join(SPHERICAL + OTHERS)}, got {law!r}")


def gated_mean(pair: Pair, size: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Sampled ``E[D_k D_j x x^T] w_j`` and its standard error, both (d,)."""
    w_j, w_k = pair.columns()
    total, squares = np.zeros(pair.d), np.zeros(pair.d)
    for start in range(0, size, CHUNK):
        x = sample(pair.law, pair.d, min(CHUNK, size - start), rng)
        term = x * (np.maximum(x @ w_j, 0.0) * (x @ w_k > 0))[:, None]
        total, squares = total + term.sum(axis=0), squares + (term**2).sum(axis=0)
    mean = total / size
    return mean, np.sqrt(np.maximum(squares / size - mean**2, 0.0) / size)


def closed_form(w_j: Array, w_k: Array, c: float, *, norm_factor: bool = True) -> Array:
    """``E[D_k D_j x x^T] w_j`` for spherical input, (d,): ``(c/2 pi) [(pi - t) w_j + sin t (||w_j||/||w_k||) w_k]``.

    t is the angle of ``w_j`` and ``w_k``. Without ``norm_factor`` the quotient of the norms is left out.
    """
    turn = float(paired_angles(w_j[:, None], w_k[:, None])[0])
    ratio = float(np.linalg.norm(w_j) / np.linalg.norm(w_k)) if norm_factor else 1.0
    return np.asarray(c / (2 * math.pi) * ((math.pi - turn) * w_j + math.sin(turn) * ratio * w_k))
