"""Random initialisation (remark on Theorem 5): do random, nearly orthogonal columns overlap little?"""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import mpmath as mp
import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import unit_columns
from dynamics.measures.isotropic_gaussian import IsotropicGaussian
from dynamics.two_layer.teachers import orthonormal, random_unit
from verify.judging import (
    LUCK_MATTERS,
    SEED,
    Assumption,
    Context,
    Evidence,
    Instance,
    Item,
    Source,
    drawn,
    integers,
)
from verify.judging.enclosing.balls import REAL, Ball, least
from verify.judging.enclosing.enclosure import Margin
from verify.mathematics.enclosed import vectors
from verify.mathematics.precise.kernels import columns, dot
from verify.mathematics.theorem4_constants import overlap_ratios

OVERLAP = Item(
    "luckmatters.theorem5.random_initialisation.overlap",
    Source(
        LUCK_MATTERS,
        "remark 'Random initialization'",
        "'orthogonal weight vectors, which naturally leads to Assumption 3'",
        version="v4",
        section="3.3",
    ),
)

SMALL = 0.1
"""'epsilon << 1', read generously."""


@dataclass(frozen=True)
class RandomColumns(Instance):
    """n random unit columns in R^d, zero bias, isotropic Gaussian input."""

    d: int = drawn(2, st.integers(2, 200), integers(2))
    n: int = drawn(2, st.integers(2, 20), integers(2))
    seed: int = drawn(0, st.integers(0, 2**20), SEED)

    def columns(self, *, orthogonal: bool = False) -> Array:
        """The columns (d, n); on request orthonormal ones, of which there are at most d."""
        rng = np.random.default_rng((self.seed, 8))
        return (
            orthonormal(self.d, min(self.n, self.d), rng) if orthogonal else random_unit(self.d, self.n, rng)
        )


def two_columns(along: float) -> Array:
    """``(1, 0)`` and ``(along, 0.1)``, the second of unit length too."""
    return unit_columns(np.array([[1.0, along], [0.0, 0.1]]))


def overlaps(W: Array) -> tuple[float, float]:
    """``eps_d`` and ``eps_l`` of the columns W (d, n)."""
    eps_d, eps_l = overlap_ratios(W, IsotropicGaussian(len(W)))
    return float(eps_d), float(eps_l)


def exact_margin(instance: RandomColumns, *, along: float = 0.0) -> Margin:
    """``0.1 - (pi - alpha_min)/pi`` in balls, of the float columns normalised exactly."""
    if along != 0:
        pair = [vectors.unit([1, 0]), vectors.unit([along, Ball(SMALL)])]
        nearest = vectors.angle(*pair)
    else:
        W = instance.columns()
        table = vectors.angle_table(W, W)
        nearest = least(*(theta for j, row in enumerate(table) for theta in row[:j]))
    return Ball(SMALL) - (REAL.pi - nearest) / REAL.pi


@OVERLAP.claim(
    "reading",
    expected="refuted",
    enclose=exact_margin,
    on=RandomColumns,
    compares=("ε_d of random columns", "≤", "0.1, our bound for small"),
    telling=lambda instance: instance.d >= 20 and instance.n <= instance.d,
    note="our reading of 'orthogonal weight vectors, which naturally leads to Assumption 3'",
)
def random_columns_overlap_little(
    instance: RandomColumns, context: Context, *, along: float = 0.0
) -> Evidence:
    """Random columns and Assumption 3

    Random initialisation gives nearly orthogonal columns, and so small overlaps: ε_d ≪ 1 (judged: ε_d ≤ 0.1)

    Orthogonal is not small overlap: half-spaces of orthogonal columns share half their mass in any dimension (next
    statement). Small overlaps need negative biases, not random directions.
    """
    # Altered: the two columns (1, 0) and (along, 0.1), nearly equal for along = 1, nearly opposite for along = -1.
    eps_d, eps_l = overlaps(two_columns(along) if along else instance.columns())
    return Evidence.at_most(eps_d, bound=SMALL, tolerance=0.0, eps_l=eps_l)


@random_columns_overlap_little.confirmed_precisely(digits=40)
def in_forty_digits(instance: RandomColumns, *, along: float = 0.0) -> Evidence:
    """``(pi - theta) / pi`` of the nearest pair, from the exact values of the doubles."""
    with mp.workdps(40):
        W = columns(two_columns(along) if along else instance.columns())
        ratios = [
            1 - mp.acos(dot(a, b) / mp.sqrt(dot(a, a) * dot(b, b))) / mp.pi
            for index, a in enumerate(W)
            for b in W[:index]
        ]
        return Evidence.at_most(float(max(ratios)), bound=SMALL, tolerance=0.0)


random_columns_overlap_little.accepts("nearly opposite columns", RandomColumns(), along=-1.0)
random_columns_overlap_little.rejects("nearly equal columns", RandomColumns(), along=1.0)


def room_for_all(instance: RandomColumns) -> tuple[Assumption, ...]:
    """At most d columns are orthogonal."""
    return (Assumption.at_most("n / d", instance.n / instance.d, 1),)


@OVERLAP.claim(
    "sharp",
    expected="holds",
    on=RandomColumns,
    assume=room_for_all,
    compares=("distance of (ε_d, ε_l) from (½, 1/π)", "=", "0"),
)
def orthogonal_columns_share_half(
    instance: RandomColumns, context: Context, *, expected: float = 0.5
) -> Evidence:
    """Orthogonal columns and Assumption 3

    Orthogonal columns, zero bias, isotropic Gaussian input: ε_d = ½ and ε_l = 1/π in every dimension
    """
    eps_d, eps_l = overlaps(instance.columns(orthogonal=True))
    gap = max(abs(eps_d - expected), abs(eps_l - 1 / np.pi))
    # Columns of a QR factor are orthogonal to a few ulp times sqrt(d); both ratios move by at most as much.
    tolerance = 16 * float(np.sqrt(instance.d) * np.finfo(float).eps)
    return Evidence.close(gap, predicted=0.0, tolerance=tolerance, eps_d=eps_d)


orthogonal_columns_share_half.rejects("ε_d = 0.51", RandomColumns(), expected=0.51)
orthogonal_columns_share_half.rejects("ε_d larger by 1e-13", RandomColumns(), expected=0.5 + 1e-13)
orthogonal_columns_share_half.excludes("three columns in the plane", RandomColumns(2, 3), "n / d")
orthogonal_columns_share_half.includes("as many columns as dimensions", RandomColumns(3, 3))

random_columns_overlap_little.errs(
    says="v4, section 3.3, remark 'Random initialization': random weights are often orthogonal, which naturally "
    "leads to Assumption 3",
    true="orthogonal columns overlap in half of their mass, ε_d = ½, ε_l = 1/π in every dimension; small overlaps "
    "need negative biases",
    impact="substance",
    matters="Assumption 3 does not follow from random directions",
)
