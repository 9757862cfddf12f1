"""Theorem A'' in ball arithmetic: for a reserve mu, a number M with ``2 pi (-R'/R) >= mu - M R^2`` for all R <= R_0.

Node j keeps ``mu u_j``. What it can spare, ``a_j = alpha_j - theta_j cot theta_j`` with
``alpha_j = pi/2 - theta_j - (mu + pi u_j / 32) / (1 - u_j / 4)``, goes into its pairs. A pair then costs at most K u w,

    K = [(1 - 4 h (2 - sigma)) / 4D]_+ + (1 - 2h)(pi/32) v / D + (pi/16)^2 v^2 / 4D
        + eps_3 (27/256) v^2 / (1 - sigma)^3,
    h = a_u a_w / (a_u + a_w),  D = 1 - sigma + h,  v = sqrt(u w),  eps_3 = (A(b) - b)/b^3 at b = v / (1 - sigma),

which increases in u and in w where h <= 1/2. With ``u_j = t_j R^2``, the t ordered, ``rho = 1 - t_1 - t_2`` and
``o = min(t_2, rho)``, M bounds ``t_1 t_2 K(t_1, t_2) + rho (t_1 K(t_1, o) + t_2 K(t_2, o)) + rho^2 K(o, o) / 2``.
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import arb

from dynamics.basins.balls import PI, angle, float_above, in_balls, upper

WIDEST = 1.2
"""``theta + theta cot theta`` increases up to here, so that a_j decreases in u_j."""

CELLS = 250
"""Cells in t_1 and in t_2."""


def cubic_ratio(b: arb) -> arb:
    """An upper bound of ``(arcsin b - b) / b^3`` for 0 <= b < 1, in which it increases."""
    end = upper(b)
    if end < 0.01:
        return arb(1) / 6 + end**2 / 10
    return (end.asin() - end) / end**3


def spare(u: arb, mu: arb) -> arb | None:
    """``a(u)``; None where ``alpha(u)`` is not shown to be >= 0."""
    theta = angle(u)
    if not theta < WIDEST:
        return None
    alpha = PI / 2 - theta - (mu + PI * u / 32) / (1 - u / 4)
    if not alpha >= 0:
        return None
    cotangent = theta * theta.cot() if u > 0 else arb(1)
    return alpha - cotangent


def pair_constant(u: arb, a_u: arb | None, w: arb, a_w: arb | None) -> arb | None:
    """K at (u, w), an upper bound for all smaller ones; None where a condition is not met."""
    if a_u is None or a_w is None or not a_u + a_w > 0:
        return None
    h = a_u * a_w / (a_u + a_w)
    sigma = (u + w) / 2
    stiff = 1 - sigma + h
    if not (stiff > 0 and h <= 0.5):
        return None
    v2 = u * w
    v = v2.sqrt()
    # Increasing in sigma for h > 0; for h < 0 the numerator is largest at sigma = 0.
    numerator = 1 - 4 * h * (2 - sigma) if h > 0 else 1 - 8 * h.min(arb(0))
    quadratic = (numerator / (4 * stiff)).max(arb(0))
    linear = (1 - 2 * h) * PI / 32 * v / stiff + (PI / 16) ** 2 * v2 / (4 * stiff)
    excess = cubic_ratio(v / (1 - sigma)) * 27 / 256 * v2 / (1 - sigma) ** 3
    return upper(quadratic + linear + excess)


@dataclass(frozen=True)
class Reserve:
    """``2 pi (-R'/R) >= mu - loss R^2`` for ``R <= radius``."""

    radius: float
    mu: float
    loss: float

    def check(self, cells: int = CELLS) -> bool:
        """Whether ``loss`` is proved again."""
        found = largest_loss(self.radius, self.mu, cells)
        return found is not None and found <= self.loss


@in_balls
def largest_loss(radius: float, mu: float, cells: int = CELLS) -> float | None:
    """M for this reserve, rounded up; None where it is not proved that there is any."""
    square, reserve = upper(arb(radius) ** 2), arb(mu)
    points = [square * k / cells for k in range(cells + 1)]
    spares = [spare(u, reserve) for u in points]
    known: dict[tuple[int, int], arb | None] = {}

    def constant(i: int, j: int) -> arb | None:
        if (i, j) not in known:
            known[i, j] = pair_constant(points[i], spares[i], points[j], spares[j])
        return known[i, j]

    worst = arb(0)
    for i in range(cells):
        for j in range(min(i, cells - i) + 1):
            high_1, high_2 = min(i + 1, cells - j), min(j + 1, cells - i)
            rest = cells - i - j
            each = min(high_2, rest)
            constants = [
                constant(high_1, high_2), constant(high_1, each), constant(high_2, each), constant(each, each)
            ]  # fmt: skip
            weights = (high_1 * high_2, high_1 * rest, high_2 * rest, rest * rest / 2)  # exact halves
            total = arb(0)
            for weight, value in zip(weights, constants, strict=True):
                if value is None and weight != 0:
                    return None
                if value is not None:
                    total += weight * value
            worst = upper(worst.max(total))
    return float_above(worst / cells**2)


def best_mu(radius: float, tries: int = 24, cells: int = 40) -> float:
    """The reserve with the largest rate at ``radius``, on few cells: a choice, which proves nothing."""

    def gain(mu: float) -> float:
        loss = largest_loss(radius, mu, cells)
        return -1.0 if loss is None else mu - loss * radius**2

    step = 0.5708 / tries
    best = max((step * (k + 0.5) for k in range(tries)), key=gain)
    while step > 1e-5:
        step /= 2
        best = max((best - step, best, best + step), key=gain)
    return best
