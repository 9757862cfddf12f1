"""Where Theorem 4 says anything without thresholds: the sign of gamma over the number of nodes and the angle."""

from __future__ import annotations

import math
from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import angles
from dynamics.two_layer.teachers import orthonormal, random_unit
from verify.judging import (
    LUCK_MATTERS,
    SEED,
    Assumption,
    Context,
    Evidence,
    Instance,
    Item,
    OneOf,
    Source,
    drawn,
    integers,
    reals,
)
from verify.judging.enclosing.balls import REAL, least
from verify.judging.enclosing.enclosure import Attained, Margin
from verify.mathematics.enclosed import separation_margins
from verify.mathematics.theorem4_constants import theorem4_isotropic

VACUITY = Item(
    "luckmatters.theorem4.vacuity",
    Source(LUCK_MATTERS, "Theorem 4, the condition γ > 0", "the map is ours", version="v4", section="3.2"),
)


KINDS = ("orthonormal", "simplex", "random")


@dataclass(frozen=True)
class IsotropicBalls(Instance):
    """m teachers in d dimensions under zero-bias isotropic input; ``kind``: random, orthonormal or simplex."""

    m: int = drawn(3, st.integers(3, 12), integers(2))
    d: int = drawn(4, st.integers(2, 12), integers(2))
    theta0: float = drawn(0.01, st.floats(1e-4, 1.0), reals(0.0, math.pi))
    kind: str = drawn("orthonormal", st.sampled_from(KINDS), OneOf(KINDS))
    seed: int = drawn(0, st.integers(0, 2**31 - 1), SEED)

    def teachers(self) -> Array:
        """The fan-in columns; the simplex spreads m vectors as far apart as they go."""
        rng = np.random.default_rng(self.seed)
        d = max(self.d, self.m)
        if self.kind == "random":
            return random_unit(self.d, self.m, rng)
        columns = orthonormal(d, self.m, rng)
        if self.kind == "simplex":
            columns = columns - columns.mean(axis=1, keepdims=True)
            columns = columns / np.linalg.norm(columns, axis=0)
        return columns


def angle_range(balls: IsotropicBalls) -> tuple[float, float]:
    """Smallest and largest angle between two teachers."""
    W = balls.teachers()
    off = angles(W, W)[~np.eye(balls.m, dtype=bool)]
    return float(off.min()), float(off.max())


def balls_apart(balls: IsotropicBalls) -> tuple[Assumption, ...]:
    """The balls keep clear of antiparallel vectors (beyond, K_d is infinite and gamma is minus that)."""
    return (
        Assumption.at_least("m", balls.m, 3),
        Assumption.above("π − α_max − θ₀", math.pi - angle_range(balls)[1] - balls.theta0, 1e-6, "rad"),
    )


def exact_margin(balls: IsotropicBalls, *, lower: float = 0.0) -> Margin:
    """The margin in balls; drawn teachers are their float columns, normalised exactly."""
    if balls.kind == "random":
        nearest, furthest = separation_margins.extreme_angles(balls.teachers())
    else:
        widest = separation_margins.widest_angle(balls.m)
        nearest = furthest = widest if balls.kind == "simplex" else REAL.pi / 2
    gamma = separation_margins.gamma(balls.m, balls.theta0, nearest, furthest)
    bound = separation_margins.gamma_at_best(balls.m) - lower
    if balls.kind == "simplex" and balls.theta0 == 0 and lower == 0:
        return Attained(bound - gamma, "the simplex at θ₀ = 0 attains the bound")
    return least(bound, 0) - gamma


@VACUITY.claim(
    "sharp",
    expected="holds",
    enclose=exact_margin,
    prove=separation_margins.vacuous_for_every_m,
    on=IsotropicBalls,
    assume=balls_apart,
    examples=(IsotropicBalls(), IsotropicBalls(kind="simplex"), IsotropicBalls(m=3, d=2, kind="random")),
    compares=("γ", "≤", "1 − (m−1)[1 + π − arccos(−1/(m−1))]/π"),
)
def gamma_is_negative(balls: IsotropicBalls, context: Context, *, lower: float = 0.0) -> Evidence:
    """Theorem 4 is vacuous for three or more nodes without thresholds

    zero-bias isotropic input, any m ≥ 3 teachers, any θ₀:  γ ≤ 1 − (m−1)[1 + π − arccos(−1/(m−1))]/π < 0

    ε_d ≥ (π−α_min)/π and K_d ≥ 1/(π−α_max), so (m−1) ε_d (1+K_d) ≥ (m−1)(1 + π − α_min)/π, and of m vectors two are
    within arccos(−1/(m−1)). The best case, three vectors at 120°, has γ ≤ −0.30. Two nodes: γ > 0 needs an angle above
    1 rad between them; orthonormal, θ₀ below 0.12.
    """
    gamma = theorem4_isotropic(balls.m, balls.theta0, *angle_range(balls)).gamma
    widest = math.acos(-1 / (balls.m - 1))
    bound = 1 - (balls.m - 1) * (1 + math.pi - widest) / math.pi - lower
    tolerance = 1e-12 * balls.m
    return Evidence(
        predicted=bound,
        measured=gamma,
        margin=min(bound, 0.0) - gamma + tolerance,
        tolerance=tolerance,
        details={"always vacuous for this m": float(bound < 0)},
    )


gamma_is_negative.rejects("two orthonormal teachers at θ₀ = 0.05", IsotropicBalls(m=2, theta0=0.05))
gamma_is_negative.rejects(
    "the bound 1e-9 lower, three teachers at 120°, which attain it as θ₀ → 0",
    IsotropicBalls(3, 3, 1e-11, "simplex"),
    lower=1e-9,
)
gamma_is_negative.not_proved("two nodes too", fewest=2)
gamma_is_negative.not_proved("γ below −0.31, for every m", lift=0.31)
gamma_is_negative.excludes(
    "orthonormal teachers, balls of 1.6 rad", IsotropicBalls(3, 4, 1.6), "π − α_max − θ₀"
)
gamma_is_negative.excludes("two nodes", IsotropicBalls(m=2), "m ≥")
gamma_is_negative.includes("three nodes", IsotropicBalls())

gamma_is_negative.errs(
    says="v4, section 3.2, Theorem 4: if γ = cos θ₀ − (m−1) ε_d M_d > 0 then w_j → w*_j",
    true="under zero-bias isotropic input γ ≤ −0.30 for every m ≥ 3 and any teachers (three at 120°); with "
    "threshold b it can be "
    "positive up to m = 3, 16, 305 at b = 2, 3, 4 (θ₀ → 0), where the bound is 0.93–0.88 (b = 4, m = 2–16), "
    "0.90–0.18 (b = 3, m = 2–12), 0.56 and 0.13 (b = 2, m = 2, 3) of the spectral rate at θ₀ = 1e-3",
    impact="substance",
    matters="the theorem says nothing about three or more nodes unless biases make their activations rare",
)
