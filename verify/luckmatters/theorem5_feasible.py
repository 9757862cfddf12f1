"""Theorem 5, is there a γ: what small overlaps leave of the conditions (41), (42)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import hypothesis.strategies as st
import mpmath as mp

from verify.judging import Assumption, Context, Evidence, Instance, drawn, integers, reals
from verify.luckmatters.theorem5 import THEOREM5

SETTLED, ROUNDS = 1e-15, 400
"""The definitions are circular (γ in 48, C_r in 50-54): rounds of the fixed point, and when it counts as reached."""


@dataclass(frozen=True)
class SmallOverlaps(Instance):
    """The numbers that (41)-(54) are made of, without a network behind them.

    ``eps``, ``K``: of Assumptions 3 and 2, for d and l alike; m relevant and ``r`` irrelevant nodes; ``B_v``, ``B_dv``:
    bounds of the fan-outs and of their errors; ``C_0`` of Lemma 4; ``own``: smallest own overlap at the start;
    ``share``: gamma as a share of what no overlap at all would leave.
    """

    eps: float = drawn(0.01, st.sampled_from((0.01, 1e-3, 1e-4, 1e-6)), reals(0.0, 1.0))
    K: float = drawn(1.0, st.floats(0.1, 5.0).map(lambda x: round(x, 2)), reals(0.0, 1e3))
    m: int = drawn(2, st.integers(1, 20), integers(1, 1000))
    r: int = drawn(1, st.integers(1, 50), integers(0, 1000))
    theta0: float = drawn(0.01, st.floats(0.0, 0.2).map(lambda x: round(x, 3)), reals(0.0, math.pi / 2))
    B_v: float = drawn(1.0, st.floats(0.1, 2.0).map(lambda x: round(x, 2)), reals(1e-3, 1e3))
    B_dv: float = drawn(0.1, st.floats(0.0, 0.5).map(lambda x: round(x, 2)), reals(0.0, 1e3))
    C_0: float = drawn(0.5, st.floats(0.1, 2.0).map(lambda x: round(x, 2)), reals(0.0, 1e3))
    own: float = drawn(0.25, st.floats(0.05, 0.5).map(lambda x: round(x, 2)), reals(1e-3, 1.0))
    share: float = drawn(0.9, st.floats(0.1, 0.99).map(lambda x: round(x, 2)), reals(0.01, 0.99))

    @property
    def sine(self) -> float:
        """``2 sin(theta0 / 2)``."""
        return 2 * math.sin(self.theta0 / 2)

    @property
    def kappa(self) -> float:
        """Eqn 46."""
        return self.C_0 * self.sine * (1 + self.B_dv)

    @property
    def without_overlap(self) -> float:
        """The smaller right-hand side of (41), (42) at ε = 0."""
        return min((self.B_v - self.B_dv) * math.cos(self.theta0), 1 - self.kappa)


def neighbours(instance: SmallOverlaps, drift: float) -> float:
    """``max(B_u, B_r)`` of (47)-(54) for the drift ``C_r``."""
    K, m, r = instance.K, instance.m, instance.r
    C_u, cosine = K * instance.sine, math.cos(instance.theta0 / 2)
    M_uu, M_ur = (1 + K) * (1 + C_u) ** 2 / cosine, (1 + K) * (1 + C_u) * (1 + drift)
    M_ru, M_rr = M_ur / cosine, (1 + K) * (1 + drift) ** 2
    return max((m - 1) * M_uu + r * M_ur, (m - 1) * M_ru + r * M_rr if r else 0.0)


def sides(instance: SmallOverlaps, eps: float, drift: float) -> float:
    """The smaller right-hand side of (41), (42) at overlaps ``eps`` and the drift ``C_r``."""
    B, B_v, B_dv = neighbours(instance, drift), instance.B_v, instance.B_dv
    first = (B_v - B_dv) * math.cos(instance.theta0) - eps * (B_v + B_dv) * B
    return min(first, 1 - eps * B - instance.kappa)


@THEOREM5.claim(
    "reading",
    part="gamma.feasible",
    expected="refuted",
    on=SmallOverlaps,
    compares=("right-hand side of (42)", "≥", "1"),
    place="sentence after Eqn 54",
    section="8.6",
    note="our reading: γ ≤ the right-hand sides, which the induction needs; printed is ≥",
    telling=lambda instance: instance.m > 1 and instance.theta0 > 0,
)
def one_is_feasible(instance: SmallOverlaps, context: Context, *, largest: float = 1.0) -> Evidence:
    """Theorem 5: γ = 1 is feasible where overlaps are small

    ε_d, ε_l small  ⇒  γ = 1 satisfies (41), (42)

    The right-hand side of (42) is 1 − ε_l max(B_l,u, B_l,r) − κ: below one whenever two nodes overlap at all or a
    student is off its teacher, however small ε is. With the printed ≥ any large γ would do, and any rate could be
    claimed (``theorem5.gamma``). A smaller γ is feasible for small ε: the corrected form.
    """
    # Altered: gamma = ``largest``. Judged without drift, C_r = 0, where (42) is largest.
    side = 1 - instance.eps * neighbours(instance, 0.0) - instance.kappa
    return Evidence(predicted=largest, measured=side, margin=side - largest)


@one_is_feasible.confirmed_precisely(digits=30)
def side_in_thirty_digits(instance: SmallOverlaps, *, largest: float = 1.0) -> Evidence:
    """The right-hand side of (42) from (46)-(54), term by term, in 30 digits."""
    with mp.workdps(30):
        K, half = mp.mpf(instance.K), mp.mpf(instance.theta0) / 2
        C_u = 2 * K * mp.sin(half)
        relevant = (1 + K) * (1 + C_u) ** 2 / mp.cos(half)
        mixed, irrelevant = (1 + K) * (1 + C_u), 1 + K
        B_u = (instance.m - 1) * relevant + instance.r * mixed
        B_r = (instance.m - 1) * mixed / mp.cos(half) + instance.r * irrelevant if instance.r else mp.mpf(0)
        kappa = 2 * mp.mpf(instance.C_0) * mp.sin(half) * (1 + mp.mpf(instance.B_dv))
        side = 1 - mp.mpf(instance.eps) * max(B_u, B_r) - kappa
        return Evidence(predicted=largest, measured=float(side), margin=float(side - largest))


one_is_feasible.accepts("no overlap and no angle", SmallOverlaps(eps=0.0, theta0=0.0))
one_is_feasible.accepts("γ = ½ at ε = 1e-4", SmallOverlaps(eps=1e-4), largest=0.5)
one_is_feasible.rejects("ε = 1e-9", SmallOverlaps(eps=1e-9, theta0=0.0))

one_is_feasible.errs(
    says="v4, section 8.6, after (54): if ε_d and ε_l are small there is a feasible γ > 0 (e.g. γ = 1)",
    true="read with ≤, as the induction needs, γ = 1 is never feasible: the right-hand side of (42) is below one as"
    " soon as two nodes overlap or θ₀ > 0; any γ below min((B_v − B_δv) cos θ₀, 1 − κ) is feasible for small"
    " enough ε at"
    " fixed K_d, K_l",
    impact="constant",
    matters="that some γ > 0 exists for small ε is right; for isotropic input without bias ε_d is ½ at best",
)


def room_without_overlap(instance: SmallOverlaps) -> tuple[Assumption, ...]:
    """(41)-(44) leave room at ε = 0."""
    return (
        Assumption.above("min((B_v − B_δv) cos θ₀, 1 − κ)", instance.without_overlap, 1e-6),
        # So that λ̄ > 0 in (43), (44).
        Assumption.above("1 − K² 2 sin(θ₀/2)", 1 - instance.K**2 * instance.sine, 1e-6),
        Assumption.at_least("r", instance.r, 1),
    )


def small_enough(instance: SmallOverlaps, drift: float = 0.0) -> tuple[float, float, float]:
    """``(eps_0, gamma, lambda_bar)``: overlaps at which C_r stays within ``drift`` (0: C of the claim), γ feasible."""
    K, B_v, B_dv = instance.K, instance.B_v, instance.B_dv
    limit = 1 / K if K > 0 else math.inf
    drift = drift or min(1.0, (K * instance.sine + limit) / 2)
    gamma = instance.share * instance.without_overlap
    lambda_bar = (1 - K * max(K * instance.sine, drift)) * instance.own
    B = neighbours(instance, drift)
    slack = instance.without_overlap - gamma
    by_sides = slack / (B * max(B_v + B_dv, 1.0)) if B > 0 else 1.0
    by_drift = 2 * lambda_bar * gamma * drift / (K * B * (B_v + B_dv) * B_v) if K * B > 0 else 1.0
    return min(by_sides, by_drift, 1.0), gamma, lambda_bar


@THEOREM5.claim(
    "corrected",
    part="gamma.feasible",
    expected="holds",
    on=SmallOverlaps,
    assume=room_without_overlap,
    compares=("smaller right-hand side of (41), (42) at ε₀", "≥", "γ"),
    place="Eqns 41-54",
    section="8.6",
    note="γ read with ≤",
)
def some_gamma_is_feasible(
    instance: SmallOverlaps, context: Context, *, loose: float = 1.0, within: float = 0.0
) -> Evidence:
    """Theorem 5: some γ is feasible where overlaps are small

    γ < γ₀ = min((B_v − B_δv) cos θ₀, 1 − κ), K² 2 sin(θ₀/2) < 1, C = min(1, (K 2 sin(θ₀/2) + 1/K)/2),
      λ̄ = (1 − K max(K 2 sin(θ₀/2), C)) min_j d*⁰_jj, B = max(B_u, B_r) at C_r = C
    ε ≤ ε₀ = min{ (γ₀ − γ)/(B max(B_v + B_δv, 1)), 2 λ̄ γ C / (K B (B_v + B_δv) B_v), 1 }
    ⇒  γ satisfies (41), (42) with the C_r that (48) gives

    At fixed K_d = K_l = K, vanishing step size and r ≥ 1; ε is ε_d = ε_l. Judged at ε₀ itself, with C_r by iteration of
    (48). The example γ = 1 is not among them. K and ε belong to one network: where nodes overlap little because of a
    threshold, K grows as ε shrinks.
    """
    # Altered: overlaps ``loose`` times as large; another C, ``within``.
    eps, gamma, lambda_bar = small_enough(instance, within)
    eps, drift = loose * eps, 0.0
    for _ in range(ROUNDS):
        B = neighbours(instance, drift)
        factor = eps * instance.K * (instance.B_v + instance.B_dv) * instance.B_v
        moved = factor * B / (2 * lambda_bar * gamma)
        if not math.isfinite(moved) or moved > 1e6:
            return Evidence(predicted=gamma, measured=-math.inf, margin=-math.inf)
        settled = abs(moved - drift) <= SETTLED * (1 + drift)
        drift = moved
        if settled:
            break
    side = sides(instance, eps, drift)
    tolerance = 1e-14 * (1 + gamma)
    return Evidence(predicted=gamma, measured=side, margin=side - gamma + tolerance, tolerance=tolerance)


TIGHT = SmallOverlaps(K=0.1, m=2, r=1, theta0=0.0, share=0.9)
some_gamma_is_feasible.rejects("overlaps three times as large", TIGHT, loose=3.0)
# At C = 1/3 both conditions on ε₀ bind here, and γ is attained.
ATTAINED = SmallOverlaps(theta0=0.0)
some_gamma_is_feasible.accepts("attained at C = 1/3", ATTAINED, within=1 / 3)
some_gamma_is_feasible.rejects(
    "attained at C = 1/3, and ε larger by 5e-12", ATTAINED, within=1 / 3, loose=1 + 5e-12
)
some_gamma_is_feasible.excludes("fan-outs all wrong", SmallOverlaps(B_v=1.0, B_dv=1.0), "min((B_v")
some_gamma_is_feasible.includes("fan-outs nearly all wrong", SmallOverlaps(B_v=1.0, B_dv=0.99))
some_gamma_is_feasible.excludes("a steep kernel", SmallOverlaps(K=20.0, theta0=0.1), "1 − K² 2 sin(θ₀/2)")
some_gamma_is_feasible.includes("not so steep", SmallOverlaps(K=3.0, theta0=0.1))
some_gamma_is_feasible.excludes("no irrelevant node", SmallOverlaps(r=0), "r ≥")
