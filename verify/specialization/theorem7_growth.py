"""After Theorem 7: symmetry breaking. A small advantage grows exponentially only where norms multiply the pull."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mpmath as mp
import numpy as np
from matplotlib.figure import Figure

from dynamics.ode.integrate import integrate
from verify.judging import FLOW, SEARCH, SPECIALIZATION, Context, Evidence, Item, Relation, Source, Verdict
from verify.mathematics.precise.runge_kutta import runge_kutta
from verify.mathematics.runs.rivals import AGREEMENT, FOUR, UNEVEN, Rivals
from verify.specialization import VERSION

GROWTH = Item(
    "specialization.theorem7.growth",
    Source(
        SPECIALIZATION,
        "paragraph on symmetry breaking",
        "words from the paper; its formulas are lost in the text at hand",
        version=VERSION,
        section="5.3",
    ),
)


def log_growth(rivals: Rivals, form: str, rate: float) -> Evidence:
    """``ln(||w_1|| / ||w_n||)`` gained by the end against ``rate boost t``."""
    sizes, ends = rivals.parts()[1], rivals.signed_norms(form, rivals.end)
    gained = float(np.log(np.abs(ends[0] / ends[-1])) - np.log(sizes[0] / sizes[-1]))
    details = {"w_n . w* at the end": float(ends[-1])}
    tolerance = AGREEMENT * (1 + rivals.time)
    return Evidence.close(gained, predicted=rate * rivals.time, tolerance=tolerance, **details)


def paths(verdict: Verdict) -> Figure:
    """Four students, the first with an advantage of 5 %: components along w* under both dynamics."""
    figure = Figure(figsize=(7.2, 3.0), layout="constrained")
    axes: Any = figure.subplots(1, 2)
    for axis, form in zip(axes, ("plain", "multiplicative"), strict=True):
        flow, times = FOUR.flow(form), np.linspace(0.0, 160.0, 161)
        W = integrate(flow, (0.0, 160.0), t_eval=times).state["W"]
        along = np.einsum("tdn,d->tn", W, FOUR.parts()[0])
        axis.plot(times, along[:, 0], label="student 1")
        axis.plot(times, along[:, 1], label="each other")
        axis.axhline(0, color="0.8", lw=0.8)
        axis.set(title="ẇ = r" if form == "plain" else "ẇ = ‖w‖ r", xlabel="time")
    axes[0].set_ylabel("w · w*")
    axes[0].legend(fontsize=8)
    return figure


GAINED: tuple[str, Relation, str] = ("ln(‖w₁‖/‖w_n‖) gained by time t", "=", "εt")


@GROWTH.claim(
    "reading",
    expected="refuted",
    on=Rivals,
    cost=FLOW.at_quick(15),
    figure=paths,
    note="words from the paper; read for the dynamics ẇ = r that the symmetric case before it has",
    compares=GAINED,
    telling=lambda rivals: rivals.n >= 3 and rivals.d >= 3 and rivals.boost <= 0.05 and rivals.time >= 4,
)
def under_the_plain_dynamics(
    rivals: Rivals, context: Context, *, form: str = "plain", rate: float = 1.0
) -> Evidence:
    """A small advantage grows exponentially, our reading under ẇ = r

    ẇ_k = r_k, r₁ = r + ε w*, r_k = r, students along w*:   ‖w₁‖/‖w_k‖ = e^{εt} · its start

    The paper's formulas are lost; another dynamics (theorem7.growth.corrected) has the growth. Under ẇ = r the
    difference w₁ − w_k grows linearly, by εt w*, and the losers do not fade: they cross zero and turn round (−0.99 w*
    at t = 160 for ε = .05, n = 4); in the end the ratio of norms tends to n − 1. Exponential growth needs a pull that a
    node multiplies by its own norm, as balanced fan-outs (Eqn 8) do.
    """
    return log_growth(rivals, form, rate)


def _multiplied(x: list[Any], a: list[Any], eps: Any, end: Any) -> Any:
    """``ln(x_1 / x_n)`` gained under ``x_k' = x_k r_k`` by Runge-Kutta on the logarithms."""

    def slope(time: Any, y: list[Any]) -> list[Any]:
        r = 1 - mp.fsum(p * mp.exp(q) for p, q in zip(a, y, strict=True))
        return [r + eps, *[r] * (len(y) - 1)]

    start = [mp.log(s) for s in x]
    y = runge_kutta(slope, mp.mpf(0), start, end / 400, 400)
    return (y[0] - y[-1]) - (start[0] - start[-1])


