"""The comparison certificate of Theorem 5, proved again in ball arithmetic by code of its own.

``verify.mathematics.bounds.comparison`` finds a box, a vector p and a rate in floats. Here ``M p <= -rate p``,
``p >= y(0)`` and the box that closes are proved for the problem's floats, columns exactly normalised. Nothing of the
producer is used but its arrays; each bound is written out again (docs/theorems.md, "Theorem 5 by comparison").
"""

from __future__ import annotations

import math

from flint import arb, ctx

from dynamics.arrays import Array
from dynamics.two_layer.problem import TeacherStudent
from verify.certificates.cap_kernels import (
    BiasedCaps,
    Caps,
    PoleError,
    Vector,
    dot,
    minus,
    norm,
    unit,
    upper,
)

PRECISION = 80
"""Bits."""


class NotProvedError(Exception):
    """What of a comparison certificate is not confirmed."""


@ctx.workprec(PRECISION)
def proved_rate(problem: TeacherStudent, cap: Array, fan_out: Array, p: Array) -> float:
    """The rate at which every deviation of ``TwoLayerFlow(problem)`` provably falls: ``y(t) <= exp(-rate t) p``.

    y is ``(sin theta_j, ||v_j - v*_j||, ||v_k||)``. The numbers may come from anywhere; what they claim is proved.

    Args:
        problem: one instance; the columns are those of its floats, exactly normalised.
        cap: the box's angles about W* and W_r(0), (n,), radians.
        fan_out: its bounds of ``||v_j - v*_j||``, (m,).
        p: (2m + (n - m),).
    Returns:
        The largest rate that these numbers prove, rounded down.
    Raises:
        NotProvedError: they prove none.
    Cost: O(n^2) kernels in ball arithmetic; with a bias, quadratures of some milliseconds each.
    """
    m, n = problem.m, problem.n
    start = _Start(problem)
    r, b, bound = ([arb(float(x)) for x in array] for array in (cap, fan_out, p))
    if len(r) != n or len(b) != m or len(bound) != m + n:
        raise NotProvedError(f"sizes: expected {n}, {m}, {m + n}, got {len(r)}, {len(b)}, {len(bound)}")
    _need(all(x.is_finite() and x >= 0 for x in (*r, *b, *bound)), "a number is negative or not finite")
    _need(all(x < arb.pi() / 2 for x in r), "a cap reaches a right angle")
    _need(all(x > 0 for x in bound), "p is not positive")
    _need(all(dot(start.W[j], start.T[j]) > 0 for j in range(m)), "a student starts on the far side")
    _need(all(y <= x for y, x in zip(start.deviation(), bound, strict=True)), "the start is not below p")
    _need(
        start.biased or problem.measure.spherical_variance is not None,
        "the kernels of this input are not known",
    )
    kind = BiasedCaps if start.biased else Caps
    try:
        kernels = kind(start.centres, r, start.moment)
    except PoleError as error:
        raise NotProvedError(str(error)) from None
    M, drift = _system(start, kernels, r, b)
    excess = [-dot(row, bound) / x for row, x in zip(M, bound, strict=True)]
    rate = arb(min(x.lower() for x in excess))
    _need(rate > 0, "M p is not below a negative multiple of p")
    _need(all(x < 1 for x in bound[:m]), "sin theta is not bounded below one")
    _need(
        all(x.asin() <= y for x, y in zip(bound[:m], r[:m], strict=True)), "a cap of a relevant node is left"
    )
    _need(all(x <= y for x, y in zip(bound[m : 2 * m], b, strict=True)), "a ball of a fan-out is left")
    moved = [x * dot(row, bound) / (2 * rate) for x, row in zip(bound[2 * m :], drift, strict=True)]
    _need(all(x <= y for x, y in zip(moved, r[m:], strict=True)), "a cap of an irrelevant node is left")
    return math.nextafter(float(rate.lower()), -math.inf)


def _need(holds: bool, why: str) -> None:
    if not holds:
        raise NotProvedError(why)


class _Start:
    """The problem in balls: unit rows T, W, centres of the caps; fan-outs U of the teachers, V of the students."""

    def __init__(self, problem: TeacherStudent) -> None:
        self.m, self.n = problem.m, problem.n
        self.T, self.W = ([unit(row) for row in _rows(A.T)] for A in (problem.teacher_W, problem.student_W))
        self.U, self.V = _rows(problem.teacher_V), _rows(problem.student_V)
        self.centres = self.T + self.W[self.m :]
        variance = problem.measure.spherical_variance
        self.biased = problem.measure.biased_normal
        self.moment = arb(1) if variance is None else arb(float(variance))

    def deviation(self) -> Vector:
        m = self.m
        sines = [norm(minus(w, [dot(w, t) * x for x in t])) for w, t in zip(self.W[:m], self.T, strict=True)]
        moved = [norm(minus(v, u)) for v, u in zip(self.V[:m], self.U, strict=True)]
        return sines + moved + [norm(v) for v in self.V[m:]]


def _rows(A: Array) -> list[Vector]:
    return [[arb(float(x)) for x in row] for row in A]


def _system(start: _Start, kernels: Caps, r: Vector, b: Vector) -> tuple[list[Vector], list[Vector]]:
    """M with ``y' <= M y`` and the drift with ``||w_k'|| <= c_k (drift y)_k``, upper bounds on the box."""
    m, n, c = start.m, start.n, start.moment
    size = [upper(norm(u)) for u in start.U]
    K = [[kernels.kernel(j, k) for k in range(n)] for j in range(n)]
    arc = [x / x.sin() if x > 0 else arb(1) for x in r]

    def pull_apart(j: int, k: int) -> arb:  # |P(w_j)(w*_k d*_jk - w_k d_jk)| <= this times sin theta_k
        return c * (K[j][k].d / (r[k] / 2).cos() + K[j][k].slope_d * arc[k] * K[j][k].across)

    def reach(j: int, k: int) -> arb:  # |P(w_j) w_k d_jk|
        return c * K[j][k].d * K[j][k].across

    rows = []
    for j in range(m):
        a = [pull_apart(j, k) * (abs(dot(start.U[j], start.U[k])) + b[j] * size[k]) for k in range(m)]
        least = norm(start.U[j]) * (norm(start.U[j]) - b[j])  # of v_j.v*_j
        own = K[j][j].d_low * r[j].cos() if least > 0 else K[j][j].d
        a[j] = -c * own * least
        rows.append(a + [reach(j, k) * (size[j] + b[j]) if k != j else arb(0) for k in range(n)])
    for j in range(n):
        a = [K[j][k].slope_l * arc[k] * size[k] for k in range(m)]
        rows.append(a + [K[j][k].l if k != j else -kernels.own_l(j) for k in range(n)])
    drift = [
        [pull_apart(k, i) * size[i] for i in range(m)] + [reach(k, i) if i != k else arb(0) for i in range(n)]
        for k in range(m, n)
    ]
    return rows, drift
