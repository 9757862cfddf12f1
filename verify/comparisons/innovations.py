"""What networks do at a step beyond what a flow says of it: of mean zero at every step, where the flow is right.

Networks at ``(W, V)`` take a step of descent along a gradient averaged over a fresh batch. Given where they are, the
mean of the tangent step ``u_j = w_j' / (w_j . w_j') - w_j`` (of ``w_j' - w_j`` where columns are not kept at unit norm,
and of ``v_j' - v_j``) is exactly ``lr F(W, V)`` with F minus the population gradient: at any learning rate, batch
and distance from the teacher, with nothing expanded. So for a flow F that is that gradient flow the innovations

    e = (u - lr F) / ||lr F||

are martingale differences, and sums of them over steps and networks have mean zero and the variance of the sum of
their squares. A flow whose field is off by a share s along itself shifts their mean along F by s.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr

from dynamics.arrays import Array
from dynamics.geometry.columns import tangent_projection, unit_columns
from dynamics.two_layer.two_layer_dynamics import TwoLayerDynamics

SMALLEST_STEP = 1e-11
"""Size of a predicted step below which a network is no longer looked at: rounding, 1e-16, is then 1e-5 of it."""

SPEED, PULL = 0, 1
"""Places of the first two watched directions: along the flow, and towards the teacher."""


@dataclass(frozen=True)
class Innovations:
    """Sums over the steps and networks of a window, one number for every watched direction.

    The directions are the flow's own (``SPEED``), the one that shortens ``||sin theta||`` fastest (``PULL``), and every
    coordinate of the state.

    Attributes:
        count: steps times networks that were looked at.
        first, second, third: sums of the innovations and of their squares and cubes, (directions,).
    """

    count: int
    first: Array
    second: Array
    third: Array

    @property
    def mean(self) -> Array:
        """Mean innovation: by which share of a step networks are off in each direction."""
        return self.first / max(self.count, 1)

    @cached_property
    def standard_error(self) -> Array:
        """Of the mean."""
        return np.sqrt(np.maximum(self.second - self.count * self.mean**2, 0.0)) / max(self.count, 1)

    @property
    def z(self) -> Array:
        """Means in standard errors, corrected for the skewness of the innovations: standard normal for a right flow.

        With t the ratio and g the skewness over the root of the count, ``t + g t^2 / 3 + g^2 t^3 / 27 + g / 6``, which
        rises with t. Zero where a direction never moves.

        Source: Hall, On the removal of skewness by transformation, J. R. Statist. Soc. B 54 (1992).
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            t = self.mean / self.standard_error
            spread = self.second / self.count - self.mean**2
            central = self.third / self.count - 3 * self.mean * spread - self.mean**3
            g = central / spread**1.5 / np.sqrt(self.count)
            z = t + g * t**2 / 3 + g**2 * t**3 / 27 + g / 6
        return np.where(np.isfinite(z), z, 0.0)

    @property
    def chance(self) -> Array:
        """Two-sided chance of such a mean for a right flow."""
        return np.asarray(2 * ndtr(-np.abs(self.z)))


def empty(directions: int) -> Innovations:
    """No step looked at yet."""
    zero = np.zeros(directions)
    return Innovations(0, zero, zero, zero)


def added(one: Innovations, other: Innovations) -> Innovations:
    """Both windows as one."""
    return Innovations(
        one.count + other.count,
        one.first + other.first,
        one.second + other.second,
        one.third + other.third,
    )


@dataclass(frozen=True)
class StepInnovations:
    """Several steps of all networks, one row a step.

    ``steps``: the sums over the networks that are looked at; ``sampling (K,)``: what the noise of a step adds to the
    mean of the logarithm of ``||sin theta||``, to second order: half of its square across the pull less half of that
    along it.
    """

    steps: list[Innovations]
    sampling: Array


