"""The pair lemma of Theorem D, in ball arithmetic: a table K with ``G(u, w; x, y, q) >= -K(u, w) u w`` everywhere.

Two nodes at squared distances u >= w from their teachers, ``y = w*_w . w_u``, ``x = w*_u . w_w``, ``q`` the product of
their parts outside both teachers, ``q^2 <= (s_u^2 - y^2)(s_w^2 - x^2)``, and ``B = c_w (x + y) - (u - w) x / 2 + q``:

    G = A(B) ((2 - sigma) B - x - y) - c_u y A(y) - c_w x A(x) + alpha_u y^2 + alpha_w x^2 - (pi / 16) u w B

with A = arcsin, ``c = 1 - u/2``, ``s^2 = u (1 - u/4)``, ``sigma = (u + w)/2``, ``alpha = 1 - 0.6 u``. Scaled by
``sqrt w`` (``X = x / sqrt w``, ``P = (x + y) / sqrt w``, ``y = sqrt w (P - X)``) the form stays bounded as w -> 0, so
that one cell covers all small w. Over a cell of (u, w) and a box of (X, P) it is bounded below by evaluation at
corners, and boxes are halved until the bound says what the table is to say. docs/theorems.md proves the inequalities.
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import arb

from dynamics.basins.balls import PI, arcsine_ratio, float_above, in_balls

BETA = in_balls(lambda: arb(3) / 5)()
DUST = 0.002
"""Upper end of the first cell of the table, [0, DUST]."""

REACH = 0.7745
"""The table covers u + w <= REACH, that is R <= 0.88."""

TAIL = 12
"""From ``P = TAIL`` on the form is positive (:meth:`Cell.require_positive_tail`)."""

STEP = 1.0 / 4096
"""Entries are multiples of this, rounded up."""

X_HALVINGS, P_HALVINGS = 5, 6
"""How often [-1, 1] in X and the range of P near 0 are halved before the bound is accepted as it is."""


def squared_sine(u: arb) -> arb:
    """``s^2 = u (1 - u/4)``: increasing for u < 2."""
    return u * (1 - u / 4)


def own_loss(u: arb, z: arb) -> arb:
    """``e_u(z) = c_u A(z)/z - alpha_u = (r - 1) + u (0.6 - r/2)``, 0 where negative.

    Increasing in z, and in u while r < 1.2: for z at most 0.81 (r(0.81) = 1.166), as it is below REACH.
    """
    ratio = arcsine_ratio(z)
    assert ratio < 1.2
    return ((ratio - 1) + u * (BETA - ratio / 2)).max(arb(0))


@dataclass(frozen=True)
class Box:
    """``X`` in [x_low, x_high], ``P`` in [p_low, p_high]: dyadic ends, so that sums and squares of them are exact."""

    x_low: float
    x_high: float
    p_low: float
    p_high: float
    x_halvings: int = X_HALVINGS
    p_halvings: int = P_HALVINGS

    def halves(self) -> tuple[Box, ...]:
        """The parts, along the direction with more halvings left; none where nothing is left."""
        x, p = self.x_halvings, self.p_halvings
        if x <= 0 and p <= 0:
            return ()
        if x >= p:
            middle = (self.x_low + self.x_high) / 2
            return (
                Box(self.x_low, middle, self.p_low, self.p_high, x - 1, p),
                Box(middle, self.x_high, self.p_low, self.p_high, x - 1, p),
            )
        middle = (self.p_low + self.p_high) / 2
        return (
            Box(self.x_low, self.x_high, self.p_low, middle, x, p - 1),
            Box(self.x_low, self.x_high, middle, self.p_high, x, p - 1),
        )


class Cell:
    """One cell ``u in [u_low, u_high]``, ``w in [w_low, w_high]``, ``w <= u``, of the table."""

    @in_balls
    def __init__(self, u_low: float, u_high: float, w_low: float, w_high: float) -> None:
        self.u_low, self.u_high, self.w_low, self.w_high = map(arb, (u_low, u_high, w_low, w_high))
        self.s2_u, self.s2_w = squared_sine(self.u_high), squared_sine(self.w_high)
        self.s_u, self.s_w = self.s2_u.sqrt(), self.s2_w.sqrt()
        self.root_low, self.root_high = self.w_low.sqrt(), self.w_high.sqrt()
        self.square_room = 1 - self.w_low / 4  # s_w^2 / w at its largest
        self.stiffness = 2 - (self.u_high + self.w_high) / 2  # 2 - sigma at its smallest
        self.linear = PI / 16 * self.u_high * self.root_high  # coefficient of |B|, scaled
        self.lean_low = ((self.u_low - self.w_high) / 2).max(arb(0))  # (u - w)/2 >= 0 as w <= u
        self.lean_high = (self.u_high - self.w_low) / 2
        self.c_low, self.c_high = 1 - self.w_high / 2, 1 - self.w_low / 2
        self.largest_p = self._largest_p()

    def _largest_p(self) -> float:
        """``|x + y| <= s_u + s_w``; TAIL where w may be that small that this says less."""
        if not self.w_low > 0:
            return float(TAIL)
        return min(float(TAIL), float_above((self.s_u + self.s_w) / self.root_low))

    def boxes(self) -> list[Box]:
        """Boxes that cover ``X in [-1, 1], 0 <= P <= largest_p``: one near 0, then each twice as long."""
        first = 1.0
        while first > 2 * float(self.u_high.sqrt()):
            first /= 2
        covered = [Box(-1.0, 1.0, 0.0, first)]
        while covered[-1].p_high < self.largest_p:
            low = covered[-1].p_high
            covered.append(Box(-1.0, 1.0, low, 2 * low))
        return covered

    def least(self, box: Box) -> arb | None:
        """A lower bound of G / w on the box; None where no pair of nodes is in it."""
        X_most, X_least = _moduli(box.x_low, box.x_high)
        y_low, y_high = box.p_low - box.x_high, box.p_high - box.x_low
        Y_most, Y_least = _moduli(y_low, y_high)
        y_least2 = self.w_low * Y_least**2
        if y_least2 > self.s2_u or arb(X_least) ** 2 > self.square_room:
            return None
        own = self._own(X_most, Y_most)
        room_y = (self.s2_u - y_least2).max(arb(0))
        room_x = (self.square_room - X_least**2).max(arb(0))
        radius = (room_y * room_x).sqrt()
        b_low, b_high = self._centre(box)
        coupled = self._parabola(box, b_low - radius, b_high + radius)
        if not coupled > 0:
            # Where the product (2 - sigma) B^2 - P B is negative, |B| < P / (2 - sigma): A(B)/B is at most this.
            coupled *= arcsine_ratio((self.root_high * box.p_high / self.stiffness).min(arb(1)))
        return coupled - own

    def _own(self, X_most: float, Y_most: float) -> arb:
        """``e_u(y) y^2 + e_w(x) x^2`` over w, at its largest."""
        y_most = (self.root_high * Y_most).min(self.s_u)
        x_most = (self.root_high * X_most).min(self.s_w)
        square = arb(Y_most) ** 2
        if self.w_low > 0:
            square = square.min(self.s2_u / self.w_low)
        return own_loss(self.u_high, y_most) * square + own_loss(self.w_high, x_most) * X_most**2

    def _centre(self, box: Box) -> tuple[arb, arb]:
        """Ends of ``c_w P - X (u - w)/2``."""
        high = self.lean_high if box.x_low < 0 else self.lean_low  # of -X lean, at its largest
        low = self.lean_high if box.x_high > 0 else self.lean_low
        return self.c_low * box.p_low - low * box.x_high, self.c_high * box.p_high - high * box.x_low

    def _parabola(self, box: Box, b_low: arb, b_high: arb) -> arb:
        """Least of ``(2 - sigma) B^2 - P B - linear |B|`` for B in [b_low, b_high]."""
        a, least = self.stiffness, None
        if not b_high < 0:
            slope, start = box.p_high + self.linear, b_low.max(arb(0))
            b = (slope / (2 * a)).max(start).min(b_high.max(start))
            least = (a * b - slope) * b
        if not b_low > 0:
            slope, start = box.p_low - self.linear, (-b_high).max(arb(0))
            b = (-slope / (2 * a)).max(start).min((-b_low).max(start))
            value = (a * b + slope) * b
            least = value if least is None else least.min(value)
        assert least is not None
        return least

    def require_positive_tail(self) -> None:
        """Assert that G > 0 for every ``P >= TAIL``, where ``largest_p`` is TAIL."""
        if self.largest_p < TAIL:
            return
        su, sigma = self.u_high.sqrt(), (self.u_high + self.w_high) / 2
        growth = 1 - sigma - own_loss(self.u_high, self.s_u) * (arb(TAIL + 1) / TAIL) ** 2
        slope = 3 * su + self.linear
        assert growth > 0
        assert slope / (2 * growth) < TAIL
        assert (growth * TAIL - slope) * TAIL - self.linear * su - own_loss(self.w_high, self.s_w) > 0
        assert su * (2 - sigma) / (1 - sigma) < TAIL

    @in_balls
    def bound(self, start: float) -> float:
        """The table's entry: a multiple of STEP, at least ``start`` (a guess that need not be true)."""
        self.require_positive_tail()
        entry, open_boxes = _rounded_up(max(start, 0.0)), self.boxes()
        while open_boxes:
            box = open_boxes.pop()
            least = self.least(box)
            if least is None:
                continue
            needed = -least / self.u_low
            if needed <= entry:
                continue
            parts = box.halves()
            if parts:
                open_boxes.extend(parts)
            else:
                entry = max(entry, _rounded_up(float_above(needed)))
        return entry

    @in_balls
    def proves(self, entry: float) -> bool:
        """Whether the boxes, halved as far as allowed, prove ``G >= -entry u w`` on the cell."""
        self.require_positive_tail()
        open_boxes = self.boxes()
        while open_boxes:
            box = open_boxes.pop()
            least = self.least(box)
            if least is None or -least / self.u_low <= entry:
                continue
            parts = box.halves()
            if not parts:
                return False
            open_boxes.extend(parts)
        return True


