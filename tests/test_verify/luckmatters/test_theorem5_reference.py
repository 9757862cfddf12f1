"""What Theorem 5's verdicts rest on: the high-precision flow, the states drawn in a box, single slips shown."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from luckproof import Context, TwoLayerFlow, paired_angles, spectral_rate
from verify.luckmatters.theorem5_contractions import AT_THE_SOLUTION
from verify.luckmatters.theorem5_gamma import FreeGamma, any_larger_gamma_will_do, in_thirty_digits
from verify.luckmatters.theorem5_sharp import modes_of
from verify.mathematics.families.box_states import BoxInstance, box_of, centres_of, descent_step, states_in
from verify.mathematics.families.two_layer_starts import TwoLayerStart, problem_of
from verify.mathematics.precise.two_layer_flow import DIGITS, TwoLayerReference
from verify.mathematics.runs.deviation_path import deviation_path
from verify.mathematics.runs.overparameterised_runs import OverparameterisedRun
from verify.mathematics.runs.overparameterised_runs import problem_of as run_problem

pytestmark = pytest.mark.statement("luckmatters.theorem5", "luckmatters.lemma5", "luckmatters.lemma6")


def test_reference_field_is_the_flows_field() -> None:
    """Two implementations that share nothing agree to rounding, far from and at the solution."""
    for start in (AT_THE_SOLUTION, TwoLayerStart(m=2, r=1, c=2, theta0=0.7, v_error=0.5, alpha=2.2, seed=5)):
        problem = problem_of(start)
        flow = TwoLayerFlow(problem)
        velocity = flow.unpack(flow(0.0, flow.initial_state()))
        with mp.workdps(DIGITS):
            reference = TwoLayerReference(problem)
            dW, dV = reference.field(reference.W, reference.V)
        as_array = [np.array([[float(x) for x in vector] for vector in part]) for part in (dW, dV)]
        np.testing.assert_allclose(velocity["W"].T, as_array[0], atol=1e-15)
        np.testing.assert_allclose(velocity["V"], as_array[1], atol=1e-15)


def test_reference_integrator_is_of_order_four() -> None:
    """Halving the step divides the error by 16."""
    problem = problem_of(TwoLayerStart(theta0=0.3, v_error=0.3))
    with mp.workdps(DIGITS):
        reference = TwoLayerReference(problem)
        ends = [reference.distances(*reference.integrate(2.0, steps))[0][0] for steps in (5, 10, 20)]
        ratio = float((ends[0] - ends[1]) / (ends[1] - ends[2]))
    assert 12 < ratio < 22


def test_irrelevant_nodes_push_a_solved_student_off() -> None:
    """From W_u = W*, V_u = V*, V_r != 0: sin theta and ||delta v|| rise to a tenth and more, then fall again."""
    _, y = deviation_path(problem_of(AT_THE_SOLUTION))
    m = AT_THE_SOLUTION.m
    for part in (y[:, :m].max(axis=-1), y[:, m : 2 * m].max(axis=-1)):
        assert part[0] == 0
        assert part.max() > 0.05
        assert part[-1] < 0.7 * part.max()


def test_gamma_is_too_large_even_at_its_smallest_printed_value() -> None:
    """(41) has one power of the fan-out: with ||v|| = 1/2 the claimed rate is about twice the true one."""
    evidence = any_larger_gamma_will_do(FreeGamma(1.0, 0.05, 0.5), Context())
    assert evidence.predicted / evidence.measured == pytest.approx(2, rel=0.1)
    assert in_thirty_digits(FreeGamma(1.0, 0.05, 0.5)).margin < 0
    assert any_larger_gamma_will_do(FreeGamma(0.9, 0.05, 1.0), Context()).margin > 0


def test_the_rate_depends_on_where_the_irrelevant_nodes_end() -> None:
    """Linearised at the start's W_r the rate is higher than at the W_r that the run reaches."""
    instance = OverparameterisedRun(theta0=0.5, v_error=0.5, r_fan_out=1.0)
    flow = TwoLayerFlow(run_problem(instance))
    assert spectral_rate(flow) > 1.02 * modes_of(instance)[0]


def test_states_lie_in_their_box() -> None:
    """Columns within the caps (some on the rim), fan-outs within the balls."""
    instance = BoxInstance(m=2, r=2, c=3, cap=0.2, fan_out_cap=0.3, threshold=1.0)
    centres, states, box = centres_of(instance), states_in(instance), box_of(instance)
    turned = paired_angles(states.student_W, np.broadcast_to(centres.student_W, states.student_W.shape))
    assert np.all(turned <= box.cap)
    assert turned.max() > 0.999 * instance.cap
    moved = np.linalg.norm(states.student_V[:, :2] - centres.teacher_V, axis=-1)
    assert np.all(moved <= instance.fan_out_cap)


def test_a_step_of_descent_is_the_flow_to_second_order() -> None:
    """(step - start) / eta tends to the flow's velocity, linearly in eta."""
    problem = problem_of(TwoLayerStart(m=2, r=1, c=2, theta0=0.4, v_error=0.3))
    flow = TwoLayerFlow(problem)
    velocity = flow.unpack(flow(0.0, flow.initial_state()))["W"]
    gaps = [
        np.abs((descent_step(problem, eta)[0] - problem.student_W) / eta - velocity).max()
        for eta in (1e-2, 1e-3)
    ]
    assert gaps[0] / gaps[1] == pytest.approx(10, rel=0.05)