class StepWatcher:
    """Compares steps of networks with what a flow on the same problem says of them.

    Args:
        flow: on K copies of the networks' problem, one stack after another; with the networks' projection, and with V
            where they train it.
        lr: learning rate of the steps.
        networks: S; the flow has K S instances.
    """

    def __init__(self, flow: TwoLayerDynamics, lr: float, networks: int) -> None:
        self._flow, self._lr = flow, lr
        problem = flow.problem
        self._rows = max(1, flow.instances) // networks
        self._stack = (max(1, flow.instances), *problem.student_W.shape[-2:])
        self._teacher = unit_columns(np.reshape(problem.teacher_W, (-1, problem.d, problem.m)))

    def __call__(self, before: tuple[Array, Array], after: tuple[Array, Array]) -> StepInnovations:
        """K steps, from the pairs ``(W, V)``, ``(K S, d, n)`` and ``(K S, n, c)``, to the next ones."""
        batch = self._flow.problem.batch_shape
        state = [np.reshape(part, (*batch, *part.shape[-2:])) for part in before]
        said = self._flow.unpack(self._flow(0.0, self._flow.of_matrices(state[0], state[1])))
        steps = {"W": self._step_of_W(before[0], after[0]), "V": after[1] - before[1]}
        predicted = _flat({name: self._lr * part for name, part in said.items()}, self._stack[0])
        noise = _flat({name: steps[name] for name in said}, self._stack[0]) - predicted
        pull, distance = self._pull(before[0])
        along_pull = (noise[:, : pull.shape[1]] * pull).sum(axis=1)
        return StepInnovations(
            self._sums(noise, predicted, along_pull), self._sampling(noise, pull, along_pull, distance)
        )

    def _sums(self, noise: Array, predicted: Array, along_pull: Array) -> list[Innovations]:
        """Sums of the innovations and their powers over the networks, step by step."""
        size = np.linalg.norm(predicted, axis=1, keepdims=True)
        seen = size[:, 0] > SMALLEST_STEP
        scale = np.where(seen, 1.0, 0.0)[:, None] / np.maximum(size, SMALLEST_STEP)
        e = noise * scale
        speed = (e * predicted * scale).sum(axis=1)
        watched = np.column_stack([speed, along_pull * scale[:, 0], e])
        watched = watched.reshape(self._rows, -1, watched.shape[1])
        counts = seen.reshape(self._rows, -1).sum(axis=1)
        powers = [(watched**power).sum(axis=1) for power in (1, 2, 3)]
        return [Innovations(int(counts[k]), *(power[k] for power in powers)) for k in range(self._rows)]

    def _sampling(self, noise: Array, pull: Array, along_pull: Array, distance: Array) -> Array:
        u_set = noise[:, : pull.shape[1]][:, np.any(pull != 0, axis=0)]
        across = (u_set**2).sum(axis=1) - along_pull**2
        with np.errstate(divide="ignore", invalid="ignore"):
            added_to_log = (across - along_pull**2) / (2 * distance**2)
        return np.asarray(added_to_log.reshape(self._rows, -1).mean(axis=1))

    def _step_of_W(self, W: Array, after: Array) -> Array:
        """The tangent step that normalisation has turned into ``after``; the difference where nothing is normalised.

        Raises ValueError for one so long that its length is lost: the column turns by a right angle to rounding.
        """
        if not self._flow.projected:
            return after - W
        along = (W * after).sum(axis=-2, keepdims=True)
        if (along < np.finfo(np.float64).eps).any():
            raise ValueError(
                f"lr: expected steps that turn no column by a right angle, got one at lr = {self._lr:g}"
            )
        return np.asarray(after / along - W)

    def _pull(self, W: Array) -> tuple[Array, Array]:
        """The unit direction ``(K S, d n)`` of W along which ``||sin theta||`` falls fastest, and that norm."""
        m = self._teacher.shape[-1]
        units = unit_columns(W[..., :m])
        cosine = (units * self._teacher).sum(axis=-2, keepdims=True)
        across = tangent_projection(units, np.broadcast_to(self._teacher, units.shape))  # of size sin theta
        pull = np.zeros(W.shape)
        pull[..., :m] = cosine * across / np.linalg.norm(W[..., :m], axis=-2, keepdims=True)
        flat = pull.reshape(len(W), -1)
        length = np.linalg.norm(flat, axis=1, keepdims=True)
        distance = np.linalg.norm(across.reshape(len(W), -1), axis=1)
        return np.divide(flat, length, out=np.zeros_like(flat), where=length > 0), distance


def _flat(parts: dict[str, Array], networks: int) -> Array:
    return np.concatenate([part.reshape(networks, -1) for part in parts.values()], axis=1)
