"""Theorem 5 as printed: both contractions of its induction hypothesis, and the sense of (41) and (42)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import mpmath as mp
import numpy as np
from hypothesis import strategies as st
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dynamics.flows import TwoLayerFlow
from dynamics.integrate import integrate
from dynamics.problems import TeacherStudent
from verify.comparison import deviation
from verify.luckmatters.two_layer_starts import TwoLayerStart, problem_of, single_pairs
from verify.overparameterised import theorem5_printed_constants
from verify.statement import (
    LUCK_MATTERS,
    Assumption,
    Budget,
    Context,
    Control,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
    Verdict,
)
from verify.two_layer_reference import DIGITS, TwoLayerReference, psi_d

Array = NDArray[np.float64]

RTOL, ATOL = 1e-12, 1e-16
HORIZON, TIMES = 10.0, 41
STEPS = 40
"""Runge-Kutta steps of a confirmation; it is repeated with half of them, and the difference counts as its error."""


def assumptions(start: TwoLayerStart) -> tuple[Assumption, ...]:
    """A gamma > 0 exists in the reading the proof needs, with lambda-bar > 0."""
    constants = theorem5_printed_constants(problem_of(start))
    return (
        Assumption("right-hand side of (41) > 0", constants.gamma_W),
        Assumption("right-hand side of (42) > 0", constants.gamma_V),
        Assumption("λ̄ = min(d̄, l̄) > 0", constants.lambda_bar),
    )


def path(problem: TeacherStudent) -> tuple[Array, Array]:
    """Times and the deviation ``y (T, 2m + r)`` along the flow."""
    times = np.linspace(0.0, HORIZON, TIMES)
    run = integrate(TwoLayerFlow(problem), (0.0, HORIZON), t_eval=times, rtol=RTOL, atol=ATOL)
    if not run.success:
        raise ArithmeticError(run.message)
    return times, deviation(problem, run.state["W"], run.state["V"])


def never_above_start(problem: TeacherStudent, part: slice) -> tuple[float, float, float]:
    """Largest value of the chosen deviations over time, their largest start, and when the first was reached."""
    times, y = path(problem)
    largest = y[:, part].max(axis=-1)
    worst = int(np.argmax(largest))
    return float(largest[worst]), float(largest[0]), float(times[worst])


def contraction(problem: TeacherStudent, part: slice) -> Evidence:
    """Evidence for ``largest <= start`` at all times, which the contraction implies for every gamma > 0."""
    measured, bound, when = never_above_start(problem, part)
    # A hundred local errors of the integrator, relative to sizes of the order of the fan-outs, and rounding.
    tolerance = 100 * RTOL * float(np.abs(problem.teacher_V).max()) + 1e-14
    return Evidence.at_most(measured, bound, tolerance, time=when)


def confirmed(problem: TeacherStudent, index: int, part: slice) -> Evidence:
    """The same comparison at the worst time, integrated again in 30 digits at two step sizes."""
    _, _, when = never_above_start(problem, part)
    with mp.workdps(DIGITS):
        reference = TwoLayerReference(problem)
        start = max(reference.distances(reference.W, reference.V)[index])
        fine = max(reference.distances(*reference.integrate(when, STEPS))[index])
        coarse = max(reference.distances(*reference.integrate(when, STEPS // 2))[index])
        error = abs(fine - coarse)
        return Evidence.at_most(float(fine), float(start), float(error), time=when)


def w_part(problem: TeacherStudent) -> slice:
    return slice(0, problem.m)


def v_part(problem: TeacherStudent) -> slice:
    return slice(problem.m, 2 * problem.m)


def w_contraction(start: TwoLayerStart, context: Context) -> Evidence:
    problem = problem_of(start)
    return contraction(problem, w_part(problem))


def v_contraction(start: TwoLayerStart, context: Context) -> Evidence:
    problem = problem_of(start)
    return contraction(problem, v_part(problem))


def confirm_w(start: TwoLayerStart) -> Evidence:
    problem = problem_of(start)
    return confirmed(problem, 0, w_part(problem))


def confirm_v(start: TwoLayerStart) -> Evidence:
    problem = problem_of(start)
    return confirmed(problem, 1, v_part(problem))


AT_THE_SOLUTION = TwoLayerStart(m=2, r=2, c=3, r_fan_out=0.7)
"""W_u = W*, V_u = V*, V_r not zero: fan-outs of order one, far outside the printed conditions."""

WITHOUT_IRRELEVANT = TwoLayerStart(m=1, r=0, c=2, theta0=0.2, v_error=0.2, seed=3)


def instances(budget: Budget) -> st.SearchStrategy[TwoLayerStart]:
    return single_pairs()


def figure(verdict: Verdict) -> Figure:
    """The solution left and found again: deviations over time from the start at W_u = W*, V_u = V*."""
    problem = problem_of(AT_THE_SOLUTION)
    times, y = path(problem)
    drawing = Figure(figsize=(6, 3.6), layout="constrained")
    axes = drawing.subplots()
    m = problem.m
    for part, name in ((y[:, :m], "max sin θ_j (printed bound: 0)"), (y[:, m : 2 * m], "max ‖δv_j‖ (printed bound: 0)"),
                       (y[:, 2 * m :], "max ‖v_k‖, r-set")):  # fmt: skip
        axes.plot(times, part.max(axis=-1), label=name)
    axes.set(xlabel="time", ylabel="deviation", title="Started at the solution with V_r ≠ 0")
    axes.legend()
    return drawing


BUDGETS = {"quick": 60, "full": 300, "deep": 1000}

W_CONTRACTION = Statement(
    key="luckmatters.theorem5.w_contraction",
    form=Form.PRINTED,
    title="Theorem 5: the relevant columns contract at once",
    claim="(41), (42) with γ > 0  ⇒  sin θ_j(t) ≤ (1 − ηd̄γ)^{t−1} sin θ₀ for j ∈ u",
    source=Source(LUCK_MATTERS, "Theorem 5, W_u-Contraction and Eqns 66-67"),
    expected=Outcome.REFUTED,
    instance_type=TwoLayerStart,
    instances=instances,
    assumptions=assumptions,
    evidence=w_contraction,
    confirm=confirm_w,
    controls=(
        Control(
            "started at the solution with V_r ≠ 0, W_u leaves it",
            lambda context: w_contraction(AT_THE_SOLUTION, context),
        ),
        Control(
            "without irrelevant nodes sin θ never rises",
            lambda context: w_contraction(WITHOUT_IRRELEVANT, context),
            must_hold=True,
        ),
    ),
    max_examples=BUDGETS,
    figure=figure,
    remark="Judged in its weakest form: sin θ_j never exceeds sin θ₀, whatever γ > 0 is. Started at W_u = W*, V_u = V* "
    "the bound is zero, but the irrelevant nodes push with d_jk v_jᵀv_k, which has no factor sin θ: the last sum of "
    "(66) is dropped in (67). For zero-bias isotropic input (41) and (42) can hold only for m = 1, n = 2 with fan-outs "
    "below about 0.01 (the bound 48 on the drift grows with their square).",
)

V_CONTRACTION = Statement(
    key="luckmatters.theorem5.v_contraction",
    form=Form.PRINTED,
    title="Theorem 5: the relevant fan-outs contract at once",
    claim="(41), (42) with γ > 0  ⇒  ‖δv_j(t)‖ ≤ (1 − ηl̄γ)^{t−1} B_δv for j ∈ u",
    source=Source(LUCK_MATTERS, "Theorem 5, V-Contraction and Eqns 57-61"),
    expected=Outcome.REFUTED,
    instance_type=TwoLayerStart,
    instances=instances,
    assumptions=assumptions,
    evidence=v_contraction,
    confirm=confirm_v,
    controls=(
        Control(
            "started at the solution with V_r ≠ 0, V_u leaves it",
            lambda context: v_contraction(AT_THE_SOLUTION, context),
        ),
        Control(
            "without irrelevant nodes, W_u at W*: ‖δv‖ never rises",
            lambda context: v_contraction(replace(WITHOUT_IRRELEVANT, theta0=0.0), context),
            must_hold=True,
        ),
    ),
    max_examples=BUDGETS,
    remark="Judged in its weakest form: ‖δv_j‖ never exceeds B_δv. The sums over the irrelevant fan-outs "
    "(bounded by B_v, not by B_δv) and over δw do not shrink with B_δv, so (61) does not follow from (42).",
)


@dataclass(frozen=True)
class FreeGamma:
    """One teacher, one student at angle ``theta0``, fan-out right; ``factor`` = gamma over the side of (41), (42)."""

    factor: float = 2.0
    theta0: float = 0.1
    fan_out: float = 1.0


def free_gamma(instance: FreeGamma, context: Context) -> Evidence:
    """Rate of sin theta at t = 0 against ``lambda_bar gamma``; equality holds at t = 0, so a slower start refutes."""
    problem = _alone(instance)
    constants = theorem5_printed_constants(problem)
    flow = TwoLayerFlow(problem)
    velocity = flow.unpack(flow(0.0, flow.initial_state()))["W"]
    sine = np.sin(instance.theta0)
    rate = float(np.cos(instance.theta0) * np.sum(problem.teacher_W * velocity) / sine**2)
    claimed = constants.lambda_bar * constants.gamma * instance.factor
    tolerance = 1e-12 * rate
    return Evidence(claimed, rate, rate - claimed + tolerance, tolerance)


def confirm_gamma(instance: FreeGamma) -> Evidence:
    """``-d/dt log sin theta = cos theta psi_d(w, w*) v.v*`` for one node, in 30 digits."""
    problem = _alone(instance)
    constants = theorem5_printed_constants(problem)
    with mp.workdps(DIGITS):
        reference = TwoLayerReference(problem)
        w, u, v = reference.W[0], reference.teacher_W[0], reference.teacher_V[0]
        rate = mp.fsum(x * y for x, y in zip(w, u, strict=True)) * psi_d(w, u) * mp.fsum(x * x for x in v)
        claimed = mp.mpf(constants.lambda_bar) * constants.gamma * instance.factor
        return Evidence(float(claimed), float(rate), float(rate - claimed))


def _alone(instance: FreeGamma) -> TeacherStudent:
    return problem_of(TwoLayerStart(r=0, theta0=instance.theta0, fan_out=instance.fan_out))


GAMMA = Statement(
    key="luckmatters.theorem5.gamma",
    form=Form.PRINTED,
    title="Theorem 5: γ may be any number above (41) and (42)",
    claim="γ ≥ right-hand sides of (41), (42) > 0  ⇒  decay at rate 1 − η λ̄ γ",
    source=Source(LUCK_MATTERS, "Theorem 5, Eqns 41-42"),
    expected=Outcome.REFUTED,
    instance_type=FreeGamma,
    instances=lambda budget: st.builds(
        FreeGamma,
        st.floats(1.0, 20.0).map(lambda x: round(x, 2)),
        st.floats(0.01, 0.3).map(lambda x: round(x, 3)),
        st.floats(0.1, 1.0).map(lambda x: round(x, 2)),
    ),
    assumptions=lambda instance: (
        Assumption(
            "right-hand sides of (41), (42) and λ̄ > 0", theorem5_printed_constants(_alone(instance)).feasible
        ),
    ),
    evidence=free_gamma,
    confirm=confirm_gamma,
    controls=(
        Control("twenty times the rate", lambda context: free_gamma(FreeGamma(20.0), context)),
        Control(
            "γ = half of the smaller right-hand side",
            lambda context: free_gamma(FreeGamma(0.5, 0.05), context),
            must_hold=True,
        ),
    ),
    max_examples=BUDGETS,
    remark="Printed γ ≥ …; the induction steps (61), (62), (67) need γ ≤ …. With ≥ any rate at all could be claimed. "
    "Even with γ ≤ (factor 1) the rate is wrong: (41) has one power of ‖v‖ where the flow, and (66), have two, so with "
    "fan-outs below one the true rate ∝ B_v² falls short of the claimed one ∝ B_v.",
)
