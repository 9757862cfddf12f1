"""The proved basin of one problem's teachers: its radius, its rate, and the theorem that proves it."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dynamics.arrays import Array
from dynamics.basins.rates import basin_radius, basin_rate
from dynamics.boundary import checked
from dynamics.two_layer.problem import TeacherStudent
from dynamics.validation import number, shown

if TYPE_CHECKING:
    from flint import arb

HANDOVERS = (1e-3, 1e-2, 0.1, 0.5)
"""Shares of Theorem B0's radius at which it may take over from Theorem D where teachers are only nearly orthonormal.

The later it does, the more the defect costs Theorem D, by ``2.1 m defect/R``: the first share that keeps the largest
radius is taken.
"""

WORTH = 0.4
"""A radius of Theorem D about nearly orthonormal teachers from which on no other theorem has a larger one."""


class Basin(NamedTuple):
    """Every start with ``R = ||W - W*||_F < radius`` converges to W*, ``R(t) <= factor exp(-rate(R(0)) t) R(0)``.

    Attributes:
        radius: of the proved basin, >= 0 (0: nothing is proved).
        rate: of R(0), 0 <= R(0) < radius: a proved lower bound of the decay rate, per unit time, rounded down.
        theorem: which theorems prove it (docs/theorems.md).
        factor: 1 where R itself falls at the rate; slightly more where the distance along the spheres does.
    """

    radius: float
    rate: Callable[[float], float]
    theorem: str
    factor: float


@checked
def basin(problem: TeacherStudent) -> Basin:
    """The proved basin of attraction of W = W* in the flow of Theorem 4, ``ProjectedFlow(problem)`` with fan-outs 1.

    Exactly orthonormal teachers (in exact arithmetic): Theorem D, for any m and d, or the closed forms for m <= 2.
    Teachers orthonormal to rounding: the same radius, Theorem D handing over to Theorem B0 near W*. Other teachers:
    the larger basin of two theorems, with all constants enclosed in ball arithmetic: Theorem B0, radius ``2 lambda*/L``
    along the spheres, with the least eigenvalue lambda* of the Hessian at W* and a bound L of its change; Theorem B, an
    expansion about the teachers' Gram matrix, larger for three and more of them. The radius is 0 where lambda* is not
    shown to be positive.

    Args:
        problem: one instance, n = m, unit columns, fan-outs 1, isotropic Gaussian input. The students do not matter.
    Returns:
        :class:`Basin`; of a float teacher the exactly normalised columns are meant.
    Raises:
        ValueError: an ensemble, n != m, other fan-outs or another measure, or two teachers on one line.
        ImportError: python-flint (extra ``certify``) is not installed and Theorem B0 or B is asked for.
    Cost: Theorems B0 and B O((m d)^3) in ball arithmetic: some seconds at m d = 100.
    Source: our own, docs/theorems.md.
    """
    variance = _checked(problem)
    W = problem.teacher_W
    m, d = problem.m, problem.d
    defect = orthogonality_defect(W)
    if defect == 0:
        known = "one teacher" if m == 1 else "A, A'', D and two teachers" if m == 2 else "A, A'', D"
        return _scaled(Basin(basin_radius(m), lambda R: basin_rate(R, m, d), known, 1.0), variance)
    return _scaled(nearly_orthonormal(m, d, defect) or local_basin(W), variance)


def orthogonality_defect(W: Array) -> float:
    """``||G - I||_F``, G the Gram matrix of the normalised columns, by exact rationals, rounded up; 0 only if exact."""
    columns = [[Fraction(float(x)) for x in column] for column in W.T]
    squares = [sum((x * x for x in column), Fraction(0)) for column in columns]
    total = Fraction(0)
    for j, a in enumerate(columns):
        for k in range(j):
            product = sum((x * y for x, y in zip(a, columns[k], strict=True)), Fraction(0))
            total += 2 * product**2 / (squares[j] * squares[k])
    return math.nextafter(math.sqrt(total) * (1 + 1e-15), math.inf) if total else 0.0


def local_basin(W: Array) -> Basin:
    """Theorems B0 and B for the normalised columns of W."""
    try:
        from flint import ctx
    except ImportError:
        raise ImportError(
            "problem: teachers that are not orthonormal need ball arithmetic; pip install luckproof[certify]"
        ) from None
    from dynamics.basins.balls import PRECISION

    with ctx.workprec(PRECISION):
        return _enclosed_basin(W)


def _enclosed_basin(W: Array) -> Basin:
    from dynamics.basins.solution import angle_between, exact_unit_columns, least_eigenvalue, solution_hessian

    teachers = exact_unit_columns(W)
    angles = [[angle_between(a, b) for b in teachers] for a in teachers]
    slowest = least_eigenvalue(solution_hessian(teachers, angles))
    if not slowest > 0:
        return _nothing("no positive eigenvalue was proved")
    return _larger(_hessian_basin(slowest, angles), _expanded_basin(teachers, angles))


def _nothing(why: str) -> Basin:
    return Basin(0.0, _within(0.0, lambda R: math.nan), f"B0 ({why})", 1.0)


def _hessian_basin(slowest: arb, angles: list[list[arb]]) -> Basin:
    """Theorem B0 with the least eigenvalue of the Hessian and the angles of the teachers."""
    from flint import arb

    from dynamics.basins.balls import float_below, in_balls
    from dynamics.basins.third_derivative import largest_change

    low, high = 0.0, 1.0
    for _ in range(24):
        middle = (low + high) / 2
        proved = largest_change(angles, arb(middle)) * middle / 2 < slowest
        low, high = (middle, high) if proved else (low, middle)
    if not low > 0:
        return _nothing(f"of a radius below {high:.1g}")
    change = largest_change(angles, arb(low))
    radius = 2 * math.sin(low / 2) * (1 - 1e-12)

    @in_balls
    def rate(R: float) -> float:
        along = 2 * (arb(R) / 2).asin()
        return float_below(slowest - change * along / 2)

    factor = 2 * math.asin(radius / 2) / radius * (1 + 1e-12)
    return Basin(radius, _within(radius, rate), "B0", factor)


def _expanded_basin(teachers: list[list[arb]], angles: list[list[arb]]) -> Basin | None:
    """Theorem B; None for one teacher, or where it proves nothing."""
    from flint import arb

    from dynamics.basins.balls import float_below, in_balls
    from dynamics.basins.expansion import expansion

    if len(teachers) == 1:
        return None
    about = expansion(teachers, angles)
    low, high = 0.0, 0.6
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if about.rate(arb(middle)) > 0 else (low, middle)
    if not low > 0:
        return None
    return Basin(low, _within(low, in_balls(lambda R: float_below(about.rate(arb(R))))), "B", 1.0)


def _larger(near: Basin, far: Basin | None) -> Basin:
    """The larger of two basins, with the better of their rates where both are proved."""
    if far is None or far.radius <= near.radius:
        return near

    def rate(R: float) -> float:
        return max(far.rate(R), near.rate(R)) if near.radius > R else far.rate(R)

    return Basin(far.radius, _within(far.radius, rate), "B, with B0 near W*", near.factor)


def nearly_orthonormal(m: int, d: int, defect: float) -> Basin | None:
    """Theorem D down to a small R, Theorem B0 from there; None where the teachers are not that nearly orthonormal.

    W* is within ``defect`` of an orthonormal Q. About W* the flow contracts at least at
    ``basin_rate(R + defect) - 2.1 m defect/R``, for ``R >= 100 defect``. Near W* the least eigenvalue is at least
    ``basin_rate(0) - 3 m defect``, and L at most ``1.08 m + 1.74 sqrt m``, by the largest third derivative of a pair.
    """
    slowest = basin_rate(0.0, m, d) - 3 * m * defect
    change = 1.08 * m + 1.74 * math.sqrt(m)
    if not slowest > 0:
        return None
    # The first of the largest: max keeps it.
    reached = max(
        ((_kept_radius(m, d, defect, share * 2 * slowest / change), share) for share in HANDOVERS),
        key=lambda found: found[0],
    )
    radius, handover = reached[0], reached[1] * 2 * slowest / change
    if not radius > WORTH:
        return None
    room = 2.1 * m * defect / handover

    def rate(R: float) -> float:
        near = (slowest - change * math.asin(min(R, handover) / 2)) * (1 - 1e-12)
        return near if handover >= R else min(basin_rate(R + defect, m, d) - room, near)

    factor = 2 * math.asin(handover / 2) / handover * (1 + 1e-12)
    return Basin(radius, _within(radius, rate), f"A, A'' and D, with B0 from R = {handover:.2g} on", factor)


def _kept_radius(m: int, d: int, defect: float, handover: float) -> float:
    """Up to which R Theorem D still has more than twice what the defect costs down to ``handover``; 0 for none."""
    if not 100 * defect < handover:
        return 0.0
    cost = 2.1 * m * defect / handover

    def kept(R: float) -> bool:
        return basin_rate(R + defect, m, d) > 2 * cost

    # Inside by more than R + defect is rounded.
    low, high = handover, (basin_radius(m) - 2 * defect) * (1 - 1e-12)
    if kept(high):
        return high
    if not kept(low):
        return 0.0
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (middle, high) if kept(middle) else (low, middle)
    return low


def _within(radius: float, rate: Callable[[float], float]) -> Callable[[float], float]:
    def checked(R: float) -> float:
        value = number("R", R, least=0)
        if not value < radius:
            raise ValueError(f"R: expected 0 <= R < {radius:g}, the proved basin, got {shown(value)}")
        return rate(value)

    return checked


def _scaled(found: Basin, variance: float) -> Basin:
    """The flow runs ``variance`` times as fast as for standard normal input."""
    if variance == 1:
        return found
    return found._replace(rate=lambda R: math.nextafter(variance * found.rate(R), -math.inf))


def _checked(problem: TeacherStudent) -> float:
    if problem.batch_shape:
        raise ValueError(f"problem: expected one instance, got an ensemble of shape {problem.batch_shape}")
    problem.require_unit_columns()
    if problem.n != problem.m:
        raise ValueError(f"problem: expected n = m = {problem.m} students, got n = {problem.n}")
    if problem.c != 1 or np.any(problem.teacher_V != 1) or np.any(problem.student_V != 1):
        raise ValueError("problem: expected fan-outs 1 of one output, as in Theorem 4, got others")
    variance = problem.measure.spherical_variance
    if variance is None:
        raise ValueError(f"measure: expected an isotropic Gaussian, got {shown(problem.measure)}")
    return variance
