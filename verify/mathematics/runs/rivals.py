"""Students along one teacher, the first with a small advantage: the instances of symmetry breaking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from dynamics.ode.events import Event
from dynamics.ode.integrate import integrate
from dynamics.ode.status import Status
from dynamics.two_layer.shared_residual_flow import SharedResidualFlow
from dynamics.two_layer.teachers import random_unit
from verify.judging import SEED, CannotJudgeError, Instance, drawn, integers, reals

RTOL, ATOL = 1e-11, 1e-14
"""Of the runs. The flows contract, so that their error stays some hundred times RTOL."""

RESOLVED = 1e-5
"""Smallest norm whose relative error is still a hundredth of AGREEMENT: ATOL over some 10^3 steps."""

MOST_STEPS = 5000
"""A run takes some hundred, whatever its length; where rounding keeps the steps small it would not end."""

AGREEMENT = 1e-8
"""Relative: far above the error of a run."""


@dataclass(frozen=True)
class Rivals(Instance):
    """n students along w* (``||w*|| = 1``) with weights a = ``total / n`` and start norms from ``smallest`` to 1.

    The first gets ``r_1 = r + boost w*``, the others r. ``time`` is counted in units of 1 / boost.
    """

    d: int = drawn(2, st.integers(1, 8), integers(1, 50))
    n: int = drawn(2, lambda budget: st.integers(2, 8 if budget.full else 5), integers(2, 50))
    total: float = drawn(1.0, st.sampled_from([1.0, 0.5, 2.0]), reals(0.0, 10.0, low_open=True))
    boost: float = drawn(0.05, st.sampled_from([0.05, 0.2, 0.01]), reals(0.0, 1.0, low_open=True))
    time: float = drawn(4.0, st.floats(1.0, 8.0), reals(0.0, 100.0))
    smallest: float = drawn(1.0, st.sampled_from((1.0, 0.5)), reals(0.0, 1.0, low_open=True))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    @property
    def end(self) -> float:
        """Time of the last comparison."""
        return self.time / self.boost

    def parts(self) -> tuple[Array, Array, Array, Array]:
        """Target (d,), norms (n,), weights (n,), boosts (n,)."""
        rng = np.random.default_rng(self.seed)
        sizes = np.linspace(self.smallest, 1.0, self.n)
        boost = self.boost * (np.arange(self.n) == 0)
        return random_unit(self.d, 1, rng)[:, 0], sizes, np.full(self.n, self.total / self.n), boost

    def flow(self, form: Any, *, boosted: bool = True) -> SharedResidualFlow:
        """The flow of the rivals along the teacher's direction, in one of the three forms."""
        target, sizes, weights, boost = self.parts()
        return SharedResidualFlow(target, target[:, None] * sizes, weights, boosted * boost, form=form)

    def signed_norms(self, form: str, time: float) -> Array:
        """``w_k . w*`` at a time, (n,); negative once a student has crossed zero.

        Raises :class:`CannotJudgeError` where a student that norms multiply has fallen into the integrator's noise
        (the exact one never crosses zero, but an error that does grows on the other side), or the run is too long.
        """
        flow, target = self.flow(form), self.parts()[0]

        def above_noise(t: float, y: Array) -> float:
            return float((target @ flow.unpack(y)["W"]).min()) - RESOLVED

        lost = Event("lost", above_noise, direction=-1, at_start=True)
        events = [lost] if form == "multiplicative" else []
        run = integrate(
            flow, (0.0, time), t_eval=[time], rtol=RTOL, atol=ATOL, events=events, max_steps=MOST_STEPS
        )
        if run.status is Status.STEP_LIMIT:
            raise CannotJudgeError(f"the run takes more than {MOST_STEPS} steps")
        if run.status is Status.EVENT:
            raise CannotJudgeError(f"a student has shrunk below {RESOLVED:g}, into the integrator's noise")
        return np.asarray(target @ run.state["W"][-1])


FOUR = Rivals(d=6, n=4)
"""Equal starts, an advantage of 5 %."""

UNEVEN = Rivals(d=3, n=3, total=0.5, smallest=0.25)
"""The one with the advantage starts smallest."""
