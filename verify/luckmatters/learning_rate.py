"""The learning rate (remark on Theorem 5): does a step that was fine become too large, and when does one fluctuate?"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import mpmath as mp
import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import unit_columns
from dynamics.two_layer.flows import TwoLayerFlow
from dynamics.two_layer.linearization import difference_jacobian, sphere_basis, tangent_jacobian
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import (
    LUCK_MATTERS,
    Context,
    Control,
    Cost,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
)
from verify.luckmatters.acceleration import NUMBER, NearTeacher, course, member, single_networks, start
from verify.luckmatters.flat_minima import Solved, at_the_limit, solved
from verify.mathematics.mean_over_seeds import exceeds
from verify.mathematics.precise.two_layer_flow import DIGITS, TwoLayerReference


def sharpness(problem: TeacherStudent, W: Array, V: Array) -> Array:
    """Largest eigenvalue of the population Hessian along the spheres, one a network."""
    flow = TwoLayerFlow(problem)
    hessian = -difference_jacobian(flow, flow.of_matrices(W, V))
    return np.asarray(np.linalg.eigvalsh((hessian + np.swapaxes(hessian, -1, -2)) / 2)[..., -1])


GROWTH = float(np.log(1.1))


@lru_cache(maxsize=8)  # the controls look at the same runs
def sharpnesses(instance: NearTeacher, tight: bool = False) -> tuple[Array, Array]:
    """Largest eigenvalues at the start and at t = 100, one a network."""
    problem, run = start(instance), course(instance, tight=tight)
    before, after = (sharpness(problem, unit_columns(run.state["W"][i]), run.state["V"][i]) for i in (0, -1))
    return before, after


SHARPNESS_BLUR = 1e-4
"""Of the log of a single network's largest eigenvalue: integration, and differences of the flow (1e-10)."""


def sharpening_evidence(instance: NearTeacher, context: Context, first: float = 1.0) -> Evidence:
    """log of the largest eigenvalue at t = 100 over that at the start, against log 1.1."""
    before, after = sharpnesses(instance)
    growth = np.log(after / (first * before))
    if instance.networks == 1:
        grown = float(growth[0])
        return Evidence(
            predicted=GROWTH, measured=grown, margin=grown - GROWTH + SHARPNESS_BLUR, tolerance=SHARPNESS_BLUR
        )
    return exceeds(growth, GROWTH, context, largest_eigenvalues=[float(before.mean()), float(after.mean())])


def confirm_sharpening(instance: NearTeacher) -> Evidence:
    """One network: flow and Jacobian in 30 digits. Many: other seeds and a thousand times less error."""
    if instance.networks == 1:
        with mp.workdps(DIGITS):
            reference = TwoLayerReference(member(start(instance)))
            before = reference.sharpness(reference.W, reference.V)
            grown = float(mp.log(reference.sharpness(*reference.integrate(100, 200)) / before))
        return Evidence(
            predicted=GROWTH, measured=grown, margin=grown - GROWTH + SHARPNESS_BLUR, tolerance=SHARPNESS_BLUR
        )
    early, late = sharpnesses(replace(instance, seed=instance.seed + 1_000_003), tight=True)
    return exceeds(np.log(late / early), GROWTH, Context())


SMALL = NearTeacher(d=5, m=2, n=4, c=2)

SCHEDULE = Statement(
    key="luckmatters.theorem5.learning_rate",
    form=Form.PRINTED,
    title="A step that becomes too large",
    claim="As V_r vanishes a step η that was fine becomes too large and must be reduced\n"
    "(judged: λ_max of the Hessian, hence 2/η, grows by more than a tenth from the start to t = 100)",
    source=Source(LUCK_MATTERS, NUMBER),
    expected=Outcome.REFUTED,
    instance_type=NearTeacher,
    instances=single_networks,
    examples=[SMALL],
    cost=Cost(20, 100, 300),
    evidence=sharpening_evidence,
    confirm=confirm_sharpening,
    controls=[
        Control(
            "a start half as sharp",
            lambda context: sharpening_evidence(SMALL, context, first=0.5),
            must_hold=True,
        ),
        Control("a start twice as sharp", lambda context: sharpening_evidence(SMALL, context, first=2.0)),
    ],
    remark="λ_max is set by the fan-outs' block L, which does not depend on V: it dips by about a tenth in "
    "the first time unit "
    "and comes back to where it started. A step that is stable at the start stays stable; a larger rate γ of the "
    "slowest mode says nothing about the fastest one, which limits η.",
)  # fmt: skip


def onset_evidence(
    instance: Solved, context: Context, below: float = 0.99, above: float = 1.01, plain: float = 2.0
) -> Evidence:
    """Growth per step of a small perturbation at the limit, along the sharpest mode.

    At eta = ``below``, ``above`` times 2/lambda, where it leaves, and times 1/lambda, where it begins to change sign.
    """
    problem = at_the_limit(instance)
    flow = TwoLayerFlow(problem)
    values, vectors = np.linalg.eigh(-tangent_jacobian(flow, flow.equilibrium()))
    top = float(values[-1])
    W, V = flow.matrices(flow.equilibrium())
    along = vectors[:, -1]
    size = problem.n * (problem.d - 1)
    dW = np.einsum("jdi,ji->dj", sphere_basis(W), along[:size].reshape(problem.n, -1))
    dV = along[size:].reshape(V.shape)
    growth = []
    for factor in (below, above, below / 2, above / 2):
        moved = one_step(flow, W, V, 1e-6 * dW, 1e-6 * dV, factor * plain / top)
        growth.append(float(moved[0].ravel() @ dW.ravel() + moved[1].ravel() @ dV.ravel()) / 1e-6)
    # The mode is multiplied by 1 - eta lambda: just inside and outside -1, just above and below 0.
    margin = min(growth[0] + 1, -1 - growth[1], growth[2], -growth[3])
    return Evidence(
        predicted=-1.0,
        measured=float(np.mean(growth[:2])),
        margin=margin,
        details={"growth": growth, "lambda_max": top},
    )


def one_step(flow: TwoLayerFlow, W: Array, V: Array, dW: Array, dV: Array, eta: float) -> tuple[Array, Array]:
    """Displacement from (W, V) after one step of projected gradient descent from (W + dW, V + dV)."""
    near = unit_columns(W + dW), V + dV
    speed = flow.unpack(flow(0.0, flow.of_matrices(*near)))
    return unit_columns(near[0] + eta * speed["W"]) - W, near[1] + eta * speed["V"] - V


SHARP = Statement(
    key="luckmatters.theorem5.learning_rate",
    form=Form.SHARP,
    title="The step that starts to fluctuate",
    claim="At the limit gradient descent fluctuates along the sharpest mode for η > 1/λ_max and leaves it "
    "for η > 2/λ_max,\n"
    "λ_max the largest eigenvalue of the Gram matrix of the tangent features (measured within 1 %)",
    source=Source(LUCK_MATTERS, NUMBER, "the threshold is ours"),
    expected=Outcome.HOLDS,
    instance_type=Solved,
    instances=solved,
    evidence=onset_evidence,
    controls=[
        Control("threshold 2.1 / λ_max", lambda context: onset_evidence(Solved(), context, plain=2.1)),
        Control("threshold 1.9 / λ_max", lambda context: onset_evidence(Solved(), context, plain=1.9)),
    ],
    cost=Cost(30, 300, 3000),
)  # fmt: skip
