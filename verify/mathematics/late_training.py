"""Networks trained until they are late, and on through a window whose length and place are chosen by rule."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import angle_pair
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import CannotJudgeError
from verify.mathematics.rates import discrete_rate
from verify.mathematics.tangent_modes import FLAT_SHARE, Modes
from verify.mathematics.tangent_network import TangentNetwork

RESOLUTION = 0.012
"""Half-width of the predicted band, relative to the rate, that the window's length is chosen for: a rate that is 3 %
off then lies 1.8 % outside, by more than the band again."""

QUANTILE = 5.6
"""Standard errors for which the length is chosen: those of a run with a few hundred instances."""

DEEPEST = 3e-12
"""Mean deviation at which a window must end: rounding of a weight, 1e-16, is then below 1e-4 of a deviation."""

SHORTEST = 0.3
"""Least e-folds of the slowest mode in a window."""

LARGEST_START, NONLINEAR = 1e-5, 1e-3
"""A window begins once deviations are below the former, and so far below that nonlinearity adds at most the latter to
the logarithm of a size."""

BETWEEN_LOOKS = 1.5
"""E-folds of the slowest mode between two looks at whether networks are late."""

TINY_ANGLE = 1e-12

MOST_STEPS = 6000
"""Steps of an approach after which an instance is given up."""


@dataclass(frozen=True)
class Training:
    """How an ensemble is trained: step, batch, and whether V moves."""

    lr: float
    batch: int
    trains_V: bool


@dataclass(frozen=True)
class Window:
    """Where a rate is measured: once deviations are at most ``below``, over so many ``steps``.

    ``fold``: steps of an e-fold of the slowest mode.
    """

    below: float
    steps: int
    fold: float

    def resolution(self, noise: float, training: Training, networks: int) -> float:
        """Half-width of the band that ``QUANTILE`` standard errors make, relative to the rate of the slowest mode."""
        return QUANTILE * math.sqrt(noise / (self.steps * training.batch * networks))


def nonlinearity(problem: TeacherStudent, W: Array | None = None) -> float:
    """``c`` such that field and linearisation differ by at most ``c size(delta) max(delta)`` near a solution.

    For unit columns a, b at the angle phi the pull ``D(a, b) b``, ``D = (pi - phi) / 2 pi``, has a second differential
    of at most ``(1/sin phi + 4) theta^2`` when a and b turn by theta or less. A node feels at most 2 n of them,
    weighted by products of fan-outs, and as much from fan-outs that move. With a threshold h columns of unit norm turn
    a node's threshold by 1 + h^2 for each radian.

    W: where irrelevant columns stand, if not where the problem has them start; the worst of all networks counts.
    """
    students = np.broadcast_to(problem.student_W if W is None else W, problem.student_W.shape)
    nodes = np.concatenate([problem.teacher_W, students[..., problem.m :]], axis=-1)
    angle, rest = angle_pair(nodes, nodes)
    pairs = np.triu_indices(nodes.shape[-1], 1)
    apart = float(np.sin(np.minimum(angle, rest))[..., pairs[0], pairs[1]].min(initial=1.0))
    fan_out = max(1.0, float(np.linalg.norm(problem.teacher_V, axis=-1).max()))
    bias = 1.0
    if problem.measure.biased_normal:
        last = problem.teacher_W[..., -1, :] ** 2
        bias += float((last / (1 - last)).max())
    return 2 * problem.n * (5 + 1 / max(apart, TINY_ANGLE)) * fan_out**2 * bias


def window_of(
    problem: TeacherStudent, modes: Modes, training: Training, networks: int, start: float = math.inf
) -> Window:
    """The shortest window that resolves a hundredth of the rate, above rounding; deviations are ``start`` at first.

    Raises:
        CannotJudgeError: the slowest mode does not decay, but for rounding.
    """
    if modes.rate <= FLAT_SHARE * modes.largest:
        raise CannotJudgeError(f"the slowest mode, {modes.rate:.1e}, is flat but for rounding: no late decay")
    below = min(LARGEST_START, start, NONLINEAR * modes.rate / nonlinearity(problem))
    fold = 1 / (training.lr * modes.rate)
    wanted = modes.noise * (QUANTILE / RESOLUTION) ** 2 / (training.batch * networks)
    most = (
        max(0.0, math.log(below / DEEPEST) - BETWEEN_LOOKS)
        / float(discrete_rate(modes.rate, training.lr))
        / training.lr
    )
    return Window(below, max(1, math.floor(min(most, max(wanted, SHORTEST * fold)))), fold)


@dataclass(frozen=True)
class LateRun:
    """Deviations ``(steps + 1, S, N)`` of trained networks in a window, and the points that they are taken from."""

    tangent: TangentNetwork
    states: Array
    approach: int


def train_late(
    problem: TeacherStudent, training: Training, window: Window, seeds: np.random.SeedSequence, device: str
) -> LateRun:
    """Train the networks of ``problem`` until all are late, and on through the window, recording every step.

    The window begins at a stopping time, so that what comes in it is independent of how it was chosen.

    Raises:
        CannotJudgeError: the networks diverge, or are not late within ``MOST_STEPS``.
    """
    from nets.two_layer.networks import TwoLayerStudents  # torch is loaded only where networks are trained
    from nets.two_layer.training import train

    students = TwoLayerStudents.from_problem(problem, device=device)

    def leg(steps: int, record_every: int) -> tuple[Array, Array]:
        seed = int(seeds.spawn(1)[0].generate_state(1, np.uint64)[0])
        run = train(
            students, lr=training.lr, batch_size=training.batch, steps=steps, seed=seed,
            train_V=training.trains_V, record_every=record_every,
        )  # fmt: skip
        if not run.success:
            raise CannotJudgeError(run.message)
        W = run.state["W"]
        return W, run.state.get("V", np.broadcast_to(problem.student_V, (len(W), *problem.student_V.shape)))

    W, V = problem.student_W, problem.student_V
    taken = 0
    while not (late := _largest(problem, training, W, V)) <= window.below:
        if taken >= MOST_STEPS:
            raise CannotJudgeError(f"deviations of {late:.1e} after {taken} steps, no late decay in reach")
        steps = math.ceil(BETWEEN_LOOKS * window.fold)
        W, V = (x[-1] for x in leg(steps, steps))
        taken += steps
    W, V = leg(window.steps, 1)
    tangent = TangentNetwork.at_solution(problem, W[0], V[0], trains_V=training.trains_V)
    if problem.n == problem.m:  # one point for all
        tangent = TangentNetwork.at_solution(
            problem.instance(0), problem.teacher_W[0], problem.teacher_V[0], trains_V=training.trains_V
        )
    states = tangent.deviation(W, V)
    if problem.n > problem.m:  # the r-set's columns move freely: they are no deviation
        states = _without_free_columns(tangent, states, problem.m)
    smallest = float(np.linalg.norm(states[-1], axis=-1).min())
    if smallest < DEEPEST / 10:
        raise CannotJudgeError(
            f"networks are too unlike for one window: one is at {smallest:.0e} when all are late"
        )
    return LateRun(tangent, states, taken)


def _largest(problem: TeacherStudent, training: Training, W: Array, V: Array) -> float:
    """The largest norm of a deviation among the networks; infinite where a student is nearer another teacher."""
    tangent = TangentNetwork.at_solution(problem, W, V, trains_V=training.trains_V)
    if np.any((W * tangent.W).sum(axis=-2) <= 0):
        return math.inf
    return float(np.linalg.norm(tangent.deviation(W, V), axis=-1).max())


def _without_free_columns(tangent: TangentNetwork, states: Array, m: int) -> Array:
    dW, dV = tangent.matrices(states)
    dW = dW.copy()
    dW[..., m:] = 0.0
    return tangent.flat(dW, dV)
