"""The constants of Theorem 5 as printed (Luck Matters, Eqns 41-54), for one instance and vanishing step size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import norms, paired_angles
from dynamics.measures.kernel_bounds import KernelBounds
from dynamics.two_layer.problem import TeacherStudent
from verify.mathematics.theorem4_constants import overlap_ratios

ROUNDS = 200
"""Fixed-point rounds: gamma needs C_r, which needs B_r and gamma; both only grow worse from round to round."""

SETTLED = 1e-12


@dataclass(frozen=True)
class Theorem5Constants:
    """What (41)-(54) come to. ``gamma_W``, ``gamma_V``: right-hand sides of (41), (42); ``gamma`` the smaller of them.

    ``rate = lambda_bar gamma``; ``drift`` the distance that (70) allows the r-set. Vacuous unless ``feasible > 0``.
    """

    K_d: float
    K_l: float
    eps_d: float
    eps_l: float
    B_d: float
    B_l: float
    gamma_W: float
    gamma_V: float
    lambda_bar: float
    drift: float

    @property
    def gamma(self) -> float:
        """The smaller of the two layers' γ."""
        return min(self.gamma_W, self.gamma_V)

    @property
    def feasible(self) -> float:
        """Positive where a gamma > 0 with lambda_bar > 0 exists; -inf where the drift of the r-set has no bound."""
        return min(self.gamma, self.lambda_bar)

    @property
    def rate(self) -> float:
        """λ̄ γ; NaN where the conditions cannot be met."""
        return self.lambda_bar * self.gamma if self.feasible > 0 else float("nan")


@dataclass(frozen=True)
class _Start:
    """Numbers read off the start: theta0, B_v, B_delta_v, eps and the overlaps d*0_jj, l*0_jj."""

    theta0: float
    B_v: float
    B_dv: float
    eps_d: float
    eps_l: float
    own_d: float
    own_l: float
    m: int
    r: int


def theorem5_printed_constants(problem: TeacherStudent) -> Theorem5Constants:
    """Eqns 41-54 for one instance, gamma read as the proof needs it (the largest one with gamma <= both sides).

    The definitions are circular (gamma in 48, C_r in 50-54): the least fixed point is taken, starting from no
    drift. K_d and K_l are the smallest constants of Assumption 2 on the caps that the constants themselves allow.
    B_v bounds ``||v*_j||`` and ``||v_k(0)||`` of the r-set, as the induction hypothesis needs. Assumes unit columns,
    isotropic or biased Gaussian input. Raises ValueError for an ensemble.
    """
    if problem.batch_shape:
        raise ValueError(f"problem: expected one instance, got an ensemble of shape {problem.batch_shape}")
    problem.require_unit_columns()
    centres = np.concatenate([problem.teacher_W, problem.student_W[:, problem.m :]], axis=-1)
    start = _read_start(problem, centres)
    drift = 0.0
    for _ in range(ROUNDS):
        caps = np.full(problem.n, start.theta0)
        caps[problem.m :] = 2 * np.arcsin(min(drift / 2, 1.0))
        bounds = problem.measure.kernel_bounds(centres, caps)
        constants = _constants(problem, start, bounds, caps, drift)
        if not constants.feasible > 0 or abs(constants.drift - drift) <= SETTLED * (1 + drift):
            return constants
        drift = constants.drift
    return constants


def _read_start(problem: TeacherStudent, centres: Array) -> _Start:
    m = problem.m
    eps_d, eps_l = overlap_ratios(centres, problem.measure)
    own_l, own_d = (np.diagonal(k) for k in problem.measure.kernels(problem.student_W, centres))
    fan_out = np.concatenate([problem.teacher_V, problem.student_V[m:]])
    errors = problem.student_V[:m] - problem.teacher_V
    return _Start(
        theta0=float(paired_angles(problem.student_W[:, :m], problem.teacher_W).max()),
        B_v=float(norms(fan_out.T).max()),
        B_dv=float(norms(errors.T).max()),
        eps_d=float(eps_d),
        eps_l=float(eps_l),
        own_d=float(own_d.min()),
        own_l=float(own_l.min()),
        m=m,
        r=problem.n - m,
    )


