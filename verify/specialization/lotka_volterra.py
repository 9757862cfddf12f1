"""Section 5.3: students along one teacher are species of a competitive Lotka-Volterra system."""

from __future__ import annotations

import numpy as np

from dynamics.ode.integrate import integrate
from dynamics.two_layer.lotka_volterra import LotkaVolterraFlow
from verify.judging import FLOW, SPECIALIZATION, Context, Evidence, Item, Source
from verify.mathematics.runs.rivals import AGREEMENT, ATOL, FOUR, RTOL, UNEVEN, Rivals
from verify.specialization import VERSION

LOTKA_VOLTERRA = Item(
    "specialization.lotka_volterra",
    Source(
        SPECIALIZATION,
        "paragraph on competitive Lotka-Volterra equations",
        "the paper has words only; the formula is ours",
        version=VERSION,
        section="5.3",
    ),
)


@LOTKA_VOLTERRA.claim(
    "reading",
    expected="holds",
    on=Rivals,
    examples=(FOUR, UNEVEN),
    cost=FLOW.at_quick(8),
    compares=("norms of the students", "=", "sizes of the species"),
)
def students_are_species(
    rivals: Rivals, context: Context, *, form: str = "multiplicative", later: float = 0.0
) -> Evidence:
    """Students as species of a competitive Lotka-Volterra system, our reading

    ẇ_k = ‖w_k‖ r_k, students along w*:   x_k = ‖w_k‖ obeys ẋ_k = x_k ((1 + ε_k)‖w*‖ − Σ a_i x_i)

    "Related to" in the paper; read as: the same equations. Exact for one resource and aligned students: the
    interaction matrix has equal rows, so the fittest excludes the rest. With several teachers the analogy ends, as
    the paper says: they do not replace one another.
    """
    _, sizes, weights, boost = rivals.parts()
    species = LotkaVolterraFlow(1 + boost, np.broadcast_to(weights, (rivals.n, rivals.n)), sizes)
    gap = 0.0
    # Each time is the end of a run of its own: dense output is a digit or two behind the steps.
    for time in (0.02 * rivals.end, 0.5 * rivals.end, rivals.end):
        norms = rivals.signed_norms(form, time * (1 + later))
        run = integrate(species, (0.0, time), t_eval=[time], rtol=RTOL, atol=ATOL)
        x = run.state["x"][-1]
        gap = max(gap, float(np.abs(x - norms).max()))
    tolerance = AGREEMENT * (1 + float(np.abs(x).max()))
    return Evidence(
        predicted=float(x[0]),
        measured=float(norms[0]),
        margin=tolerance - gap,
        tolerance=tolerance,
        details={"share of the first": float(run.observables["share"][-1, 0])},
    )


students_are_species.rejects("plain ẇ = r", FOUR, form="plain")
students_are_species.rejects("students 1e-5 of the time ahead", FOUR, later=1e-5)
