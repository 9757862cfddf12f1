"""The kernels of two caps in ball arithmetic: bounds for every choice of columns, written out again for proofs.

What ``dynamics/measures/kernel_bounds.py`` and ``biased_kernel_bounds.py`` do in floats; nothing is shared with them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flint import arb

from verify.certificates.normal_balls import both_active, density, distribution, one_relu, two_relus

Vector = list[arb]

X_SINE = "2.028757838110434223576971124735"
"""Where ``x sin x`` is largest on [0, pi], the root of ``sin x + x cos x``."""


class PoleError(Exception):
    """A cap reaches the pole of the bias axis, where slopes are not bounded."""


def dot(a: Vector, b: Vector) -> arb:
    return sum((x * y for x, y in zip(a, b, strict=True)), arb(0))


def norm(a: Vector) -> arb:
    return dot(a, a).nonnegative_part().sqrt()


def minus(a: Vector, b: Vector) -> Vector:
    return [x - y for x, y in zip(a, b, strict=True)]


def _angle(a: Vector, b: Vector) -> arb:
    """Of two unit vectors, in [0, pi]."""
    return 2 * arb.atan2(norm(minus(a, b)), norm([x + y for x, y in zip(a, b, strict=True)]))


def upper(x: arb) -> arb:
    return arb(x.upper())


def lower(x: arb) -> arb:
    return arb(x.lower())


def unit(a: Vector) -> Vector:
    size = norm(a)
    return [x / size for x in a]


@dataclass
class Kernel:
    """Bounds for columns of two caps (diagonal: a column and the arc from it to its centre).

    ``d``, ``l`` above; ``d_low`` below; slopes in the second slot, radians; ``across = ||P(w_j) w_k||`` above.
    """

    d: arb
    d_low: arb
    l: arb  # noqa: E741  # the papers' letter
    slope_d: arb
    slope_l: arb
    across: arb


class Caps:
    """Isotropic Gaussian input: all kernels are functions of the angle, ``x = pi - angle`` rising."""

    def __init__(self, centres: list[Vector], r: Vector, moment: arb) -> None:
        self.centres, self.r, self.moment = centres, r, moment

    def own_l(self, j: int) -> arb:
        """A lower bound of ``psi_l(w_j, w_j)``."""
        return self.moment / 2

    def spread(self, j: int, k: int) -> arb:
        return self.r[j] + (self.r[k] if j != k else 0)

    def angles(self, j: int, k: int) -> tuple[arb, arb]:
        """The least and the largest angle between the columns."""
        centres, spread = self.centres, self.spread(j, k)
        between = _angle(centres[j], centres[k]) if j != k else arb(0)
        return lower((between - spread).nonnegative_part()), upper((between + spread).min(arb.pi()))

    def kernel(self, j: int, k: int) -> Kernel:
        pi, c = arb.pi(), self.moment
        near, far = self.angles(j, k)
        x_low, x = (pi - far).nonnegative_part(), pi - near
        steepest = _largest(lambda t: t * t.sin(), x_low, x, X_SINE)
        return Kernel(
            d=upper(x / (2 * pi)),
            d_low=lower(x_low / (2 * pi)),
            l=upper(c * (x.sin() - x * x.cos()) / (2 * pi)),
            slope_d=upper(1 / (2 * pi)),
            slope_l=upper(c * steepest / (2 * pi)),
            across=_largest_sine(near, far),
        )


def _largest(function: Callable[[arb], arb], low: arb, high: arb, peak: arb | str) -> arb:
    """Of a function with one peak, within 1e-28 of ``peak``: its largest value on [low, high]."""
    near = arb(peak) + arb(0, 1e-28)
    if high < near:
        return upper(function(high))
    if low > near:
        return upper(function(low))
    return upper(function(near))


def _largest_sine(near: arb, far: arb) -> arb:
    return _largest(lambda t: t.sin(), near, far, arb.pi() / 2).min(arb(1))


class BiasedCaps(Caps):
    """A bias on every node: columns ``(s u, b)``, ``||u|| = 1``; at latitude a, ``h = b/s = tan a``, ``s = cos a``.

    psi_d, psi_l and ``E[relu 1]`` rise with both thresholds and fall with the angle of the directions u.
    """

    def __init__(self, centres: list[Vector], r: Vector, moment: arb) -> None:
        super().__init__(centres, r, moment)
        self.directions = [unit(centre[:-1]) for centre in centres]
        latitude = [arb.atan2(centre[-1], norm(centre[:-1])) for centre in centres]
        self.low = [lower(x - y) for x, y in zip(latitude, r, strict=True)]
        self.high = [upper(x + y) for x, y in zip(latitude, r, strict=True)]
        right = arb.pi() / 2
        if not all(-right < x and y < right for x, y in zip(self.low, self.high, strict=True)):
            raise PoleError("a cap reaches the pole of the bias axis")
        # Exact corners: the difference of equal thresholds is divided by the square of a tiny angle.
        self.h_low, self.h_high = [lower(x.tan()) for x in self.low], [upper(x.tan()) for x in self.high]
        self.turn = [upper((y.sin() / x.cos()).min(arb(1)).asin()) for x, y in zip(latitude, r, strict=True)]

    def own_l(self, j: int) -> arb:
        h = self.h_low[j]
        return lower(_least(arb.cos, self.low[j], self.high[j]) ** 2 * two_relus(h, h, arb(0)))

    def kernel(self, j: int, k: int) -> Kernel:
        turned = self.turn[j] + (self.turn[k] if j != k else 0)
        between = _angle(self.directions[j], self.directions[k]) if j != k else arb(0)
        near, far = lower((between - turned).nonnegative_part()), upper((between + turned).min(arb.pi()))
        most = self.h_high[j], self.h_high[k], near
        d = upper(both_active(*most))
        lengths = [_largest(arb.cos, self.low[i], self.high[i], arb(0)) for i in (j, k)]
        slope_d, slope_l = self._slopes(j, k, near, far, d, upper(one_relu(*most)))
        least = self.h_low[j], self.h_low[k], far
        return Kernel(
            d=d,
            d_low=lower(both_active(*least)) if far < arb.pi() else arb(0),
            l=upper(lengths[0] * lengths[1] * two_relus(*most)),
            slope_d=slope_d,
            slope_l=slope_l,
            across=_largest_sine(*self.angles(j, k)),
        )

    def _slopes(self, j: int, k: int, near: arb, far: arb, d: arb, half: arb) -> tuple[arb, arb]:
        """Upper bounds of the tangential gradients of psi_d and psi_l in the second slot."""
        h, t = ((self.h_low[i], self.h_high[i]) for i in (j, k))
        s_j, s_k = (_largest(arb.cos, self.low[i], self.high[i], arb(0)) for i in (j, k))
        shortest = lower(_least(arb.cos, self.low[k], self.high[k]))
        density_k = density(_smallest(*t))
        products = [rho * x for rho in (near.cos(), far.cos()) for x in t]
        room = upper(h[1] - _extreme(products, least=True)), lower(h[0] - _extreme(products, least=False))
        sines = lower(_least(arb.sin, near, far).nonnegative_part()), _largest_sine(near, far)
        ratios = _quotients(room[1], room[0], *sines)
        gate = distribution(ratios[1]) if ratios[1] is not None else arb(1)
        across = density(_smallest(ratios[0], ratios[1]))
        steep = gate / shortest  # products, for the power of a ball around 0 is not a number
        slope_d = density_k / shortest * (steep * steep + across * across).nonnegative_part().sqrt()
        open_share = room[0].nonnegative_part()  # E relu(room + q z), which rises with both
        if sines[1] > 0:
            share = room[0] / sines[1]
            open_share = (room[0] * distribution(share) + sines[1] * density(share)).nonnegative_part()
        cosine = arb(0) if near.cos() * far.cos() <= 0 else abs(near.cos()).min(abs(far.cos()))
        least = shortest * lower(cosine)
        tilt = (1 - least * least).nonnegative_part().sqrt()
        largest_bias = abs(self.low[k].sin()).max(abs(self.high[k].sin()))
        on_bias = largest_bias * density_k * open_share + s_k * half
        return upper(slope_d), upper(s_j * (d * tilt + on_bias))


def _extreme(values: Vector, *, least: bool) -> arb:
    found = values[0]
    for x in values[1:]:
        found = found.min(x) if least else found.max(x)
    return found


def _least(function: Callable[[arb], arb], low: arb, high: arb) -> arb:
    """Least value of a function that rises and then falls."""
    return function(low).min(function(high))


def _smallest(low: arb | None, high: arb | None) -> arb:
    """The number of least size in [low, high]; None for an end that is not bounded."""
    if low is not None and low > 0:
        return lower(low)
    if high is not None and high < 0:
        return upper(high)
    return arb(0)


def _quotients(low: arb, high: arb, least: arb, most: arb) -> tuple[arb | None, arb | None]:
    """The ends of ``[low, high] / [least, most]``, least >= 0; None where one is not bounded."""
    bottom = low / (most if low > 0 else least) if (most if low > 0 else least) > 0 else None
    top = high / (most if high < 0 else least) if (most if high < 0 else least) > 0 else None
    return bottom, top
