"""After Theorem 7: symmetry breaking. Exponential only where norms multiply the pull; then it is Lotka-Volterra."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import hypothesis.strategies as st
import mpmath as mp
import numpy as np
from matplotlib.figure import Figure

from dynamics.arrays import Array
from dynamics.ode.integrate import integrate
from dynamics.two_layer.lotka_volterra import LotkaVolterraFlow
from dynamics.two_layer.shared_residual_flow import SharedResidualFlow
from dynamics.two_layer.teachers import random_unit
from verify.judging import (
    SPECIALIZATION,
    Budget,
    Context,
    Control,
    Cost,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
    Verdict,
)

RTOL = 1e-11
"""Of the runs. The flows contract, so that the error stays some hundred times this."""

AGREEMENT = 1e-8


@dataclass(frozen=True)
class Rivals:
    """n students along w* (``||w*|| = 1``) with weights a = ``total / n`` and start norms from ``smallest`` to 1.

    The first gets ``r_1 = r + boost w*``, the others r. ``time`` is counted in units of 1 / boost.
    """

    d: int = 2
    n: int = 2
    total: float = 1.0
    boost: float = 0.05
    time: float = 4.0
    smallest: float = 1.0
    seed: int = 0

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

    def flow(self, form: Any) -> SharedResidualFlow:
        """The flow of the rivals along the teacher's direction, in one of the three forms."""
        target, sizes, weights, boost = self.parts()
        return SharedResidualFlow(target, target[:, None] * sizes, weights, boost, form=form)

    def signed_norms(self, form: str, time: float) -> Array:
        """``w_k . w*`` at a time, (n,); negative once a student has crossed zero."""
        run = integrate(self.flow(form), (0.0, time), t_eval=[time], rtol=RTOL, atol=1e-14)
        return np.asarray(self.parts()[0] @ run.state["W"][-1])


def log_growth(rivals: Rivals, context: Context, form: str = "multiplicative", rate: float = 1.0) -> Evidence:
    """``ln(||w_1|| / ||w_2||)`` gained by the end against ``boost t``."""
    sizes, ends = rivals.parts()[1], rivals.signed_norms(form, rivals.end)
    gained = float(np.log(np.abs(ends[0] / ends[-1])) - np.log(sizes[0] / sizes[-1]))
    details = {"w_n . w* at the end": float(ends[-1])}
    return Evidence.close(
        gained, predicted=rate * rivals.time, tolerance=AGREEMENT * (1 + rivals.time), **details
    )


def confirm_linear(rivals: Rivals) -> Evidence:
    """The plain flow along w* in closed form, 30 digits: ``x_1 - x_n`` grows by ``boost t``, ``sum a x`` relaxes."""
    _, sizes, weights, _ = rivals.parts()
    with mp.workdps(30):
        x, a = [mp.mpf(float(s)) for s in sizes], [mp.mpf(float(w)) for w in weights]
        eps, t, total = mp.mpf(rivals.boost), mp.mpf(rivals.end), mp.fsum(a)
        # y = sum a x obeys y' = total (1 - y) + a_1 eps; x_n' = 1 - y.
        rest = 1 + a[0] * eps / total
        lag = mp.fsum(p * q for p, q in zip(a, x, strict=True)) - rest
        last = x[-1] + (1 - rest) * t - lag * (1 - mp.exp(-total * t)) / total
        first = last + (x[0] - x[-1]) + eps * t
        gained = mp.log(abs(first / last)) - mp.log(x[0] / x[-1])
        return Evidence.close(float(gained), predicted=rivals.time, tolerance=AGREEMENT * (1 + rivals.time))


def feedback(rivals: Rivals, context: Context, form: str = "plain") -> Evidence:
    """Without a boost: the difference of log norms falls while students grow under a common pull.

    ``d/dt |ln(||w_1|| / ||w_n||)| < 0`` at the start, from the flow's own field.
    """
    target, sizes, weights, _ = rivals.parts()
    flow = SharedResidualFlow(target, target[:, None] * sizes, weights, form=form)  # type: ignore[arg-type]
    speed = target @ flow.unpack(flow(0.0, flow.initial_state()))["W"]
    drift = float(speed[0] / sizes[0] - speed[-1] / sizes[-1]) * float(np.sign(sizes[0] - sizes[-1]))
    pull = 1 - float(weights @ sizes)
    predicted = -pull * abs(1 / sizes[0] - 1 / sizes[-1])
    rounding = 1e-14 * (1 + 1 / sizes.min())
    return Evidence(
        predicted=predicted,
        measured=drift,
        margin=min(-drift, rounding - abs(drift - predicted)),
        tolerance=rounding,
    )


