"""Lemma 5: one step of the top layer. Printed: V contracts alone; corrected: as rows of the comparison system."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import mpmath as mp
import numpy as np
from hypothesis import strategies as st

from dynamics.arrays import Array
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import (
    LUCK_MATTERS,
    Assumption,
    Budget,
    Context,
    Control,
    Cost,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
)
from verify.mathematics.bounds.comparison import Comparison, comparison, deviation
from verify.mathematics.bounds.overparameterised import theorem5_printed_constants
from verify.mathematics.families.box_states import (
    BoxInstance,
    box_of,
    centres_of,
    descent_step,
    instances,
    states_in,
)
from verify.mathematics.families.two_layer_starts import (
    TwoLayerStart,
    printed_conditions,
    problem_of,
    single_pairs,
)
from verify.mathematics.precise.two_layer_flow import DIGITS, TwoLayerReference

ETA = 0.01
ROUNDING = 1e-14
"""Of one step on numbers of order one: a few dozen rounding errors, also of the square roots in the norms."""

CHEAP = Cost(100, 1000, 10_000)


def starts(budget: Budget) -> st.SearchStrategy[TwoLayerStart]:
    """Where (41) and (42) can be met at all."""
    return single_pairs()


def fan_out_step(start: TwoLayerStart, exponent: int = 0) -> Evidence:
    """``max ||delta v_j||`` after a step against ``(1 - eta l-bar gamma)^exponent B_dv``; exponent 0 is the weakest."""
    problem = problem_of(start)
    before = deviation(problem, problem.student_W, problem.student_V)
    after = deviation(problem, *descent_step(problem, ETA))
    part = slice(problem.m, 2 * problem.m)
    constants = theorem5_printed_constants(problem)
    factor = (1 - ETA * constants.lambda_bar * constants.gamma) ** exponent if exponent else 1.0
    return Evidence.at_most(
        float(after[part].max()), bound=factor * float(before[part].max()), tolerance=ROUNDING * start.fan_out
    )


def printed(start: TwoLayerStart, context: Context) -> Evidence:
    """Lemma 5's step at the start."""
    return fan_out_step(start)


def confirm(start: TwoLayerStart) -> Evidence:
    """The same step in 30 digits."""
    with mp.workdps(DIGITS):
        reference = TwoLayerReference(problem_of(start))
        W, V = reference.W, reference.V
        _, dV = reference.field(W, V)
        before = max(reference.distances(W, V)[1])
        after = max(reference.distances(W, [v + ETA * g for v, g in zip(V, dV, strict=True)])[1])
        return Evidence.at_most(float(after), bound=float(before), tolerance=0.0)


ALONE = TwoLayerStart(r=0, c=2, v_error=0.02)

PRINTED = Statement(
    key="luckmatters.lemma5",
    form=Form.PRINTED,
    title="Lemma 5: the top layer contracts in one step",
    claim="W-Separation at t  ⇒  ‖δv_j‖ ≤ (1 − ηl̄γ)^t B_δv at t + 1 for j ∈ u",
    source=Source(LUCK_MATTERS, "Lemma 5, Eqns 56-62"),
    expected=Outcome.REFUTED,
    instance_type=TwoLayerStart,
    instances=starts,
    assumptions=printed_conditions,
    evidence=printed,
    confirm=confirm,
    controls=(
        Control(
            "at the solution with V_r ≠ 0 the step leads away",
            lambda context: printed(TwoLayerStart(c=2, r_fan_out=0.5), context),
        ),
        Control(
            "(61) as printed, exponent t + 1 from exponent t − 1, for a student alone at W = W*",
            lambda context: fan_out_step(ALONE, exponent=2),
        ),
        Control(
            "the weakest form for a student alone at W = W*",
            lambda context: printed(ALONE, context),
            must_hold=True,
        ),
    ),
    cost=CHEAP,
    remark="Judged in its weakest form (no growth beyond B_δv). (57) and (58) drop the δw part of Δq, (61) bounds "
    "‖v_k‖ of the r-set by B_δv. The exponents are off by one: the hypothesis has t − 1 at t, (61) and (62) conclude "
    "t + 1 at t + 1, two factors for one step, which fails even for a single student with W = W*.",
)


def comparison_margin(states: TeacherStudent, M: Array, eta: float, rows: slice) -> tuple[float, float]:
    """Smallest margin of ``y(t+1) <= (I + eta M) y(t)`` on ``rows`` over all states, and largest ratio of the two."""
    before = deviation(states, states.student_W, states.student_V)
    after = deviation(states, *descent_step(states, eta))[..., rows]
    bound = (before + eta * (M @ before[..., None])[..., 0])[..., rows]
    ratio = np.divide(after, bound, out=np.zeros_like(after), where=bound > ROUNDING)
    return float((bound - after).min(initial=np.inf)), float(ratio.max(initial=0.0))


@lru_cache(maxsize=8)
def system_of(instance: BoxInstance) -> Comparison:
    """The comparison system on the instance's box; not to be written to."""
    return comparison(centres_of(instance), box_of(instance))


def small_step(instance: BoxInstance) -> tuple[Assumption, ...]:
    """The step is so small that no own term overshoots."""
    M = system_of(instance).M
    if not np.all(np.isfinite(M)):
        return (Assumption("caps without the pole of the bias axis", -1.0),)
    return (Assumption("η max |M_ii| < 1", 1 - instance.eta * float(np.abs(np.diagonal(M)).max())),)


def v_rows(instance: BoxInstance) -> slice:
    """The rows of the comparison system that belong to fan-outs."""
    return slice(instance.m, 2 * instance.m + instance.r)


def corrected(instance: BoxInstance, context: Context) -> Evidence:
    """The fan-outs' rows of ``y' <= M y`` at random states of the box; ``measured`` is the largest ratio."""
    M = system_of(instance).M
    margin, ratio = comparison_margin(states_in(instance), M, instance.eta, v_rows(instance))
    return Evidence(predicted=1.0, measured=ratio, margin=margin + ROUNDING, tolerance=ROUNDING)


def _without_irrelevant(context: Context) -> Evidence:
    instance = replace(EXAMPLE, cap=0.001, fan_out_cap=0.001)
    M = system_of(instance).M.copy()
    M[instance.m : 2 * instance.m, 2 * instance.m :] = 0.0
    margin, ratio = comparison_margin(states_in(instance), M, instance.eta, v_rows(instance))
    return Evidence(predicted=1.0, measured=ratio, margin=margin + ROUNDING, tolerance=ROUNDING)


EXAMPLE = BoxInstance(m=3, r=2, c=4)

CORRECTED = Statement(
    key="luckmatters.lemma5",
    form=Form.CORRECTED,
    title="Lemma 5: the fan-outs' rows of the comparison system",
    claim="(b, c)(t + 1) ≤ rows b, c of (I + ηM) y(t) on the box;\n"
    "so y(t) ≤ (1 − ηλ)^t p  ⇒  (b, c)(t + 1) ≤ (1 − ηλ)^{t+1} (p_b, p_c)",
    source=Source(LUCK_MATTERS, "Lemma 5", "all terms of Eqn 56 kept"),
    expected=Outcome.HOLDS,
    instance_type=BoxInstance,
    instances=instances,
    assumptions=small_step,
    evidence=corrected,
    examples=(EXAMPLE, replace(EXAMPLE, threshold=2.0)),
    controls=(Control("without the irrelevant fan-outs in the rows of δv", _without_irrelevant),),
    cost=CHEAP,
    remark="Holds for every step with η l_jj ≤ 1, at every state of the box, whether or not M has a rate.",
)