@under_the_plain_dynamics.confirmed_precisely(digits=30)
def in_closed_form(rivals: Rivals, *, form: str = "plain") -> Evidence:
    """The plain flow along w* in 30 digits: ``x_1 - x_n`` grows by ``boost t``, ``sum a x`` relaxes."""
    _, sizes, weights, _ = rivals.parts()
    tolerance = AGREEMENT * (1 + rivals.time)
    with mp.workdps(30):
        x, a = [mp.mpf(float(s)) for s in sizes], [mp.mpf(float(w)) for w in weights]
        eps, t, total = mp.mpf(rivals.boost), mp.mpf(rivals.end), mp.fsum(a)
        if form == "multiplicative":
            gained = _multiplied(x, a, eps, t)
            return Evidence.close(float(gained), predicted=rivals.time, tolerance=tolerance)
        # y = sum a x obeys y' = total (1 - y) + a_1 eps; x_n' = 1 - y.
        rest = 1 + a[0] * eps / total
        lag = mp.fsum(p * q for p, q in zip(a, x, strict=True)) - rest
        last = x[-1] + (1 - rest) * t - lag * (1 - mp.exp(-total * t)) / total
        first = last + (x[0] - x[-1]) + eps * t
        gained = mp.log(abs(first / last)) - mp.log(x[0] / x[-1])
        return Evidence.close(float(gained), predicted=rivals.time, tolerance=tolerance)


under_the_plain_dynamics.accepts("multiplicative ẇ = ‖w‖ r", FOUR, form="multiplicative")
under_the_plain_dynamics.rejects("plain, ε = .05, n = 4, t = 160", replace(FOUR, time=8.0))
under_the_plain_dynamics.rejects("1e-5 faster", FOUR, form="multiplicative", rate=1 + 1e-5)
under_the_plain_dynamics.errs(
    says=(
        "Section 5.3, symmetric case and symmetry breaking: one simplified dynamics is said to give negative feedback"
        " on the ratio of two students' norms and exponential growth of it after a small advantage (formulas lost)."
    ),
    true=(
        "No form that we could read has both. ẇ = r has the negative feedback; an advantage ε then grows linearly, the"
        " losers cross zero and turn round, and the ratio of norms tends to n − 1. ẇ = ‖w‖ r grows exactly like e^{εt}"
        " (54.6 at t = 80 for ε = 0.05) and has no feedback: ratios of norms stand still without an advantage."
    ),
    impact="substance",
    matters=(
        "Winners-take-all and the Lotka-Volterra picture rest on the exponential growth, hence on a pull that a node"
        " multiplies by its own norm, as balanced fan-outs (Eqn 8) do."
    ),
)


@GROWTH.claim(
    "corrected",
    expected="holds",
    on=Rivals,
    examples=(FOUR, replace(FOUR, time=8.0), UNEVEN),
    cost=SEARCH.at_quick(20),
    figure=paths,
    note="dynamics added",
    compares=GAINED,
)
def where_norms_multiply_the_pull(
    rivals: Rivals, context: Context, *, form: str = "multiplicative", rate: float = 1.0
) -> Evidence:
    """A small advantage grows exponentially where norms multiply the pull

    ẇ_k = ‖w_k‖ r_k, students along w*, ‖w*‖ = 1,  r₁ = r + ε w*:   ‖w₁‖/‖w_k‖ = e^{εt} · its start

    ε = .05: 54.6 at t = 80 and 2981 at t = 160, from equal starts. The common part of the pull drops out.
    """
    return log_growth(rivals, form, rate)


where_norms_multiply_the_pull.rejects("plain", FOUR, form="plain")
where_norms_multiply_the_pull.rejects("rate 0.1 % larger", FOUR, rate=1.001)
where_norms_multiply_the_pull.rejects("rate 1e-5 larger", FOUR, rate=1 + 1e-5)
