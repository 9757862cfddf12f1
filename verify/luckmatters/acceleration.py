"""Acceleration and learning rate (remark on Theorem 5): does W_u speed up as V_r dies, and when does eta
get too large?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.flows import TwoLayerFlow
from dynamics.geometry import unit_columns
from dynamics.integrate import integrate
from dynamics.linearize import difference_jacobian, sphere_basis, tangent_jacobian
from dynamics.problems import TeacherStudent
from dynamics.trajectory import Trajectory
from verify.effects import exceeds
from verify.luckmatters.flat_minima import Solved, at_the_limit, solved
from verify.statement import LUCK_MATTERS, Context, Control, Evidence, Form, Outcome, Source, Statement

Array = NDArray[np.float64]
NUMBER = "Section 3.3, remark 'Accelerated convergence and learning rate schedule'"

TIMES = np.array([0.0, 2.0, 8.0, 50.0, 100.0])
"""Ends of the windows: the r-set is loud in [0, 2], has lost half its fan-out in [2, 8], the late rate is
read from 50 on."""


@dataclass(frozen=True)
class NearTeacher:
    """An ensemble started near the teacher (the p_W, p_V start of section 4.2), W and V learned."""

    d: int = 6
    m: int = 2
    n: int = 6
    c: int = 3
    p_W: float = 3.0
    p_V: float = 0.3
    networks: int = 96
    seed: int = 0


def start(instance: NearTeacher, silent: bool = False) -> TeacherStudent:
    """The start; ``silent`` sets V_r = 0, everything else equal."""
    rng = np.random.default_rng((instance.seed, 12))
    S, m = (instance.networks,), instance.m
    V = np.swapaxes(TeacherStudent.random_unit(instance.c, m, rng, S), -1, -2)
    W = TeacherStudent.orthonormal(instance.d, m, rng, S)
    problem = TeacherStudent.near_teacher(W, V, instance.n, rng, p_W=instance.p_W, p_V=instance.p_V)
    if not silent:
        return problem
    without = problem.student_V * (np.arange(instance.n) < m)[:, None]
    return TeacherStudent(W, problem.student_W, V, without)


@lru_cache(maxsize=8)  # the statements look at the same runs
def course(instance: NearTeacher, silent: bool = False, tight: bool = False) -> Trajectory:
    """Theorem 5's flow at ``TIMES``; ``tight`` asks the integrator for a thousand times less error."""
    problem = start(instance, silent)
    tolerance = 1e-9 if tight else 1e-6
    return integrate(
        TwoLayerFlow(problem), (0.0, float(TIMES[-1])), t_eval=TIMES, rtol=tolerance, atol=1e-3 * tolerance
    )


def rate(run: Trajectory, window: tuple[int, int]) -> Array:
    """Mean decay rate of ``||sin theta||`` over the u-set between two of ``TIMES``, one a network."""
    size = np.log(np.linalg.norm(run.observables["sin_theta"], axis=-1))
    first, last = window
    return np.asarray((size[first] - size[last]) / (TIMES[last] - TIMES[first]))


EARLY, MIDDLE, LATE = (0, 1), (1, 2), (3, 4)


def described(run: Trajectory, m: int) -> dict[str, Any]:
    """Mean rates of the three windows and the norm of V_r at each time."""
    fan_out = np.linalg.norm(run.observables["fan_out_norm"][..., m:], axis=-1).mean(axis=-1)
    rates = [float(rate(run, window).mean()) for window in (EARLY, MIDDLE, LATE)]
    return {"rates_early_middle_late": rates, "norm_of_V_r": [float(value) for value in fan_out]}


def rise_evidence(
    instance: NearTeacher,
    context: Context,
    windows: tuple[tuple[int, int], tuple[int, int]] = (EARLY, MIDDLE),
) -> Evidence:
    """Paired: rate in the second window minus rate in the first."""
    run = course(instance)
    return exceeds(rate(run, windows[1]) - rate(run, windows[0]), 0.0, context, **described(run, instance.m))


def lasting_evidence(instance: NearTeacher, context: Context) -> Evidence:
    """Paired: rate in the last window minus rate in the middle one."""
    return rise_evidence(instance, context, (MIDDLE, LATE))


def confirm_lasting(instance: NearTeacher) -> Evidence:
    """Other seeds, and an integrator asked for a thousand times less error."""
    other = replace(instance, seed=instance.seed + 1_000_003)
    run = course(other, tight=True)
    return exceeds(rate(run, LATE) - rate(run, MIDDLE), 0.0, Context(), **described(run, instance.m))


def silence_evidence(instance: NearTeacher, context: Context, exchanged: bool = False) -> Evidence:
    """Paired: rate over [0, 8] with V_r(0) = 0 minus the rate with the r-set as drawn."""
    loud, silent = course(instance), course(instance, silent=True)
    gain = rate(silent, (0, 2)) - rate(loud, (0, 2))
    return exceeds(-gain if exchanged else gain, 0.0, context, **described(loud, instance.m))


