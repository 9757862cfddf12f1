"""Students after one target by the flow of a shared residual: the instances of alignment, and where they end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from dynamics.ode.integrate import integrate
from dynamics.two_layer.shared_residual_flow import SharedResidualFlow
from dynamics.two_layer.teachers import random_unit
from verify.judging import (
    SEED,
    Assumption,
    Budget,
    CannotJudgeError,
    Evidence,
    Instance,
    fixed,
    integers,
    reals,
)

ALIGNED = 1e-6
"""1 - cos of a student that counts as aligned."""

DECAY_TIMES = 40.0
"""Length of a run in units of 1 / (slowest rate)."""


@dataclass(frozen=True)
class Herd(Instance):
    """n students of unit norm in random directions after a unit target; their weights a_k add up to ``total``."""

    d: int = fixed(2, integers(2, 20))
    n: int = fixed(2, integers(1, 20))
    total: float = fixed(2.0, reals(0.0, 10.0))
    seed: int = fixed(0, SEED)

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
        Assumption.above("no student opposite to the pull: cosine", float(cosine.min()), -0.999),
        Assumption.above("|Σa − 1|", abs(herd.total - 1), 0.05),
    )


def two_or_more(herd: Herd) -> tuple[Assumption, ...]:
    """One student alone aligns always: its own term drops out of the projection."""
    apart = 1 - abs(float(herd.start()[1][:, 0] @ herd.start()[1][:, -1]))
    return (*generic(herd), Assumption.above("1 − |cosine| of the first and the last direction", apart, 1e-3))


def light(herd: Herd) -> tuple[Assumption, ...]:
    """Students that together cannot reach the target."""
    return (*generic(herd), Assumption.below("Σ a‖w‖ / ‖w*‖", herd.total, 1))


def lowest_cosine(lowest: float, *, tilt: float = 0.0, **details: float) -> Evidence:
    """Evidence that students are aligned of which the worst has the cosine ``lowest`` to w*, turned by ``tilt``."""
    if tilt:
        lowest = float(np.cos(np.arccos(np.clip(lowest, -1, 1)) + tilt))
    return Evidence(
        predicted=1.0,
        measured=lowest,
        margin=lowest - (1 - ALIGNED),
        tolerance=ALIGNED,
        details=details,
    )


def turns_at_most(target: Array, W: Array, weights: Array) -> float:
    """Bound on the angle that any student of the projected flow still turns, from (d, n) columns on; inf if unknown.

    ``d||r||/dt <= -L ||r||`` with L the smallest eigenvalue of ``sum a_k P_perp(w_k)``, which a turn by t lowers by at
    most ``t sum a``; a student of unit norm turns no faster than ``||r||``. If ``4 ||r|| sum a < L^2``, the turn is at
    most ``2 ||r|| / L``.
    """
    unit = W / np.linalg.norm(W, axis=0)
    rest = float(np.linalg.norm(target - W @ weights))
    slowest = float(np.linalg.eigvalsh(weights.sum() * np.eye(len(target)) - (unit * weights) @ unit.T)[0])
    return 2 * rest / slowest if slowest > 0 and 4 * rest * weights.sum() < slowest**2 else np.inf


def final_cosine(herd: Herd, form: str, tilt: float = 0.0) -> Evidence:
    """Smallest cosine to w* at the end of a run of the flow in one of its forms.

    Where the students do not end aligned, they must have stopped: the cosine is then that of the limit, at most.
    """
    flow = herd.flow(form)
    run = integrate(flow, (0.0, herd.time), t_eval=[herd.time], rtol=1e-8, atol=1e-12)
    lowest = float(run.observables["cosine"][-1].min())
    left = float(run.observables["residual_norm"][-1])
    details = {"‖r‖ at the end": left}
    if lowest < 1 - ALIGNED and form == "projected":
        more = turns_at_most(flow.target, run.state["W"][-1], flow.weights)
        if not np.isfinite(more):
            raise CannotJudgeError(f"the students still turn at t = {herd.time:.3g}")
        lowest = float(np.cos(max(np.arccos(lowest) - more, 0.0)))
        details["radians left to turn, at most"] = more
    return lowest_cosine(lowest, tilt=tilt, **details)
