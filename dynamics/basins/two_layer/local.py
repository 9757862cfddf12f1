"""Theorem C'': the proved basin of Theorem 5's solution, with its rate and how far the irrelevant nodes can drift."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from flint import arb

from dynamics.basins.balls import float_above, float_below, in_balls, lower, upper
from dynamics.basins.solution import exact_unit_columns
from dynamics.basins.two_layer.distance import LARGEST_RADIUS, distance_to_solution
from dynamics.basins.two_layer.forms import Solution, SolutionForms, solution_forms
from dynamics.basins.two_layer.remainders import Remainders, remainders
from dynamics.two_layer.problem import TeacherStudent
from dynamics.validation import number, shown

DRIFT_CAPS = (0.1, 0.15, 0.2, 0.3, 0.45)
"""How far irrelevant nodes may drift; the constants cover it. The cap with the largest radius is taken."""

PRECISE = 2e-3
"""A radius is found to this share of it (of 0.01 where it is less)."""

STEPS = 120
"""Of the comparison of the drift, from the start to |z| = 0."""


@dataclass(frozen=True)
class Passage:
    """From ``|z(0)| = start``: ``|z|`` falls at least at ``first`` at once, at ``rate`` always, late at ``late``.

    The irrelevant nodes move by at most ``drift``, the root of the sum of squares of their paths' lengths.
    """

    start: float
    first: float
    rate: float
    late: float
    drift: float


@dataclass(frozen=True)
class LocalBasin:
    """Every start with ``|z(0)| < radius`` converges: W_u to W*, V_u to V*, V_r to 0, W_r to something.

    ``|z|^2 = sum_j theta_j^2 + ||V_u - V*||_F^2 + ||V_r||_F^2``, the relevant nodes' angles to their teachers.

    Attributes:
        radius: of the proved basin, >= 0 (0: nothing is proved).
        least: lambda_0, a lower bound of the late rate at the irrelevant nodes' start.
        start: ``|z(0)|`` of the problem.
        forms, rest, cap: the constants of the proof for |z| <= radius and a drift of at most cap; None without a basin.
        speed: the input's variance, times which everything runs.
    """

    radius: float
    least: float
    start: float
    forms: SolutionForms | None = field(default=None, repr=False)
    rest: Remainders | None = field(default=None, repr=False)
    cap: float = 0.0
    speed: float = 1.0

    def passage(self, start: float | None = None) -> Passage:
        """What is proved of starts at ``|z(0)| = start``, and but for ``first`` of nearer ones.

        Args:
            start: the distance; None: that of the problem.
        Raises:
            ValueError: a distance that is not in the basin.
        """
        start = number("start", self.start if start is None else start, least=0)
        if not start < self.radius:
            raise ValueError(
                f"start: expected 0 <= start < {self.radius:g}, the proved basin, got {shown(start)}"
            )
        found = self._followed(start)
        assert found is not None  # the radius was accepted, and a smaller start drifts less
        return found

    @cached_property
    def drift(self) -> float:
        """How far the irrelevant nodes move at most from any start in the basin, radians in all."""
        return 0.0 if not self.radius else self.passage(self.radius * (1 - 1e-9)).drift

    @in_balls
    def _followed(self, start: float) -> Passage | None:
        if self.forms is None or self.rest is None:
            return None
        return followed(self.forms, self.rest, self.cap, start, self.speed)


def contraction(forms: SolutionForms, rest: Remainders, z: arb, drift: arb) -> tuple[arb, arb] | None:
    """``(rate, surplus)``: ``<z, dJ/dz> >= rate |z|^2`` and ``|residual|^2 <= (1 + surplus) <z, dJ/dz>``, or None.

    ``rate = lambda_0 [f - z (s + o)] - z D c_D/2 - z c_V/2 - z^2 q_4/6``, ``f = (1 - D/sqrt(2 lambda_0))^2``.
    """
    kept = 1 - drift / (2 * forms.least).sqrt()
    if not kept > 0:
        return None
    share = kept**2
    lost = z * (forms.cubic + forms.own)
    lost += (z * drift * rest.drifted / 2 + z * rest.crossed / 2 + z**2 * rest.quartic / 6) / forms.least
    left = lower(share - lost)
    if not left > 0:
        return None
    return lower(forms.least * left), upper(arb("0.6") * lost / left)


def followed(
    forms: SolutionForms, rest: Remainders, cap: float, start: float, speed: float = 1.0
) -> Passage | None:
    """The comparison of drift and distance from ``start`` down to 0; None where it leaves the cap or stops contracting.

    ``-dD/d|z| <= |z| sqrt((1 + surplus) / (2 rate))``, which grows with D and |z|: over a step it is at most its value
    at the step's beginning and at a D that is then shown not to be exceeded. A cap of 0: there is nothing that drifts.
    """
    drift, least = arb(0), None
    for step in range(STEPS):
        z, ahead = (arb(start) * (STEPS - step - k) / STEPS for k in (0, 1))
        guess = drift
        for _ in range(40):
            found = contraction(forms, rest, z, guess)
            if found is None:
                return None
            rate, surplus = found
            reached = upper(drift + (z - ahead) * z * ((1 + surplus) / (2 * rate)).sqrt())
            if reached <= guess or not cap:
                break
            guess = upper(reached * arb("1.0001") + arb("1e-15"))
        else:
            return None
        if not guess <= cap:
            return None
        drift, least = guess, rate if least is None else lower(least.min(rate))
    late = contraction(forms, rest, arb(0), drift)
    if late is None or least is None:
        return None
    first = contraction(forms, rest, arb(start), arb(0))
    assert first is not None  # it is larger than what was found with a drift
    always = lower(least.min(late[0]))
    return Passage(
        start=start,
        first=float_below(speed * first[0]),
        rate=float_below(speed * always),
        late=float_below(speed * late[0]),
        drift=float_above(drift),
    )


@in_balls
def local_basin(problem: TeacherStudent) -> LocalBasin:
    """Theorem C'' for one problem; see :func:`dynamics.basins.two_layer.basin.two_layer_basin`."""
    speed, start = _checked(problem), float(distance_to_solution(problem))
    nodes = exact_unit_columns(problem.teacher_W) + exact_unit_columns(problem.student_W[:, problem.m :])
    solution = Solution.of(nodes, [[arb(float(x)) for x in row] for row in problem.teacher_V])
    forms = solution_forms(solution)
    if forms is None:
        return LocalBasin(0.0, 0.0, start, speed=speed)
    radius, cap = 0.0, 0.0
    for tried in DRIFT_CAPS if problem.n > problem.m else (0.0,):
        further = _largest_radius(solution, forms, tried, radius)
        radius, cap = (further, tried) if further > radius else (radius, cap)
    rest = remainders(solution, radius, cap) if radius else None
    return LocalBasin(radius, float_below(speed * forms.least), start, forms, rest, cap, speed)


def _largest_radius(solution: Solution, forms: SolutionForms, cap: float, known: float) -> float:
    """The largest radius found with this cap, or ``known`` where it is no more."""

    def proved(radius: float) -> bool:
        return followed(forms, remainders(solution, radius, cap), cap, radius) is not None

    low, high = known, LARGEST_RADIUS
    if low and not proved((1 + PRECISE) * low):
        return known
    while high - low > PRECISE * max(high, 0.01):
        middle = (low + high) / 2
        low, high = (middle, high) if proved(middle) else (low, middle)
    return low


def _checked(problem: TeacherStudent) -> float:
    if problem.batch_shape:
        raise ValueError(f"problem: expected one instance, got an ensemble of shape {problem.batch_shape}")
    problem.require_u_set()
    problem.require_unit_columns()
    variance = problem.measure.spherical_variance
    if variance is None:
        raise ValueError(f"measure: expected an isotropic Gaussian, got {shown(problem.measure)}")
    return variance
