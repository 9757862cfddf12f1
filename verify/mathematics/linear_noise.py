"""Networks at finite learning rate and batch: the mean of an ensemble and its spread, by linear noise around the flow.

Networks that start as one and see samples of their own are at ``W(t) + xi``, with W the flow. To first order in the
learning rate the deviations have the covariance of

    S' = J S + S J^T + (lr / B) C(W),    C(W) = Cov of one input's gradient,    J = dF/dW,

integrated with the flow (:class:`NoisyFlow`). At a finite step descent is a map M, and the same reads step by step

    W <- M(W) = normalise(W + lr F(W)),   S <- M' S M'^T + (lr^2 / B) C,   mu <- M' mu + M'' : S / 2,

with mu the mean of xi, and C averaged over W + xi (:func:`descent_noise`). As lr -> 0 the second tends to the first,
and their difference is of relative order lr times the largest rate.

C is an average over inputs. Gradients are homogeneous of degree two in the input, so that of its length only
``E ||x||^4 = d (d + 2)`` enters, and directions alone are sampled, each with its opposite.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dynamics.arrays import Array, Vector
from dynamics.geometry.columns import tangent_projection, unit_columns
from dynamics.ode.flow import Flow
from dynamics.two_layer.flows import ProjectedFlow
from dynamics.two_layer.problem import TeacherStudent

GROUPS = 8
"""Independent groups of directions, whose differences give the standard error of what is averaged over them."""

DIRECTIONS = 512
"""Directions in a group, each with its opposite."""

STEP = 1e-6
"""Step of central differences: their error is 1e-12 over the angle squared, their rounding 1e-10."""


class InputDirections:
    """Directions of inputs in groups ``(groups, K, d)``, and the covariance of one input's gradient over each group."""

    def __init__(
        self, d: int, rng: np.random.Generator, groups: int = GROUPS, pairs: int = DIRECTIONS
    ) -> None:
        half = rng.standard_normal((groups, pairs, d))
        half /= np.linalg.norm(half, axis=-1, keepdims=True)
        self.x = np.concatenate([half, -half], axis=1)

    def gradients(self, teacher: Array, W: Array, *, own_error_only: bool = False) -> Array:
        """``P_perp(w_j) x f'_j(x) (f*(x) - f(x))``, ``(groups, K, d m)``, for W (d, m) or one an input.

        ``own_error_only`` leaves out what the other nodes add to the residual (a control).
        """
        x = self.x
        before = np.einsum("gkd,...dm->gkm", x, W) if W.ndim == 2 else np.einsum("gkd,gkdm->gkm", x, W)
        errors = np.maximum(x @ teacher, 0.0) - np.maximum(before, 0.0)
        residual = errors if own_error_only else errors.sum(axis=-1, keepdims=True)
        pull = (before > 0) * residual
        steps = pull[..., None, :] * (x[..., None] - W * before[..., None, :])
        return np.asarray(steps.reshape(*x.shape[:2], -1))

    def covariance(self, teacher: Array, W: Array, mean_square: Array, **left_out: bool) -> Array:
        """Covariance of one standard normal input's gradient in each group, ``(groups, d m, d m)``.

        ``mean_square``: the second moment of the mean gradient, to be subtracted.
        """
        d = self.x.shape[-1]
        g = self.gradients(teacher, W, **left_out)
        return np.asarray(d * (d + 2) / g.shape[1] * (np.swapaxes(g, -1, -2) @ g) - mean_square)


class MeanField:
    """Theorem 4's field on stacks of students ``(..., d, m)`` of one teacher, and derivatives along tangent steps."""

    def __init__(self, teacher: Array) -> None:
        self.teacher = teacher

    def __call__(self, W: Array) -> Array:
        """F(W) on unit columns."""
        stack = W.reshape(-1, *W.shape[-2:])
        teacher = np.broadcast_to(self.teacher, stack.shape[:1] + self.teacher.shape)
        flow = ProjectedFlow(TeacherStudent(teacher, stack))
        return flow.unpack(flow(0.0, flow.initial_state()))["W"].reshape(W.shape)

    def step(self, W: Array, lr: float) -> Array:
        """M(W): one step of descent along the mean gradient, from the directions of W."""
        unit = unit_columns(W)
        return unit_columns(unit + lr * self(unit))

    def slopes(self, W: Array, lr: float) -> Array:
        """``dM/dW`` at stacks W (..., d, m) along tangent steps, ``(..., d m, d m)``; of F itself where lr is 0."""
        size = W.shape[-2] * W.shape[-1]
        axes = np.eye(size).reshape(size, *W.shape[-2:])
        at = W[..., None, :, :]
        steps = tangent_projection(np.broadcast_to(at, (*W.shape[:-2], *axes.shape)), axes)
        ahead, behind = at + STEP * steps, at - STEP * steps
        if lr:
            change = self.step(ahead, lr) - self.step(behind, lr)
        else:
            change = self(unit_columns(ahead)) - self(unit_columns(behind))
        flat = change.reshape(*W.shape[:-2], size, size) / (2 * STEP)
        return np.swapaxes(flat, -1, -2)


