"""The learning rate (remark on Theorem 5): does a step that was fine become too large, and when does one fluctuate?"""

from __future__ import annotations

from functools import lru_cache

import mpmath as mp
import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import unit_columns
from dynamics.two_layer.flows import TwoLayerFlow
from dynamics.two_layer.linearization import difference_jacobian, sphere_basis, tangent_jacobian
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import FLOW, LUCK_MATTERS, SEARCH, Assumption, Context, Evidence, Item, Source
from verify.mathematics.families.solved_students import Solved
from verify.mathematics.precise.two_layer_flow import DIGITS, TwoLayerReference
from verify.mathematics.runs.near_teacher import NearTeacher, course, single_networks

LEARNING_RATE = Item(
    "luckmatters.theorem5.learning_rate",
    Source(
        LUCK_MATTERS,
        "remark 'Accelerated convergence and learning rate schedule'",
        version="v4",
        section="3.3",
    ),
)

TENTH = float(np.log(1.1))
"""Growth of the logarithm of the largest eigenvalue from which a step would have to be reduced."""

SHARPNESS_BLUR = 1e-4
"""Of the log of a single network's largest eigenvalue: integration, and differences of the flow (1e-10)."""

SMALL = NearTeacher(d=5, m=2, n=4, c=2, networks=1)


def a_single_network(instance: NearTeacher) -> tuple[Assumption, ...]:
    """The reading is about each network by itself."""
    return (Assumption.that("a single network", instance.networks == 1),)


def sharpness(problem: TeacherStudent, W: Array, V: Array) -> Array:
    """Largest eigenvalue of the population Hessian along the spheres, one a network."""
    flow = TwoLayerFlow(problem)
    hessian = -difference_jacobian(flow, flow.of_matrices(W, V))
    return np.asarray(np.linalg.eigvalsh((hessian + np.swapaxes(hessian, -1, -2)) / 2)[..., -1])


@lru_cache(maxsize=8)  # the controls look at the same runs
def sharpnesses(instance: NearTeacher) -> tuple[Array, Array]:
    """Largest eigenvalues at the start and at t = 100, one a network."""
    problem, run = instance.start(), course(instance)
    before, after = (sharpness(problem, unit_columns(run.state["W"][i]), run.state["V"][i]) for i in (0, -1))
    return before, after


def growth_of_one(grown: float) -> Evidence:
    """Evidence that the logarithm of one network's largest eigenvalue grows by ``log 1.1``."""
    return Evidence(
        predicted=TENTH, measured=grown, margin=grown - TENTH + SHARPNESS_BLUR, tolerance=SHARPNESS_BLUR
    )


@LEARNING_RATE.claim(
    "reading",
    expected="refuted",
    on=NearTeacher,
    draw=single_networks,
    examples=[SMALL],
    assume=a_single_network,
    cost=FLOW.at_quick(20),
    compares=("growth of log λ_max from the start to t = 100", "≥", "log 1.1"),
    note="our reading: without sampling noise the largest stable step is 2/λ_max",
)
def the_step_becomes_too_large(instance: NearTeacher, context: Context, *, first: float = 1.0) -> Evidence:
    """A step that becomes too large

    As V_r vanishes a step η that was fine becomes too large and must be reduced
    (judged: λ_max of the Hessian, hence 2/η, grows by more than a tenth from the start to t = 100)

    λ_max is set by the fan-outs' block L, which does not depend on V: it dips by about a tenth in the first time unit
    and comes back to where it started. A step that is stable at the start stays stable; a larger rate γ of the slowest
    mode says nothing about the fastest one, which limits η.
    """
    # ``first`` multiplies the eigenvalue at the start.
    before, after = sharpnesses(instance)
    return growth_of_one(float(np.log(after[0] / (first * before[0]))))


@the_step_becomes_too_large.confirmed_precisely(digits=DIGITS)
def flows_again(instance: NearTeacher, *, first: float = 1.0) -> Evidence:
    """Flow and Jacobian in 30 digits."""
    with mp.workdps(DIGITS):
        reference = TwoLayerReference(instance.only_member())
        before = reference.sharpness(reference.W, reference.V)
        grown = float(mp.log(reference.sharpness(*reference.integrate(100, 200)) / (first * before)))
    return growth_of_one(grown)


the_step_becomes_too_large.excludes("an ensemble", NearTeacher(), "a single network")
the_step_becomes_too_large.includes("one network", SMALL)
the_step_becomes_too_large.accepts("a start half as sharp", SMALL, first=0.5)
the_step_becomes_too_large.rejects("a start twice as sharp", SMALL, first=2.0)


def displacement(
    flow: TwoLayerFlow, W: Array, V: Array, dW: Array, dV: Array, eta: float
) -> tuple[Array, Array]:
    """Displacement from (W, V) after one step of projected gradient descent from (W + dW, V + dV)."""
    near = unit_columns(W + dW), V + dV
    speed = flow.unpack(flow(0.0, flow.of_matrices(*near)))
    return unit_columns(near[0] + eta * speed["W"]) - W, near[1] + eta * speed["V"] - V


@LEARNING_RATE.claim(
    "sharp",
    expected="holds",
    on=Solved,
    cost=SEARCH.at_quick(30),
    note="the threshold is ours",
    compares=("factor of the sharpest mode at η = 2/λ_max", "=", "−1"),
)
def fluctuates_and_leaves(instance: Solved, context: Context, *, threshold: float = 2.0) -> Evidence:
    """The step that starts to fluctuate

    At the limit gradient descent fluctuates along the sharpest mode for η > 1/λ_max and leaves it for η > 2/λ_max,
    λ_max the largest eigenvalue of the Gram matrix of the tangent features (measured within 1 %)
    """
    problem = instance.problem()
    flow = TwoLayerFlow(problem)
    values, vectors = np.linalg.eigh(-tangent_jacobian(flow, flow.equilibrium()))
    top, along = float(values[-1]), vectors[:, -1]
    W, V = flow.matrices(flow.equilibrium())
    size = problem.n * (problem.d - 1)
    dW = np.einsum("jdi,ji->dj", sphere_basis(W), along[:size].reshape(problem.n, -1))
    dV = along[size:].reshape(V.shape)
    growth = []
    # Within 1 % of ``threshold`` / lambda, where the mode is left, and of half of it, where it changes its sign.
    for factor in (0.99, 1.01, 0.99 / 2, 1.01 / 2):
        moved = displacement(flow, W, V, 1e-6 * dW, 1e-6 * dV, factor * threshold / top)
        growth.append(float(moved[0].ravel() @ dW.ravel() + moved[1].ravel() @ dV.ravel()) / 1e-6)
    # The mode is multiplied by 1 - eta lambda: just inside and outside -1, just above and below 0.
    margin = min(growth[0] + 1, -1 - growth[1], growth[2], -growth[3])
    return Evidence(
        predicted=-1.0,
        measured=float(np.mean(growth[:2])),
        margin=margin,
        details={"growth": growth, "lambda_max": top},
    )


fluctuates_and_leaves.rejects("threshold 2.1 / λ_max", Solved(), threshold=2.1)
fluctuates_and_leaves.rejects("threshold 1.9 / λ_max", Solved(), threshold=1.9)

the_step_becomes_too_large.errs(
    says="v4, section 3.3, remark 'Accelerated convergence and learning rate schedule': at some point η becomes "
    "too large, leading to fluctuation",
    true="the largest curvature does not grow from start to end; stability is lost at 2/λ_max of the limit's "
    "Hessian (our reading leaves sampling noise out)",
    impact="substance",
    matters="a larger γ of the slowest mode says nothing about the fastest, which limits η",
)
