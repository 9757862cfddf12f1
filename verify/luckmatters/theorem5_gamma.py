"""The sense of (41) and (42) in Theorem 5: printed gamma >=, where the proof needs gamma <=."""

from __future__ import annotations

from dataclasses import dataclass

import mpmath as mp
import numpy as np
from hypothesis import strategies as st

from dynamics.two_layer.flows import TwoLayerFlow
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import SEARCH, Assumption, Context, Evidence, Instance, drawn, reals
from verify.luckmatters.theorem5 import THEOREM5
from verify.mathematics.bounds.overparameterised import theorem5_printed_constants
from verify.mathematics.families.two_layer_starts import TwoLayerStart, problem_of
from verify.mathematics.precise.two_layer_flow import DIGITS, TwoLayerReference, psi_d


@dataclass(frozen=True)
class FreeGamma(Instance):
    """One teacher, one student at angle ``theta0``, fan-out right; ``factor`` = gamma over the side of (41), (42)."""

    factor: float = drawn(2.0, st.floats(1.0, 20.0).map(lambda x: round(x, 2)), reals(0.0, low_open=True))
    theta0: float = drawn(
        0.1, st.floats(0.01, 0.3).map(lambda x: round(x, 3)), reals(0.0, np.pi / 2, low_open=True)
    )
    fan_out: float = drawn(1.0, st.floats(0.1, 1.0).map(lambda x: round(x, 2)), reals(0.0, low_open=True))

    def problem(self) -> TeacherStudent:
        """Teacher and student."""
        return problem_of(TwoLayerStart(r=0, theta0=self.theta0, fan_out=self.fan_out))


EQUAL = 1.0294962016474767
"""γ over the smaller side at which claimed and true rate are equal, for a student of unit fan-out 0.05 rad off."""


def both_sides_positive(instance: FreeGamma) -> tuple[Assumption, ...]:
    """(41) and (42) leave room for a gamma > 0."""
    feasible = theorem5_printed_constants(instance.problem()).feasible
    return (Assumption.above("right-hand sides of (41), (42) and λ̄", feasible, 0),)


@THEOREM5.claim(
    "printed",
    part="gamma",
    expected="refuted",
    on=FreeGamma,
    assume=both_sides_positive,
    cost=SEARCH,
    place="Theorem 5, Eqns 41-42",
    compares=("decay rate of sin θ at the start", "≥", "λ̄γ"),
    telling=lambda instance: instance.theta0 >= 0.05,
)
def any_larger_gamma_will_do(instance: FreeGamma, context: Context) -> Evidence:
    """Theorem 5: γ may be any number above (41) and (42)

    γ ≥ right-hand sides of (41), (42) > 0  ⇒  decay at rate 1 − η λ̄ γ

    Printed γ ≥ …; the induction steps (61), (62), (67) need γ ≤ …. With ≥ any rate at all could be claimed. Even with γ
    ≤ (factor 1) the rate is wrong: (41) has one power of ‖v‖ where the flow, and (66), have two, so with fan-outs below
    one the true rate ∝ B_v² falls short of the claimed one ∝ B_v.
    """
    # The bound holds with equality at t = 0, so a slower start refutes it.
    problem = instance.problem()
    constants = theorem5_printed_constants(problem)
    flow = TwoLayerFlow(problem)
    velocity = flow.unpack(flow(0.0, flow.initial_state()))["W"]
    sine = np.sin(instance.theta0)
    rate = float(np.cos(instance.theta0) * np.sum(problem.teacher_W * velocity) / sine**2)
    claimed = constants.lambda_bar * constants.gamma * instance.factor
    tolerance = 1e-12 * rate
    return Evidence(predicted=claimed, measured=rate, margin=rate - claimed + tolerance, tolerance=tolerance)


@any_larger_gamma_will_do.confirmed_precisely(digits=DIGITS)
def in_thirty_digits(instance: FreeGamma) -> Evidence:
    """``-d/dt log sin theta = cos theta psi_d(w, w*) v.v*`` for one node, in 30 digits."""
    problem = instance.problem()
    constants = theorem5_printed_constants(problem)
    with mp.workdps(DIGITS):
        reference = TwoLayerReference(problem)
        w, u, v = reference.W[0], reference.teacher_W[0], reference.teacher_V[0]
        rate = mp.fsum(x * y for x, y in zip(w, u, strict=True)) * psi_d(w, u) * mp.fsum(x * x for x in v)
        claimed = mp.mpf(constants.lambda_bar) * constants.gamma * instance.factor
        return Evidence(predicted=float(claimed), measured=float(rate), margin=float(rate - claimed))


any_larger_gamma_will_do.rejects("twenty times the rate", FreeGamma(20.0))
any_larger_gamma_will_do.rejects(
    "claimed rate above the true one by 1e-10", FreeGamma(EQUAL * (1 + 1e-10), 0.05)
)
any_larger_gamma_will_do.accepts(
    "claimed rate below the true one by 1e-10", FreeGamma(EQUAL * (1 - 1e-10), 0.05)
)
any_larger_gamma_will_do.excludes("a student 1.2 rad off", FreeGamma(1.0, 1.2), "right-hand sides")
any_larger_gamma_will_do.includes("a student 0.8 rad off", FreeGamma(1.0, 0.8))
any_larger_gamma_will_do.accepts("γ = half of the smaller right-hand side", FreeGamma(0.5, 0.05))

any_larger_gamma_will_do.errs(
    says="v4, appendix, (41), (42): γ ≥ the right-hand sides",
    true="the proof needs γ ≤; even then (41) lacks a power of ‖v‖: at ‖v‖ = 0.001 the claimed rate is 1.4e-4, "
    "the true one 4.4e-7",
    impact="constant",
    matters="the sign is a slip; the missing power makes the rate of Theorem 5 too large for small fan-outs",
)
