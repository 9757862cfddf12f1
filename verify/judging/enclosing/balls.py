"""Balls: real numbers known to lie within a radius (python-flint's ``arb``), made so that no float can slip in.

A :class:`Ball` is made from an integer, a fraction or a float64, taken exactly as the dyadic rational that it is. It
takes part in arithmetic with balls and integers only, it has no conversion to float, and a comparison that its radius
leaves open raises :class:`UndecidedError`; so ``math.sin(ball)``, ``0.1 * ball`` and ``if ball > 0`` fail, where they
would otherwise round or guess. python-flint (extra ``certify``) is imported when the first ball is made.
"""

from __future__ import annotations

import importlib.util
import operator
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flint import arb


Exact = Any
"""A number made exact, a ball or an integer: in the fields of an instance, which declare floats, it is typed as one."""


class UndecidedError(ArithmeticError):
    """Raised where balls overlap and the answer hangs on which of their numbers are meant."""


@cache
def balls_available() -> bool:
    """Whether python-flint is installed."""
    return importlib.util.find_spec("flint") is not None


class Ball:
    """A real number within a radius.

    Args:
        value: an integer, a fraction, a float (exactly the number it is), an ``arb`` or a ball.

    Raises:
        TypeError: anything else.
    """

    __slots__ = ("arb",)
    __array_ufunc__ = None  # so that an array times a ball is refused, not made of objects

    def __init__(self, value: int | float | Fraction | Ball | arb) -> None:
        from flint import arb, fmpq

        if isinstance(value, Ball):
            self.arb: arb = value.arb
        elif isinstance(value, arb):
            self.arb = value
        elif isinstance(value, Fraction):
            self.arb = arb(fmpq(value.numerator, value.denominator))
        elif isinstance(value, float):
            self.arb = arb(value)
        else:
            self.arb = arb(_integer(value))

    def __add__(self, other: Any) -> Ball:
        return Ball(self.arb + _operand(other))

    def __sub__(self, other: Any) -> Ball:
        return Ball(self.arb - _operand(other))

    def __mul__(self, other: Any) -> Ball:
        return Ball(self.arb * _operand(other))

    def __truediv__(self, other: Any) -> Ball:
        return Ball(self.arb / _operand(other))

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other: Any) -> Ball:
        return Ball(_operand(other) - self.arb)

    def __rtruediv__(self, other: Any) -> Ball:
        return Ball(_operand(other) / self.arb)

    def __pow__(self, exponent: int) -> Ball:
        return Ball(self.arb ** operator.index(exponent))

    def __neg__(self) -> Ball:
        return Ball(-self.arb)

    def __abs__(self) -> Ball:
        return Ball(abs(self.arb))

    def __lt__(self, other: Any) -> bool:
        there = _operand(other)
        return _decided(self.arb < there, self.arb >= there)

    def __le__(self, other: Any) -> bool:
        there = _operand(other)
        return _decided(self.arb <= there, self.arb > there)

    def __gt__(self, other: Any) -> bool:
        return not self <= other

    def __ge__(self, other: Any) -> bool:
        return not self < other

    def __eq__(self, other: object) -> bool:
        there = _operand(other)
        return _decided(self.arb == there, self.arb != there)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __bool__(self) -> bool:
        return self != 0

    __hash__ = None  # type: ignore[assignment]  # equality may be undecided

    def __repr__(self) -> str:
        return f"Ball({self.arb})"

    @property
    def may_be_zero(self) -> bool:
        """Whether zero lies in the ball."""
        return bool(self.arb.contains(0))


def _integer(value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"a ball is made from a float or an exact number, got {value!r}") from None


def _operand(value: Any) -> arb:
    if isinstance(value, Ball):
        return value.arb
    if isinstance(value, float):
        raise TypeError(f"a float in ball arithmetic: expected a ball or an integer, got {value!r}")
    return Ball(value).arb


def _decided(yes: bool, no: bool) -> bool:
    if not yes and not no:
        raise UndecidedError("the balls overlap")
    return bool(yes)


def _least(values: Iterable[Any], choose: str) -> Ball:
    found, *rest = (_operand(value) for value in values)
    for value in rest:
        found = getattr(found, choose)(value)
    return Ball(found)


def least(*values: Any) -> Ball:
    """The least of several balls, whichever of them that is."""
    return _least(values, "min")


def largest(*values: Any) -> Ball:
    """The largest of several balls, whichever of them that is."""
    return _least(values, "max")


def interval(low: Any, high: Any) -> Ball:
    """A ball that holds everything between two numbers."""
    return Ball(_operand(low).union(_operand(high)))


class _Functions:
    """The functions of ``math`` on balls and integers, for formulas that take their arithmetic as an argument."""

    @property
    def pi(self) -> Ball:
        """Pi in the working precision."""
        from flint import arb

        return Ball(arb.pi())

    @staticmethod
    def sqrt(x: Any) -> Ball:
        """The root of the ball's non-negative part: for numbers that are not negative by what they are."""
        return Ball(_operand(x).nonnegative_part().sqrt())

    @staticmethod
    def atan2(y: Any, x: Any) -> Ball:
        """The angle of the point (x, y)."""
        from flint import arb

        return Ball(arb.atan2(_operand(y), _operand(x)))

    def __getattr__(self, name: str) -> Callable[[Any], Ball]:
        if name not in _NAMES:
            raise AttributeError(f"no function {name!r} of balls")
        return lambda x: Ball(getattr(_operand(x), name)())


_NAMES = ("sin", "cos", "tan", "asin", "acos", "atan", "exp", "log", "sinc")

REAL = _Functions()
"""``cos, sin, sqrt, pi, ...`` of balls; ``sinc(x)`` is sin(x)/x."""