PRINTED = Statement(
    key="luckmatters.theorem5.acceleration",
    form=Form.PRINTED,
    title="W_u speeds up once V_r has shrunk",
    claim="The r-set's noise slows W_u at first; after a few iterations, V_r being smaller, W_u converges faster\n"
    "(judged: mean decay rate of ‖sin θ‖ in t ∈ [2, 8] above that in [0, 2])",
    source=Source(LUCK_MATTERS, NUMBER),
    expected=Outcome.HOLDS,
    instance_type=NearTeacher,
    examples=[NearTeacher()],
    evidence=rise_evidence,
    controls=[
        Control(
            "the two windows exchanged",
            lambda context: rise_evidence(NearTeacher(), context, (MIDDLE, EARLY)),
        )
    ],
    remark="With weak initial fan-outs (p_V = 0.3) the u-set is even pushed away at first. With p_V = 1 the "
    "effect is smaller "
    "(0.027 ± 0.009 over 160 networks): the start then has fast modes of its own.",
)

LASTING = Statement(
    key="luckmatters.theorem5.acceleration.lasting",
    form=Form.PRINTED,
    title="The speed-up does not last",
    claim="γ is large once V_r has vanished: the late rate is at least that of the first acceleration\n"
    "(judged: rate in t ∈ [50, 100] above that in [2, 8])",
    source=Source(LUCK_MATTERS, NUMBER),
    expected=Outcome.REFUTED,
    instance_type=NearTeacher,
    examples=[NearTeacher()],
    evidence=lasting_evidence,
    confirm=confirm_lasting,
    controls=[
        Control("early against middle window", lambda context: rise_evidence(NearTeacher(), context), must_hold=True),
        Control(
            "middle window against early",
            lambda context: rise_evidence(NearTeacher(), context, (MIDDLE, EARLY)),
        ),
    ],
    remark="The rate rises, peaks and falls again: fast modes die first, and what is left decays with the "
    "smallest eigenvalue of "
    "the Gram matrix at the limit. Where r-nodes share a teacher V_r does not vanish at all and the rate "
    "falls to zero.",
)  # fmt: skip

CORRECTED = Statement(
    key="luckmatters.theorem5.acceleration",
    form=Form.CORRECTED,
    title="A silent r-set lets W_u converge faster",
    claim="Same start but V_r(0) = 0: the decay rate of ‖sin θ‖ over t ∈ [0, 8] is larger",
    source=Source(LUCK_MATTERS, NUMBER, "as a comparison of two runs, not of two times"),
    expected=Outcome.HOLDS,
    instance_type=NearTeacher,
    examples=[NearTeacher()],
    evidence=silence_evidence,
    controls=[
        Control("the two runs exchanged", lambda context: silence_evidence(NearTeacher(), context, True))
    ],
)


def sharpness(problem: TeacherStudent, W: Array, V: Array) -> Array:
    """Largest eigenvalue of the population Hessian along the spheres, one a network."""
    flow = TwoLayerFlow(problem)
    hessian = -difference_jacobian(flow, flow.pack(W, V))
    return np.asarray(np.linalg.eigvalsh((hessian + np.swapaxes(hessian, -1, -2)) / 2)[..., -1])


GROWTH = float(np.log(1.1))


def sharpening_evidence(instance: NearTeacher, context: Context, first: float = 1.0) -> Evidence:
    """log of the largest eigenvalue at t = 100 over that at the start, against log 1.1."""
    problem, run = start(instance), course(instance)
    before, after = (sharpness(problem, unit_columns(run.state["W"][i]), run.state["V"][i]) for i in (0, -1))
    growth = np.log(after / (first * before))
    return exceeds(growth, GROWTH, context, largest_eigenvalues=[float(before.mean()), float(after.mean())])


def confirm_sharpening(instance: NearTeacher) -> Evidence:
    """Other seeds and an integrator asked for a thousand times less error."""
    other = replace(instance, seed=instance.seed + 1_000_003)
    problem, run = start(other), course(other, tight=True)
    ends = [sharpness(problem, unit_columns(run.state["W"][i]), run.state["V"][i]) for i in (0, -1)]
    return exceeds(np.log(ends[1] / ends[0]), GROWTH, Context())


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
    examples=[SMALL],
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
    """Growth per step of a small perturbation at the limit, along the sharpest mode, at eta = below, above
    x 2/lambda."""
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
    for factor in (below, above):
        moved = one_step(flow, W, V, 1e-6 * dW, 1e-6 * dV, factor * plain / top)
        growth.append(float(moved[0].ravel() @ dW.ravel() + moved[1].ravel() @ dV.ravel()) / 1e-6)
    # The mode is multiplied by 1 - eta lambda: just inside -1 below the threshold, just outside above it.
    margin = min(growth[0] + 1, -1 - growth[1])
    return Evidence(-1.0, float(np.mean(growth)), margin, details={"growth": growth, "lambda_max": top})


def one_step(flow: TwoLayerFlow, W: Array, V: Array, dW: Array, dV: Array, eta: float) -> tuple[Array, Array]:
    """Displacement from (W, V) after one step of projected gradient descent from (W + dW, V + dV)."""
    near = unit_columns(W + dW), V + dV
    speed = flow.unpack(flow(0.0, flow.pack(*near)))
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
    max_examples={"quick": 30, "full": 300, "deep": 3000},
)  # fmt: skip
