"""Theorem B: the basin of any teachers by an expansion about their Gram matrix, in ball arithmetic.

As in Theorem A'' the contraction is written as a quadratic form in ``Delta = W - W*`` and remainders, here about the
teachers' own angles (docs/theorems.md): the quadratic form is that of the Hessian less a share ``tau`` that completes
squares in the remainders. All bounds are on the ball ``||W - W*||_F <= R``, and fall with R.
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import arb, arb_mat

from dynamics.basins.balls import PI, lower, upper
from dynamics.basins.solution import Columns, dot, least_eigenvalue

SHARES = (0.05, 0.15, 0.3, 0.5, 0.75, 1.0)
"""Values of tau for which the quadratic form is bounded; any gives a valid rate, the best is taken."""


@dataclass(frozen=True)
class Quadratic:
    """The form Q of a share: ``t.Q.t >= least |t|^2``, ``2|t.Q.n| <= 2 mixed |t||n|``, ``n.Q.n >= -normal |n|^2``.

    t is a tangent step at the teachers, n one along them, ``-delta_j w*_j``.
    """

    share: float
    least: arb
    mixed: arb
    normal: arb


@dataclass(frozen=True)
class Expansion:
    """What the remainders need to know of the teachers, upper bounds, and the forms.

    ``norm``: the largest singular value of W*; ``overlap``: the largest ``|w*_j.w*_k|``; ``steepest``: of
    ``1/sin theta_jk``; ``row``: the largest root of a row's sum of squares of ``h = A(q) + q/sqrt(1 - q^2)``.
    """

    norm: arb
    overlap: arb
    steepest: arb
    row: arb
    forms: tuple[Quadratic, ...]

    def rate(self, R: arb) -> arb:
        """A lower bound of ``-R'/R`` for ``||W - W*||_F <= R``; -1 where none is known."""
        widest = upper(self.overlap + arb(2).sqrt() * R + R**2 / 2)
        if not (widest < 1 and R < 1.4):
            return arb(-1)
        left = 1 - widest**2
        bent = widest / left ** arb("1.5")  # of A'', A = arcsin
        bent_h = 2 / left.sqrt() + widest**2 / left ** arb("1.5")  # of (z A(z))''
        theta = 2 * (R / 2).asin()
        spread = (arb(2).sqrt() * self.norm + R / arb(2).sqrt()) ** 2
        lost = theta * (theta / 2).cos() ** 2 + PI / 2 * (theta / 2).sin() ** 2 + self.row * R / 2
        lost += bent * R / 2 * (spread * (arb(2).sqrt() + R) + self.norm**2)
        lost += bent_h * R**2 / 4 * (2 * spread + self.norm**2)
        best = arb(-1)
        for form in self.forms:
            kept = form.least * (1 - R**2 / 4) if form.least > 0 else form.least
            square = (arb(9) / 4 / arb(form.share) - 2).max(arb(0)) * self.steepest / 2 + PI / (
                32 * arb(form.share)
            )
            own = kept - form.mixed * R - form.normal * R**2 / 4 - square * R**2 - lost
            best = best.max(lower(own / (2 * PI)))
        return best


def expansion(teachers: Columns, angles: list[list[arb]]) -> Expansion:
    """The expansion about some teachers (m >= 2), exactly unit columns on different lines.

    Cost: O((m d)^3) in ball arithmetic for each share: a second at m d = 60.
    """
    m = len(teachers)
    pairs = [(j, k) for j in range(m) for k in range(m) if k != j]
    overlap = steepest = arb(0)
    rows = [arb(0)] * m
    for j, k in pairs:
        theta = angles[j][k]
        q, slope = theta.cos(), 1 / theta.sin()
        overlap, steepest = overlap.max(upper(abs(q))), steepest.max(upper(slope))
        rows[j] += (PI / 2 - theta + q * slope) ** 2
    gram = arb_mat([[dot(a, b) for b in teachers] for a in teachers])
    norm = upper((-least_eigenvalue(-gram)).sqrt())
    row = arb(0)
    for square in rows:
        row = row.max(upper(upper(square).sqrt()))
    forms = tuple(_quadratic(teachers, angles, share) for share in SHARES)
    return Expansion(norm, overlap, steepest, row, forms)


def _quadratic(teachers: Columns, angles: list[list[arb]], share: float) -> Quadratic:
    m, d = len(teachers), len(teachers[0])
    Q = _form(teachers, angles, arb(share))
    N = arb_mat(m * d, m)
    P = arb_mat(m * d, m * d)
    for j, w in enumerate(teachers):
        for a in range(d):
            N[j * d + a, j] = w[a]
            for b in range(d):
                P[j * d + a, j * d + b] = arb(a == b) - w[a] * w[b]
    PQ = P * Q
    across = PQ * N
    # Four on the normals: above every eigenvalue that could matter.
    least = least_eigenvalue(_symmetric(PQ * P + 4 * (N * N.transpose())))
    mixed = upper((-least_eigenvalue(-_symmetric(across.transpose() * across))).max(arb(0)).sqrt())
    normal = upper((-least_eigenvalue(_symmetric(N.transpose() * Q * N))).max(arb(0)))
    return Quadratic(share, least, mixed, normal)


def _form(teachers: Columns, angles: list[list[arb]], share: arb) -> arb_mat:
    """Q, (m d, m d), with ``a_jk = 1/sin theta_jk``.

    On the diagonal ``(pi/2)(2 - tau) - tau sum_k a_jk w_k w_k^T``, beside it
    ``[(1 - tau) pi/2 + A(q_jk)] + (1 - tau) a_jk w_k w_j^T``.
    """
    m, d = len(teachers), len(teachers[0])
    Q = arb_mat(m * d, m * d)
    for j in range(m):
        for a in range(d):
            Q[j * d + a, j * d + a] += PI / 2 * (2 - share)
        for k in range(m):
            if k == j:
                continue
            theta, v, w = angles[j][k], teachers[k], teachers[j]
            slope = 1 / theta.sin()
            even = (1 - share) * PI / 2 + PI / 2 - theta
            for a in range(d):
                Q[j * d + a, k * d + a] += even
                for b in range(d):
                    Q[j * d + a, j * d + b] -= share * slope * v[a] * v[b]
                    Q[j * d + a, k * d + b] += (1 - share) * slope * v[a] * w[b]
    return Q


def _symmetric(A: arb_mat) -> arb_mat:
    return (A + A.transpose()) / 2