@in_balls
def dust_bound() -> float:
    """The entry for ``u, w <= DUST``: there y^2 <= (1 + e) x^2 + (1 + 1/e) p^2, and a square is completed in B."""
    small = arb(DUST)
    assert arcsine_ratio(small.sqrt()) - 1 <= arb("0.168") * small
    loss, share = arb("0.268"), arb("0.05")  # e_u <= 0.268 u, and e = 0.05
    h = -loss * small * (1 + 1 / share)
    stiff = 1 - small + h
    cubic = arb("0.17") * 27 / 256 * small**2 / (1 - small) ** 3  # (A(b) - b) / b^3 <= 0.17 for b <= 0.003
    from_linear = (1 - 2 * h) * PI / 32 * small / stiff + (PI / 16) ** 2 * small**2 / (4 * stiff)
    return _rounded_up(float_above((1 - 8 * h) / (4 * stiff) + from_linear + cubic + loss * (2 + share)))


def _rounded_up(value: float) -> float:
    steps = int(value / STEP)
    return (steps + (steps * STEP < value)) * STEP


def _moduli(low: float, high: float) -> tuple[float, float]:
    """Largest and smallest modulus in [low, high]."""
    most = max(abs(low), abs(high))
    return most, 0.0 if low <= 0 <= high else min(abs(low), abs(high))
