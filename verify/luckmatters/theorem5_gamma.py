"""The sense of (41) and (42) in Theorem 5: printed gamma >=, where the proof needs gamma <=."""

from __future__ import annotations

from dataclasses import dataclass

import mpmath as mp
import numpy as np
from hypothesis import strategies as st

from dynamics.two_layer.flows import TwoLayerFlow
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import (
    LUCK_MATTERS,
    Assumption,
    Context,
    Control,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
)
from verify.luckmatters.theorem5_printed import BUDGETS
from verify.mathematics.bounds.overparameterised import theorem5_printed_constants
from verify.mathematics.families.two_layer_starts import TwoLayerStart, problem_of
from verify.mathematics.precise.two_layer_flow import DIGITS, TwoLayerReference, psi_d


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
    return Evidence(predicted=claimed, measured=rate, margin=rate - claimed + tolerance, tolerance=tolerance)


def confirm_gamma(instance: FreeGamma) -> Evidence:
    """``-d/dt log sin theta = cos theta psi_d(w, w*) v.v*`` for one node, in 30 digits."""
    problem = _alone(instance)
    constants = theorem5_printed_constants(problem)
    with mp.workdps(DIGITS):
        reference = TwoLayerReference(problem)
        w, u, v = reference.W[0], reference.teacher_W[0], reference.teacher_V[0]
        rate = mp.fsum(x * y for x, y in zip(w, u, strict=True)) * psi_d(w, u) * mp.fsum(x * x for x in v)
        claimed = mp.mpf(constants.lambda_bar) * constants.gamma * instance.factor
        return Evidence(predicted=float(claimed), measured=float(rate), margin=float(rate - claimed))


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
    cost=BUDGETS,
    remark="Printed γ ≥ …; the induction steps (61), (62), (67) need γ ≤ …. With ≥ any rate at all could be claimed. "
    "Even with γ ≤ (factor 1) the rate is wrong: (41) has one power of ‖v‖ where the flow, and (66), have two, so with "
    "fan-outs below one the true rate ∝ B_v² falls short of the claimed one ∝ B_v.",
)
