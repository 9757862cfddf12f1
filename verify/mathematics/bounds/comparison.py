"""The comparison system of Theorem 5: a certificate that an over-parameterised student converges, with a rate.

Along the flow of W and V let ``a_j = sin theta_j``, ``b_j = ||v_j - v*_j||`` for the u-set and ``c_k = ||v_k||`` for
the r-set. While every column stays in its cap and every ``b_j`` in its ball, ``y = (a, b, c)`` obeys ``y' <= M y`` with
M Metzler (off-diagonal entries >= 0). If ``M p <= -rate p`` for some ``p >= y(0)``, then ``y(t) <= exp(-rate t) p``; if
that keeps the columns in their caps, the r-set's drift included, it holds for all times.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dynamics.arrays import Array
from dynamics.geometry.angles import paired_angles
from dynamics.measures.kernel_bounds import KernelBounds
from dynamics.two_layer.observables import sine_from_teacher
from dynamics.two_layer.problem import TeacherStudent

SHARES = (0.98, 0.9, 0.7, 0.5, 0.3, 0.1)
"""Rates tried, as shares of the largest that M allows: a lower rate has a smaller p and so needs a smaller box."""

ROUNDING_ROOM = 1e-12
"""Of a product of M, with up to some thousand entries a row, and p; and of the box: far above their rounding."""

SLACK = 0.02
"""The box is this much larger than what the certificate needs: the box enters M, which enters the certificate."""

ROUNDS = 60
"""Times the box is enlarged before the attempt is given up."""

WIDEST = 1.4
"""Largest cap (radians): beyond it cos theta no longer helps."""


def deviation(problem: TeacherStudent, W: Array, V: Array) -> Array:
    """``y = (sin theta_j, ||v_j - v*_j||, ||v_k||)``: ``(..., d, n), (..., n, c) -> (..., 2m + (n - m))``.

    Beyond a right angle, where the comparison says nothing, ``2 - sin theta_j``: y is small at the solution alone.
    """
    m = problem.m
    teacher = np.broadcast_to(problem.teacher_W, (*W.shape[:-1], m))
    parts = (
        sine_from_teacher(paired_angles(W[..., :m], teacher)),
        np.linalg.norm(V[..., :m, :] - problem.teacher_V, axis=-1),
        np.linalg.norm(V[..., m:, :], axis=-1),
    )
    return np.concatenate(parts, axis=-1)


@dataclass(frozen=True)
class Box:
    """Where the comparison is made: ``cap (..., n)`` angles about W* and W_r(0), ``fan_out (..., m)`` bounds on b."""

    cap: Array
    fan_out: Array


@dataclass(frozen=True)
class Comparison:
    """``M (..., N, N)`` with ``y' <= M y``, and ``drift (..., n - m, N)`` with ``||w_k'|| <= c_k (drift y)_k``."""

    M: Array
    drift: Array


def comparison(problem: TeacherStudent, box: Box) -> Comparison:
    """The comparison system of ``TwoLayerFlow(problem)`` on ``box``, from kernel bounds over its caps.

    Three triangle inequalities, one a kind of node; with ``Dp_jk = w*_k d*_jk - w_k d_jk``:
    ``a_j' <= -d*_jj v_j.v*_j cos t_j a_j + sum_u (||Dp_jk|| |v_j.v*_k| + d_jk ||v_j|| b_k) + sum_r d_jk ||v_j|| c_k``,
    ``b_j' <= -l_jj b_j + sum_u |l*_jk - l_jk| ||v*_k|| + sum_{k != j} l_jk b_k + sum_r l_jk c_k``, and c as b.
    Assumes unit columns and n >= m. Cost O(n^2 d) an instance. Source: Luck Matters, Eqns 56-66, with every term kept.
    """
    bounds = problem.measure.kernel_bounds(_centres(problem), box.cap)
    stretch_l, stretch_p = _stretches(bounds, box.cap, problem.m)
    length = np.linalg.norm(problem.teacher_V, axis=-1)
    reach = bounds.moment * bounds.d_high * bounds.across
    rows_a = _rows_a(problem, box, bounds, stretch_p, reach)
    rows_v = np.concatenate([stretch_l * length[..., None, :], _own_negative(bounds)], axis=-1)
    off_diagonal = reach * ~np.eye(problem.n, dtype=bool)
    moved = bounds.moment * stretch_p * length[..., None, :]
    drift = np.concatenate([moved, off_diagonal], axis=-1)[..., problem.m :, :]
    return Comparison(np.concatenate([rows_a, rows_v], axis=-2), drift)


def _centres(problem: TeacherStudent) -> Array:
    return np.concatenate([problem.teacher_W, problem.student_W[..., problem.m :]], axis=-1)


def _stretches(bounds: KernelBounds, cap: Array, m: int) -> tuple[Array, Array]:
    """Coefficients of a_k in ``|l*_jk - l_jk|`` and in ``||P_perp(w_j) Dp_jk||``, each ``(..., n, m)``."""
    radius = cap[..., None, :m]
    arc = np.divide(radius, np.sin(radius), out=np.ones_like(radius), where=radius > 0)
    moved = bounds.slope_d[..., :m] * arc * bounds.across[..., :m]
    return bounds.slope_l[..., :m] * arc, bounds.d_high[..., :m] / np.cos(radius / 2) + moved


def _rows_a(problem: TeacherStudent, box: Box, bounds: KernelBounds, stretch_p: Array, reach: Array) -> Array:
    m, V = problem.m, problem.teacher_V
    length = np.linalg.norm(V, axis=-1)
    longest = length + box.fan_out
    own = np.eye(m, dtype=bool)
    alignment = np.abs(V @ np.swapaxes(V, -1, -2)) + box.fan_out[..., :, None] * length[..., None, :]
    from_a = bounds.moment * stretch_p[..., :m, :] * alignment
    # v_j . v*_j may be negative in the widest boxes; then the own term pushes, at most with the largest overlap.
    least = length * (length - box.fan_out)
    overlap = np.diagonal(bounds.d_low, axis1=-2, axis2=-1)[..., :m] * np.cos(box.cap[..., :m])
    most = np.diagonal(bounds.d_high, axis1=-2, axis2=-1)[..., :m]
    pull = -bounds.moment * np.where(least >= 0, overlap, most) * least
    from_a = np.where(own, pull[..., :, None], from_a)
    from_v = reach[..., :m, :] * longest[..., :, None]
    from_v = from_v * ~np.eye(m, problem.n, dtype=bool)
    return np.concatenate([from_a, from_v], axis=-1)


def _own_negative(bounds: KernelBounds) -> Array:
    own = np.eye(bounds.l_high.shape[-1], dtype=bool)
    return np.where(own, -bounds.own_l_low[..., :, None], bounds.l_high)


def perron_root(M: Array) -> Array:
    """Largest real part of the eigenvalues of a Metzler matrix, which is an eigenvalue: ``(..., N, N) -> (...)``."""
    return np.asarray(np.linalg.eigvals(M).real.max(axis=-1))


def least_supersolution(M: Array, start: Array, rate: Array) -> Array:
    """Smallest ``p >= start`` with ``M p <= -rate p``, where ``rate`` is below minus the Perron root.

    Policy iteration: the components that couplings push above ``start`` are solved for together; the set of them only
    grows, so at most N + 1 solves are made. ``(..., N, N), (..., N), (...) -> (..., N)``.
    """
    eye = np.eye(M.shape[-1])
    shifted = M + rate[..., None, None] * eye
    pushed = np.zeros(start.shape, dtype=bool)
    p = start
    for _ in range(M.shape[-1] + 1):
        excess = (shifted @ p[..., None])[..., 0]
        larger = pushed | (excess > 0)
        if np.array_equal(larger, pushed):
            break
        pushed = larger
        system = np.where(pushed[..., :, None], shifted, eye)
        p = np.linalg.solve(system, np.where(pushed, 0.0, start)[..., None])[..., 0]
        p = np.where(pushed, np.maximum(p, start), start)  # the solve leaves other components an ulp off
    return p


def certified_rate(M: Array, p: Array) -> Array:
    """Largest rate with ``M p <= -rate p`` (Collatz-Wielandt quotient), rounded down: ``p > 0``.

    Holds whatever solver p came from; the room is for the rounding of one matrix-vector product.
    """
    size = (np.abs(M) @ p[..., None])[..., 0]
    quotient = -((M @ p[..., None])[..., 0] + ROUNDING_ROOM * size) / p
    return np.asarray(quotient.min(axis=-1))


@dataclass(frozen=True)
class Certificate:
    """``y(t) <= exp(-rate t) p`` for all t >= 0, where ``valid``; elsewhere the certificate is vacuous.

    ``rate (...)`` is NaN where vacuous; ``perron (...)`` the Perron root of the last M (positive: no rate exists);
    ``start, p (..., N)``; ``box`` the invariant box; ``comparison`` the system on it.
    """

    valid: NDArray[np.bool_]
    rate: Array
    perron: Array
    start: Array
    p: Array
    box: Box
    comparison: Comparison


def certify(problem: TeacherStudent) -> Certificate:
    """The comparison certificate of ``TwoLayerFlow(problem)`` from its start, with the best rate found.

    The box is grown from the start until it contains what the certificate on it promises: ``arcsin p_a`` for the
    u-set, ``p_b`` for the fan-outs, and for the r-set the drift ``p_c (drift p) / (2 rate)``, the integral of
    ``||w_k'|| <= exp(-2 rate t) p_c (drift p)``. By continuity the box is then never left. The largest of ``SHARES``
    of the Perron rate whose box closes is kept. Instances on leading axes.

    Vacuous where a relevant student starts beyond a right angle from its teacher.

    Assumes unit columns, n >= m, isotropic or biased Gaussian input. Cost: some tens of O(N^3) solves an instance.
    Source: the corrected form of Luck Matters, Theorem 5.
    """
    problem.require_unit_columns()
    problem.require_u_set()
    y0 = deviation(problem, problem.student_W, problem.student_V)
    # Beyond a right angle sin theta is that of the supplement, and the caps would be too small.
    acute = np.all(np.sum(problem.student_W[..., : problem.m] * problem.teacher_W, axis=-2) > 0, axis=-1)
    # p > 0 is needed for the quotient; a floor far below everything else costs nothing.
    start = y0 + 1e-12 * np.maximum(y0.max(axis=-1, keepdims=True), 1e-3)
    best: Certificate | None = None
    for share in SHARES:
        attempt = _attempt(problem, start, share)
        best = attempt if best is None else _better(best, attempt)
        if best.valid.all():
            break
    assert best is not None
    valid = best.valid & acute
    return replace(best, valid=valid, rate=np.where(valid, best.rate, np.nan))


def _attempt(problem: TeacherStudent, start: Array, share: float) -> Certificate:
    m = problem.m
    box = Box(
        np.concatenate([np.arcsin(np.minimum(start[..., :m], 1.0)), 0 * start[..., 2 * m :]], axis=-1),
        start[..., m : 2 * m],
    )
    for _ in range(ROUNDS):
        system = comparison(problem, box)
        finite = np.isfinite(system.M).all(axis=(-2, -1)) & np.isfinite(system.drift).all(axis=(-2, -1))
        M = np.where(np.expand_dims(finite, (-2, -1)), system.M, np.eye(start.shape[-1]))
        perron = perron_root(M)
        stable = np.asarray(finite & (perron < 0))
        safe = np.where(stable[..., None, None], M, -np.eye(start.shape[-1]))
        p = least_supersolution(safe, start, share * np.where(stable, -perron, 1.0))
        rate = certified_rate(safe, p)
        needed = _needed(system, p, rate, m)
        inside = (needed.cap <= box.cap).all(axis=-1) & (needed.fan_out <= box.fan_out).all(axis=-1)
        valid = np.asarray(stable & (rate > 0) & inside)
        hopeless = ~stable | ~(rate > 0) | (needed.cap > WIDEST).any(axis=-1)
        if np.all(valid | hopeless):
            break
        open_box = np.expand_dims(~(valid | hopeless), -1)
        box = Box(
            np.where(open_box, np.maximum(box.cap, (1 + SLACK) * np.minimum(needed.cap, WIDEST)), box.cap),
            np.where(open_box, np.maximum(box.fan_out, (1 + SLACK) * needed.fan_out), box.fan_out),
        )
    return Certificate(valid, np.where(valid, rate, np.nan), perron, start, p, box, system)


def _needed(system: Comparison, p: Array, rate: Array, m: int) -> Box:
    """The smallest box that holds what ``p`` and ``rate`` promise, rounded up."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        turned = np.where(p[..., :m] < 1, np.arcsin(np.minimum(p[..., :m], 1.0)), np.inf)
        speed = p[..., 2 * m :] * (system.drift @ p[..., None])[..., 0]
        drifted = speed / (2 * rate[..., None])
    drifted = np.where(np.isfinite(drifted) & (rate > 0)[..., None], drifted, np.inf)
    return Box(
        np.concatenate([turned, drifted], axis=-1) * (1 + ROUNDING_ROOM),
        p[..., m : 2 * m] * (1 + ROUNDING_ROOM),
    )


def _better(first: Certificate, second: Certificate) -> Certificate:
    """Instance by instance the valid certificate (or else the first)."""
    take = np.asarray(second.valid & ~first.valid)

    def choose(a: Array, b: Array, axes: int) -> Array:
        return np.where(take[(..., *[None] * axes)], b, a)

    return Certificate(
        np.asarray(first.valid | second.valid),
        choose(first.rate, second.rate, 0),
        choose(first.perron, second.perron, 0),
        first.start,
        choose(first.p, second.p, 1),
        Box(choose(first.box.cap, second.box.cap, 1), choose(first.box.fan_out, second.box.fan_out, 1)),
        Comparison(
            choose(first.comparison.M, second.comparison.M, 2),
            choose(first.comparison.drift, second.comparison.drift, 2),
        ),
    )
