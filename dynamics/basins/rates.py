"""How fast the exact flow of Theorem 4 contracts towards orthonormal teachers, proved, for any number of them.

The flow is ``w_j' = P_perp(w_j) sum_k [psi_d(w_j, w*_k) w*_k - psi_d(w_j, w_k) w_k]`` (isotropic Gaussian input, unit
columns, output weights 1), and ``R = ||W - W*||_F``. For exactly orthonormal teachers ``dR/dt <= -rate(R) R`` with a
positive rate for every ``R < basin_radius()``, whatever m and d: so a start within it converges to the teachers, and R
falls at least at that rate.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from importlib import resources

from dynamics.basins.closed_forms import any_teachers, one_teacher, two_teachers
from dynamics.validation import number, positive_int, shown

ANTIPODE = 2.0
"""R of one student opposite its teacher, the only point that it does not return from."""


@dataclass(frozen=True)
class ProvedRates:
    """What the recipe (``python -m dynamics.basins.recipe``) proved in ball arithmetic, and stored.

    Attributes:
        reserves: Theorem A'': ``(radius, mu, loss)``, ``2 pi rate >= mu - loss R^2`` for R <= radius; radii ascending.
        sweep: Theorem D: ``(radius, rate)``, the rate on the whole ball of that radius; radii ascending.
    """

    reserves: tuple[tuple[float, float, float], ...]
    sweep: tuple[tuple[float, float], ...]

    def reserved(self, radius: float) -> float:
        """Theorem A'' at ``radius``, rounded down: the best of the reserves whose radius is not smaller."""
        start = bisect_left(self.reserves, (radius,))
        # A few ulp are the rounding of these four operations; the products are below 1.
        return max(
            (
                (mu - loss * radius**2) / (2 * math.pi) - 1e-15
                for _, mu, loss in self.reserves[start : start + 8]
            ),
            default=-1.0,
        )

    def swept(self, radius: float) -> float:
        """Theorem D on the ball of ``radius``: that of the next larger one stored."""
        index = bisect_left(self.sweep, (radius,))
        return self.sweep[index][1] if index < len(self.sweep) else -1.0


@cache
def proved_rates() -> ProvedRates:
    """The stored results of the recipe, read once."""
    stored = json.loads(resources.files("dynamics.basins").joinpath("proved_rates.json").read_text())
    reserves = tuple(tuple(map(float.fromhex, entry)) for entry in stored["theorem A''"])
    sweep = tuple(tuple(map(float.fromhex, entry)) for entry in stored["theorem D"])
    return ProvedRates(reserves, sweep)  # type: ignore[arg-type]  # triples and pairs, as they were written


def basin_radius(m: int | None = None) -> float:
    """The proved radius of the basin of exactly orthonormal teachers: every start with R below it converges to them.

    Args:
        m: the number of teachers; None: the radius for any number.
    Returns:
        R_0 = 0.86 or a little more, for every m and d >= m (no radius beyond 1.0824 is possible for m >= 2); 2 for
        m = 1, where R = 2 is the antipode.
    Raises:
        ValueError: m < 1.
    Source: our own, Theorem D (docs/theorems.md); proved in ball arithmetic.
    """
    if m is not None:
        positive_int("m", m)
    return ANTIPODE if m == 1 else proved_rates().sweep[-1][0]


def basin_rate(radius: float, m: int | None = None, d: int | None = None) -> float:
    """A proved lower bound of the contraction rate ``-R'/R`` on the ball ``R = ||W - W*||_F <= radius``.

    The best of Theorems A, A'' and D, which hold for any m, and of the closed forms for m = 1 and m = 2, of which the
    first is the rate itself. At radius 0 it is the true late rate: ``1/4 - 1/2 pi`` for any m; 1/2 for m = 1, 1/4 for
    m = 2 with d >= 3 or unknown, ``1/2 - 1/2 pi`` for m = d = 2.

    Args:
        radius: R, from 0 to ``basin_radius(m)``, that excluded.
        m: the number of teachers; None: any number.
        d: their dimension; asked for only with m = 2.
    Returns:
        The bound, per unit time of the flow for input of variance 1 (a variance s^2 multiplies it), rounded down: never
        above the proved one.
    Assumes: exactly orthonormal teachers, unit columns, isotropic Gaussian input, output weights 1.
    Raises:
        ValueError: radius, m or d outside their ranges, or d < m.
    Cost: a millisecond.
    Source: our own, docs/theorems.md.
    """
    radius = number("radius", radius, least=0)
    limit = basin_radius(m)
    if d is not None:
        positive_int("d", d)
        if m is None or d < m:
            raise ValueError(
                f"d: expected at least m teachers' dimension, with m given, got d = {d} and m = {m}"
            )
    if not radius < limit:
        raise ValueError(f"radius: expected 0 <= radius < {limit:g}, the proved basin, got {shown(radius)}")
    if m == 1:
        return one_teacher(radius)
    proved = proved_rates()
    rates = [any_teachers(radius), proved.reserved(radius), proved.swept(radius)]
    if m == 2:
        rates.append(two_teachers(radius, plane=d == 2))
    return max(rates)


CALM = 1e-3
"""Distance below which one rate serves: it has reached the late one but for 0.2 %."""


def basin_time(start: float, end: float, m: int | None = None, d: int | None = None) -> float:
    """A proved upper bound of the time in which ``R = ||W - W*||_F`` falls from ``start`` to ``end``.

    The integral of ``dR / (R rate(R))`` over the proved rates, bounded above on cells of R: they fall with R.

    Args:
        start: R at the start, below ``basin_radius(m)``.
        end: R to be reached, 0 < end; 0 time where it is not below ``start``.
        m, d: the number of teachers and their dimension, as for :func:`basin_rate`.
    Returns:
        The time, rounded up, for input of variance 1 (a variance s^2 divides it).
    Assumes: as :func:`basin_rate`.
    Raises:
        ValueError: a distance, m or d outside its range.
    Cost: a tenth of a second; some seconds for m = 2.
    Source: our own, docs/theorems.md.
    """
    if not number("start", start, least=0) < basin_radius(m):
        raise ValueError(
            f"start: expected a distance below {basin_radius(m):g}, the proved basin, got {shown(start)}"
        )
    end = number("end", end, positive=True)
    slowest = basin_rate(start, m, d)
    if end >= start:
        return 0.0
    ratio = 1.05 if m == 2 else 1.01
    cells, high, rate, total = 0, float(start), slowest, 0.0
    while high > end:
        low = max(end, high / ratio if high > CALM else 0.0)
        if m == 1:  # near the antipode the rate vanishes with the distance to it
            low = max(low, ANTIPODE - 1.1 * (ANTIPODE - high))
        total += math.log(high / low) / rate
        high, cells = low, cells + 1
        rate = max(rate, basin_rate(high, m, d))
    return total * (1 + 1e-12)  # a thousand additions and logarithms, each right to 1e-15