def _lipschitz(slope: Array, lowest: Array, caps: Array) -> float:
    """Assumption 2's K over all pairs of caps: largest slope over smallest value, per chord instead of per arc."""
    half = caps / 2
    chord = np.divide(half, np.sin(half), out=np.ones_like(half), where=half > 0)
    with np.errstate(divide="ignore"):
        return float((slope * chord / lowest).max())


def _kappa(problem: TeacherStudent, start: _Start, bounds: KernelBounds) -> float:
    """Eqn 46; where Lemma 4 fails (input with bias) the linear slope takes the place of its quadratic one."""
    if start.theta0 == 0:
        return 0.0
    own_low = np.diagonal(bounds.l_low)[: start.m]
    variance = problem.measure.spherical_variance
    if variance is not None:
        gap = variance / 2 - own_low.min()
        # Below 1e-4 the gap is lost in rounding, and C_0 is its limit 1/2 to that accuracy.
        C_0 = gap / own_low.min() / (2 * np.sin(start.theta0 / 2)) ** 2 if start.theta0 > 1e-4 else 0.5
        return float(2 * C_0 * np.sin(start.theta0 / 2) * (1 + start.B_dv))
    return float((np.diagonal(bounds.slope_l)[: start.m] / own_low).max() * (1 + start.B_dv))


def _constants(
    problem: TeacherStudent, start: _Start, bounds: KernelBounds, caps: Array, drift: float
) -> Theorem5Constants:
    K_d = _lipschitz(bounds.slope_d, bounds.d_low, caps)
    K_l = _lipschitz(bounds.slope_l, bounds.l_low, caps)
    if not np.isfinite(K_d + K_l):
        return Theorem5Constants(
            K_d, K_l, start.eps_d, start.eps_l, np.inf, np.inf, -np.inf, -np.inf, 0.0, np.inf
        )
    d_u, d_r, lowest_d = _spread(K_d, start, drift)
    l_u, l_r, lowest_l = _spread(K_l, start, drift)
    B_v, B_dv = start.B_v, start.B_dv
    gamma_W = (B_v - B_dv) * np.cos(start.theta0) - start.eps_d * (B_v + B_dv) * max(d_u, d_r)
    gamma_V = 1 - start.eps_l * max(l_u, l_r) - _kappa(problem, start, bounds)
    lambda_bar = min(lowest_d * start.own_d, lowest_l * start.own_l)
    gamma = min(gamma_W, gamma_V)
    moved = (
        start.eps_d * d_r * (B_v + B_dv) * B_v / (2 * lambda_bar * gamma)
        if gamma > 0 < lambda_bar
        else np.inf
    )
    return Theorem5Constants(
        K_d, K_l, start.eps_d, start.eps_l, max(d_u, d_r), max(l_u, l_r),
        float(gamma_W), float(gamma_V), float(lambda_bar), float(moved if start.r else 0.0),
    )  # fmt: skip


def _spread(K: float, start: _Start, drift: float) -> tuple[float, float, float]:
    """``(B_u, B_r, 1 - K max C)`` of Eqns 43-54 for one kernel; C_r = K times the drift of (70), as (48) has it."""
    m, r = start.m, start.r
    C_u, C_r = 2 * K * np.sin(start.theta0 / 2), K * drift
    cosine = np.cos(start.theta0 / 2)
    M_uu, M_ur = (1 + K) * (1 + C_u) ** 2 / cosine, (1 + K) * (1 + C_u) * (1 + C_r)
    M_ru, M_rr = M_ur / cosine, (1 + K) * (1 + C_r) ** 2
    B_u, B_r = (m - 1) * M_uu + r * M_ur, (m - 1) * M_ru + r * M_rr
    largest = max(C_u, C_r if r else 0.0)
    return float(B_u), float(B_r if r else 0.0), float(1 - K * largest)