def lotka_volterra(rivals: Rivals, context: Context, form: str = "multiplicative") -> Evidence:
    """Norms early, halfway and at the end against the species of the competitive Lotka-Volterra system.

    Each time is the end of a run of its own: dense output is a digit or two behind the steps.
    """
    _, sizes, weights, boost = rivals.parts()
    species = LotkaVolterraFlow(1 + boost, np.broadcast_to(weights, (rivals.n, rivals.n)), sizes)
    gap = 0.0
    for time in (0.02 * rivals.end, 0.5 * rivals.end, rivals.end):
        run = integrate(species, (0.0, time), t_eval=[time], rtol=RTOL, atol=1e-14)
        x, norms = run.state["x"][-1], rivals.signed_norms(form, time)
        gap = max(gap, float(np.abs(x - norms).max()))
    bound = AGREEMENT * (1 + float(np.abs(x).max()))
    share = float(run.observables["share"][-1, 0])
    return Evidence(
        predicted=float(x[0]),
        measured=float(norms[0]),
        margin=bound - gap,
        tolerance=bound,
        details={"share of the first": share},
    )


def takes_all(rivals: Rivals, context: Context, form: str = "multiplicative") -> Evidence:
    """Share ``||w_1|| / sum ||w||`` of the boosted student at the end against its logistic value."""
    _, sizes, _, _ = rivals.parts()
    ends = np.abs(rivals.signed_norms(form, rivals.end))
    others = float(sizes[1:].sum() / sizes[0]) * float(np.exp(-rivals.time))
    return Evidence.close(float(ends[0] / ends.sum()), predicted=1 / (1 + others), tolerance=AGREEMENT * 10)


def growth_figure(verdict: Verdict) -> Figure:
    """Four students, the first with an advantage of 5 %: components along w* under both dynamics."""
    figure = Figure(figsize=(7.2, 3.0), layout="constrained")
    axes: Any = figure.subplots(1, 2)
    for axis, form in zip(axes, ("plain", "multiplicative"), strict=True):
        flow, times = _FOUR.flow(form), np.linspace(0.0, 160.0, 161)
        W = integrate(flow, (0.0, 160.0), t_eval=times).state["W"]
        along = np.einsum("tdn,d->tn", W, _FOUR.parts()[0])
        axis.plot(times, along[:, 0], label="student 1")
        axis.plot(times, along[:, 1], label="each other")
        axis.axhline(0, color="0.8", lw=0.8)
        axis.set(title="ẇ = r" if form == "plain" else "ẇ = ‖w‖ r", xlabel="time")
    axes[0].set_ylabel("w · w*")
    axes[0].legend(fontsize=8)
    return figure


def rivals(
    budget: Budget, least: float = 1.0, sizes: tuple[float, ...] = (1.0, 0.5)
) -> st.SearchStrategy[Rivals]:
    """Two to eight nodes with advantages of one to twenty per cent."""
    return st.builds(
        Rivals,
        d=st.integers(1, 8),
        n=st.integers(2, 8 if budget.full else 5),
        total=st.sampled_from([1.0, 0.5, 2.0]),
        boost=st.sampled_from([0.05, 0.2, 0.01]),
        time=st.floats(least, 8.0),
        smallest=st.sampled_from(sizes),
        seed=st.integers(0, 2**16),
    )


_SOURCE = Source(SPECIALIZATION, "section 5.3, symmetry breaking", "the printed formulas are lost")
_FOUR = Rivals(d=6, n=4)
_UNEVEN = Rivals(d=3, n=3, total=0.5, smallest=0.25)

PRINTED = Statement(
    key="specialization.theorem7.growth",
    form=Form.PRINTED,
    title="A small advantage grows exponentially under ẇ = r",
    claim="r₁ = r + ε w*, r_k = r:   ‖w₁‖/‖w_k‖ grows like e^{εt}",
    source=replace(_SOURCE, note="read for the dynamics ẇ = r that the section starts from"),
    expected=Outcome.REFUTED,
    instance_type=Rivals,
    instances=rivals,
    evidence=lambda instance, context: log_growth(instance, context, "plain"),
    figure=growth_figure,
    confirm=confirm_linear,
    controls=(
        Control("multiplicative ẇ = ‖w‖ r", lambda c: log_growth(_FOUR, c), must_hold=True),
        Control("plain, ε = .05, n = 4, t = 160", lambda c: log_growth(replace(_FOUR, time=8.0), c, "plain")),
    ),
    cost=Cost(15, 60, 200),
    remark="Under ẇ = r the difference w₁ − w_k grows linearly, by εt w*, and the losers do not fade: they cross zero "
    "and turn round (−0.99 w* at t = 160 for ε = .05, n = 4). Exponential growth needs a pull that a node multiplies "
    "by its own norm, as balanced fan-outs (Eqn 8) do.",
)

