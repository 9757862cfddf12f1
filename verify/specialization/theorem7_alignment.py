"""After Theorem 7: "all students align with w*" in the symmetric case, its hidden condition, and what plain r does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
import mpmath as mp
import numpy as np
from scipy.linalg import null_space

from dynamics.arrays import Array
from dynamics.ode.integrate import integrate
from dynamics.two_layer.shared_residual_flow import SharedResidualFlow
from dynamics.two_layer.teachers import random_unit
from verify.judging import FLOW, SEARCH, SPECIALIZATION, Assumption, Budget, Context, Evidence, Item, Source
from verify.mathematics.precise.kernels import columns, dot
from verify.mathematics.precise.runge_kutta import runge_kutta

ALIGNMENT = Item(
    "specialization.theorem7.alignment",
    Source(SPECIALIZATION, "section 5.3, symmetric case after Theorem 7", "the printed formulas are lost"),
)

ALIGNED = 1e-6
"""1 - cos of a student that counts as aligned."""

DECAY_TIMES = 40.0
"""Length of a run in units of 1 / (slowest rate)."""

DIGITS, STEPS = 20, 800
"""Of the confirming integration: classical Runge-Kutta with steps of 1/20."""


@dataclass(frozen=True)
class Herd:
    """n students of unit norm in random directions after a unit target; their weights a_k add up to ``total``."""

    d: int = 2
    n: int = 2
    total: float = 2.0
    seed: int = 0

    def start(self) -> tuple[Array, Array, Array]:
        """Target (d,), columns (d, n) and weights (n,)."""
        rng = np.random.default_rng(self.seed)
        target, W = random_unit(self.d, 1, rng)[:, 0], random_unit(self.d, self.n, rng)
        share = rng.uniform(0.5, 1.5, self.n)
        return target, W, self.total * share / share.sum()

    def flow(self, form: Any) -> SharedResidualFlow:
        """The flow of the herd from its start, in one of the three forms."""
        target, W, weights = self.start()
        return SharedResidualFlow(target, W, weights, form=form)

    @property
    def time(self) -> float:
        """Long enough for the slowest of the rates ``||w*|| - sum a`` and ``||w*||``, and to leave a bad start."""
        return DECAY_TIMES / min(1.0, abs(1 - self.total)) + 20.0


LIGHT, HEAVY = Herd(d=6, n=4, total=0.5), Herd(d=6, n=4, total=2.0)


def herds(totals: list[float], fewest: int = 1) -> Callable[[Budget], st.SearchStrategy[Herd]]:
    """Strategy of herds with one of the given sums of weights."""

    def strategy(budget: Budget) -> st.SearchStrategy[Herd]:
        return st.builds(
            Herd,
            d=st.integers(2, 12 if budget.full else 6),
            n=st.integers(fewest, 10 if budget.full else 5),
            total=st.sampled_from(totals),
            seed=st.integers(0, 2**16),
        )

    return strategy


def generic(herd: Herd) -> tuple[Assumption, ...]:
    """No student opposite to the first pull (an unstable rest point), and the sum of weights not at its threshold."""
    target, W, weights = herd.start()
    pull = target - W @ weights
    cosine = (W.T @ pull) / np.linalg.norm(pull)
    return (
        Assumption("no student opposite to the pull", 0.999 + float(cosine.min())),
        Assumption("Σa off 1", abs(herd.total - 1) - 0.05),
    )


def two_or_more(herd: Herd) -> tuple[Assumption, ...]:
    """One student alone aligns always: its own term drops out of the projection."""
    apart = 1 - abs(float(herd.start()[1][:, 0] @ herd.start()[1][:, -1]))
    return (*generic(herd), Assumption("directions that differ", apart - 1e-3))


def lowest_cosine(lowest: float, **details: float) -> Evidence:
    """Evidence that students are aligned of which the worst has the cosine ``lowest`` to w*."""
    return Evidence(
        predicted=1.0,
        measured=lowest,
        margin=lowest - (1 - ALIGNED),
        tolerance=ALIGNED,
        details=details,
    )


def final_cosine(herd: Herd, form: str) -> Evidence:
    """Smallest cosine to w* at the end of a run of the flow in one of its forms."""
    run = integrate(herd.flow(form), (0.0, herd.time), t_eval=[herd.time], rtol=1e-8, atol=1e-12)
    lowest = float(run.observables["cosine"][-1].min())
    left = float(run.observables["residual_norm"][-1])
    return lowest_cosine(lowest, **{"‖r‖ at the end": left})


@ALIGNMENT.claim(
    "printed",
    expected="refuted",
    on=Herd,
    draw=herds([2.0, 1.5, 0.8, 0.5], fewest=2),
    assume=two_or_more,
    cost=FLOW.at_quick(15),
)
def all_align(herd: Herd, context: Context) -> Evidence:
    """All students align with the joint pull

    r_k = w* − Σ a_k w_k for all k,  ẇ_k = P⊥_{w_k} r_k:   w_k/‖w_k‖ → w*/‖w*‖

    Hidden condition: Σ a_k‖w_k‖ < ‖w*‖. Otherwise the students jointly reach r = 0 while they still point in different
    directions, and stop there: nothing pulls any more.
    """
    return final_cosine(herd, "projected")


@all_align.confirmed_by
def in_twenty_digits(herd: Herd) -> Evidence:
    """The projected flow again by Runge-Kutta, coordinates in mpmath."""
    target, W, weights = herd.start()
    with mp.workdps(DIGITS):
        goal = columns(target[:, None])[0]
        a = [mp.mpf(float(x)) for x in weights]

        def field(time: Any, nodes: list[Any]) -> list[Any]:
            r = goal.copy()
            for share, node in zip(a, nodes, strict=True):
                r -= share * node
            return [r - node * (dot(node, r) / dot(node, node)) for node in nodes]

        ends = runge_kutta(field, mp.mpf(0), columns(W), mp.mpf(1) / 20, STEPS)
        return lowest_cosine(_lowest(ends, goal))


def _lowest(nodes: list[Any], goal: Any) -> float:
    return float(min(dot(x, goal) / mp.sqrt(dot(x, x) * dot(goal, goal)) for x in nodes))


all_align.accepts("Σa = 0.5", LIGHT)
all_align.rejects("Σa = 2", HEAVY)


@ALIGNMENT.claim(
    "corrected",
    expected="holds",
    on=Herd,
    draw=herds([0.5, 0.1, 0.3, 0.7, 0.9]),
    assume=generic,
    examples=(LIGHT,),
    cost=SEARCH.at_quick(25),
    note="condition added",
)
def light_students_align(herd: Herd, context: Context, *, form: str = "projected") -> Evidence:
    """Light students align with the joint pull

    ẇ_k = P⊥_{w_k} (w* − Σ a_i w_i),  Σ a_k‖w_k‖ < ‖w*‖:   w_k/‖w_k‖ → w*/‖w*‖ from almost every start

    ‖r‖² falls and r cannot vanish, so every student ends along ±r; the minus sign is unstable. One student alone needs
    no condition.
    """
    return final_cosine(herd, form)


light_students_align.rejects("Σa = 2", HEAVY)
light_students_align.rejects("plain ẇ = r", LIGHT, form="plain")


@ALIGNMENT.claim(
    "sharp",
    expected="holds",
    on=Herd,
    draw=herds([0.5, 0.1, 0.9, 1.0, 1.5, 3.0]),
    examples=(LIGHT, HEAVY),
    cost=SEARCH,
    note="linearisation, not in the paper",
)
def rates_at_alignment(herd: Herd, context: Context, *, heavier: float = 1.0) -> Evidence:
    """The rates of alignment

    at w_k = w*/‖w*‖ the tangent rates are ‖w*‖ − Σa  (n−1 times) and ‖w*‖  (once), each d−1 fold

    Differences among students die at ‖w*‖ − Σa only, which turns negative at Σa = ‖w*‖: there alignment loses its
    stability. What all share decays at ‖w*‖.
    """
    target, _, weights = herd.start()
    aligned = np.repeat(target[:, None], herd.n, axis=1)
    flow = SharedResidualFlow(target, aligned, weights, form="projected")
    basis, h = null_space(target[None, :]), 1e-5
    tangents = [np.kron(basis[:, i], np.eye(herd.n)[k]) for i in range(herd.d - 1) for k in range(herd.n)]
    y = flow.initial_state()
    slopes = [(flow(0.0, y + h * t) - flow(0.0, y - h * t)) / (2 * h) for t in tangents]
    jacobian = np.array([[t @ slope for slope in slopes] for t in tangents])
    measured = np.sort(-np.linalg.eigvals(jacobian).real)
    slow, fast = 1 - heavier * herd.total, 1.0
    predicted = np.sort([fast] * (herd.d - 1) + [slow] * ((herd.n - 1) * (herd.d - 1)))
    at = int(np.argmax(np.abs(measured - predicted)))
    # h^2 of the difference and eps / h of its rounding; the eigenvectors of a rank-one change are well conditioned
    # while the weights are within a factor of 3 of one another.
    tolerance = 100 * (1 + herd.total) * (h**2 + np.finfo(float).eps / h)
    return Evidence.close(float(measured[at]), predicted=float(predicted[at]), tolerance=tolerance)


rates_at_alignment.rejects("Σa 0.1 % larger", LIGHT, heavier=1.001)


@ALIGNMENT.claim(
    "printed",
    part="plain",
    expected="refuted",
    on=Herd,
    draw=herds([0.5, 0.9, 2.0], fewest=2),
    assume=two_or_more,
    cost=FLOW.at_quick(15),
    note="read for ẇ = r; the printed formulas are lost",
)
def all_align_unprojected(herd: Herd, context: Context, *, form: str = "plain") -> Evidence:
    """All students align under the plain dynamics

    ẇ_k = r_k = w* − Σ a_i w_i:   w_k/‖w_k‖ → w*/‖w*‖

    All students move alike, so w₁ − w₂ never changes; how far they end from w* is settled at the start.
    """
    return final_cosine(herd, form)


@all_align_unprojected.confirmed_by
def in_closed_form(herd: Herd) -> Evidence:
    """The end of w' = r in 20 digits: every w_k moves by ``(w* - sum a w(0)) / sum a``."""
    target, W, weights = herd.start()
    with mp.workdps(DIGITS):
        goal, w = columns(target[:, None])[0], columns(W)
        a = [mp.mpf(float(x)) for x in weights]
        moved = goal.copy()
        for share, node in zip(a, w, strict=True):
            moved -= share * node
        return lowest_cosine(_lowest([node + moved / mp.fsum(a) for node in w], goal))


all_align_unprojected.accepts("projected, Σa = 0.5", LIGHT, form="projected")
all_align_unprojected.rejects("plain, Σa = 0.5", LIGHT)