class NoisyFlow(Flow):
    """The flow of W together with ``S' = J S + S J^T + C(W)``: the covariance in units of lr / B.

    Args:
        teacher, W: unit columns (d, m) each.
        inputs: the directions over which C is averaged.
    Cost: 2 d m evaluations of the field and K d^2 m^2 for C, an evaluation.
    """

    def __init__(self, teacher: Array, W: Array, inputs: InputDirections) -> None:
        self._start, self._inputs = W, inputs
        self._field = MeanField(teacher)

    @property
    def initial_arrays(self) -> Mapping[str, Array]:
        size = self._start.size
        return {"W": self._start, "S": np.zeros((size, size))}

    def __call__(self, t: float, y: Vector) -> Vector:
        state = self.unpack(y)
        W = unit_columns(state["W"])
        F, J = self._field(W), self._field.slopes(W, 0.0)
        C = self._inputs.covariance(self._field.teacher, W, np.outer(F, F)).mean(axis=0)
        half = J @ state["S"]
        return self.pack({"W": F, "S": half + half.T + C})


@dataclass(frozen=True)
class DescentNoise:
    """Where an ensemble is after so many steps.

    Attributes:
        path: descent along the mean gradient, (steps + 1, d, m).
        covariance: of ``W - path[-1]`` in each group of directions, (groups, d m, d m).
        shift: what noise adds to the mean, (d m,).
        relative: largest share of a node's spread in its squared distance from the teacher, along the path.
    """

    path: Array
    covariance: Array
    shift: Array
    relative: float


def descent_noise(
    teacher: Array,
    W: Array,
    *,
    lr: float,
    batch: int,
    steps: int,
    rng: np.random.Generator,
    **left_out: bool,
) -> DescentNoise:
    """Mean and covariance of networks that all start at W (d, m), after ``steps`` steps.

    Args:
        teacher, W: unit columns.
        lr, batch, steps: how they are trained.
        rng: draws the directions over which C is averaged, fresh at every step, and the networks' spread there.
        left_out: see :meth:`InputDirections.gradients`.
    Cost: O(steps (d m)^2 (groups K + m)).
    """
    field = MeanField(teacher)
    path = [W]
    for _ in range(steps):
        path.append(field.step(path[-1], lr))
    stack = np.array(path)
    F, slopes = field(stack[:-1]), field.slopes(stack[:-1], lr)
    carry = _transports(stack[1:], np.sqrt(1 + lr**2 * (F**2).sum(axis=-2)))
    size = W.size
    S = np.zeros((GROUPS, size, size))
    spreads, relative = [], 0.0
    away = np.maximum(1 - (stack * teacher).sum(axis=-2) ** 2, 1e-300)
    for k in range(steps):
        mean = S.mean(axis=0)
        spreads.append(mean)
        relative = max(relative, float((np.diag(mean).reshape(W.shape).sum(axis=0) / away[k]).max()))
        J = slopes[k]
        inputs = InputDirections(len(W), rng)
        # Gradients of networks that are spread about the path; the mean gradient varies among them as well.
        students = unit_columns(
            stack[k] + _normal(mean, inputs.x.shape[:2], rng).reshape(*inputs.x.shape[:2], *W.shape)
        )
        drift = (J - carry[k]) / lr
        square = np.outer(F[k], F[k]) + drift @ mean @ drift.T
        C = inputs.covariance(teacher, students, square, **left_out)
        S = J @ S @ J.T + lr**2 / batch * (carry[k] @ C @ carry[k].T)
    return DescentNoise(stack, S, _mean_shift(field, stack, slopes, spreads, lr), relative)


def _transports(W: Array, stretch: Array) -> Array:
    """How a step of noise arrives at the next point: ``P_perp(w_j) / stretch_j``, ``(T, d m, d m)``."""
    T, d, m = W.shape
    blocks = np.eye(d)[:, :, None] - W[:, :, None] * W[:, None]
    full = np.zeros((T, d, m, d, m))
    for j in range(m):
        full[:, :, j, :, j] = blocks[..., j] / stretch[:, None, None, j]
    return full.reshape(T, d * m, d * m)


def _normal(covariance: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    values, vectors = np.linalg.eigh(covariance)
    wide = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(rng.standard_normal((*shape, len(values))) @ wide.T)


def _mean_shift(field: MeanField, path: Array, slopes: Array, spreads: list[Array], lr: float) -> Array:
    """``mu <- M' mu + M'' : S / 2``, the second derivative by differences as wide as the spread itself."""
    values, vectors = np.linalg.eigh(np.array(spreads))
    wide = np.swapaxes(vectors * np.sqrt(np.maximum(values, 0.0))[:, None], -1, -2)
    steps = wide.reshape(*wide.shape[:-1], *path.shape[1:])
    at = path[:-1, None]
    bend = field.step(at + steps, lr) + field.step(at - steps, lr) - 2 * path[1:, None]
    bent = tangent_projection(path[1:], bend.sum(axis=1) / 2).reshape(len(spreads), -1)
    shift = np.zeros(bent.shape[-1])
    for slope, push in zip(slopes, bent, strict=True):
        shift = slope @ shift + push
    return shift