GROWTH = Statement(
    key="specialization.theorem7.growth",
    form=Form.CORRECTED,
    title="A small advantage grows exponentially where norms multiply the pull",
    claim="ẇ_k = ‖w_k‖ r_k, students along w*, ‖w*‖ = 1,  r₁ = r + ε w*:   ‖w₁‖/‖w_k‖ = e^{εt} · its start",
    source=replace(_SOURCE, note="dynamics added"),
    expected=Outcome.HOLDS,
    instance_type=Rivals,
    instances=rivals,
    evidence=log_growth,
    figure=growth_figure,
    controls=(
        Control("plain", lambda c: log_growth(_FOUR, c, "plain")),
        Control("rate 0.1 % larger", lambda c: log_growth(_FOUR, c, rate=1.001)),
    ),
    examples=(_FOUR, replace(_FOUR, time=8.0), _UNEVEN),
    cost=Cost(20, 100, 1000),
    remark="ε = .05: 54.6 at t = 80 and 2981 at t = 160, from equal starts. The common part of the pull drops out.",
)

FEEDBACK = Statement(
    key="specialization.theorem7.feedback",
    form=Form.CORRECTED,
    title="Negative feedback in the symmetric case, under ẇ = r only",
    claim="ẇ_k = r for all k, students along w*, Σ a_k‖w_k‖ < ‖w*‖:\n"
    "d ln(‖w₁‖/‖w₂‖)/dt = ‖r‖ (1/‖w₁‖ − 1/‖w₂‖) < 0 iff ‖w₁‖ > ‖w₂‖",
    source=Source(
        SPECIALIZATION, "section 5.3, symmetric case", "dynamics and condition added; formulas lost"
    ),
    expected=Outcome.HOLDS,
    instance_type=Rivals,
    instances=lambda budget: rivals(budget, sizes=(0.5, 0.1, 0.9)).map(
        lambda r: replace(r, total=min(r.total, 0.9))
    ),
    evidence=feedback,
    controls=(
        Control("multiplicative: ratios stand still", lambda c: feedback(_UNEVEN, c, "multiplicative")),
        Control("Σ a‖w‖ > ‖w*‖", lambda c: feedback(replace(_UNEVEN, total=3.0), c)),
    ),
    examples=(_UNEVEN,),
    cost=Cost(100, 500, 5000),
    remark="The paper claims this feedback and exponential symmetry breaking of one system. No single form has both: "
    "ẇ = r has the feedback and linear growth, ẇ = ‖w‖r exponential growth and no feedback.",
)

LOTKA_VOLTERRA = Statement(
    key="specialization.lotka_volterra",
    form=Form.CORRECTED,
    title="Students as species of a competitive Lotka-Volterra system",
    claim="ẇ_k = ‖w_k‖ r_k, students along w*:   x_k = ‖w_k‖ obeys ẋ_k = x_k ((1 + ε_k)‖w*‖ − Σ a_i x_i)",
    source=Source(
        SPECIALIZATION, "section 5.3, connection to Lotka-Volterra equations", "words only; formula derived"
    ),
    expected=Outcome.HOLDS,
    instance_type=Rivals,
    instances=rivals,
    evidence=lotka_volterra,
    controls=(Control("plain ẇ = r", lambda c: lotka_volterra(_FOUR, c, "plain")),),
    examples=(_FOUR, _UNEVEN),
    cost=Cost(8, 60, 500),
    remark="Exact for one resource and aligned students: the interaction matrix has equal rows, so the fittest "
    "excludes the rest. With several teachers the analogy ends, as the paper says: they do not replace one another.",
)

WINNERS = Statement(
    key="specialization.winners_take_all",
    form=Form.CORRECTED,
    title="The winner takes all",
    claim="ẇ_k = ‖w_k‖ r_k, students along w*, r₁ = r + ε w*:\n"
    "‖w₁‖ / Σ‖w_k‖ = 1/(1 + e^{−εt} Σ_{k>1} ‖w_k(0)‖/‖w₁(0)‖) → 1",
    source=Source(SPECIALIZATION, "section 5.3, winners-take-all", "words only; formula derived"),
    expected=Outcome.HOLDS,
    instance_type=Rivals,
    instances=rivals,
    evidence=takes_all,
    controls=(
        Control("plain ẇ = r", lambda c: takes_all(_UNEVEN, c, "plain")),
        Control("half the time", lambda c: _half_time(_UNEVEN, c)),
    ),
    examples=(_FOUR, replace(_UNEVEN, time=20.0)),
    cost=Cost(20, 100, 1000),
)


def _half_time(instance: Rivals, context: Context) -> Evidence:
    """Altered claim: the logistic value of twice the time."""
    early = takes_all(instance, context)
    late = takes_all(replace(instance, time=2 * instance.time), context)
    return Evidence.close(early.measured, predicted=late.predicted, tolerance=early.tolerance)
