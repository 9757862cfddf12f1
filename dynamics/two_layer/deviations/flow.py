"""A two-layer flow in scaled deviations from its solution: what ``integrate`` steps in place of W and V."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.arrays import Array, Vector
from dynamics.measures.input_measure import InputMeasure
from dynamics.ode.flow import ExplicitStep, Flow, Labels
from dynamics.overrides import definition_rank
from dynamics.two_layer.deviations.compiled_field import compiled_field
from dynamics.two_layer.deviations.field import DeviationField, Terms
from dynamics.two_layer.deviations.observables import observables_of_deviations, small
from dynamics.two_layer.student_flow import StudentFlow

# Elements of the largest array made while several states are observed at once, as in two_layer_dynamics.
_OBSERVED_ELEMENTS = 1 << 18


_LOG_2 = math.log(2.0)


class DeviationFlow(Flow):
    """``W = W* + 2^s Z``, ``V = V* + 2^s E``, with the length of (Z, E) constant: an exact change of variables.

    Z and E turn, and s falls: at the rate of decay over log 2, a straight line in the end. Tolerances on the state are
    then tolerances relative to the deviation, for every method and at every size of it. The r-set has no teacher: its
    columns of W are themselves part of the state, its fan-outs are deviations from 0.

    State: ``W`` (..., d, n), Z and then the r-set's columns; ``V`` (..., n, c), E, where V is learned; ``log2_scale``
    (...). :meth:`unpack` and the observables give what the flow itself gives, to the accuracy of the deviations.

    Projected flows move along spheres. Here they also return to them, by ``-r (||w_j||^2 - ||w*_j||^2) w_j``, r the
    rate at which the deviation falls: norms mean nothing, but what an integrator does to them must not outlast W - W*.

    A deviation that has fallen below the smallest number of float64 is 0 and stays so: the state is then at rest.

    Each student is paired with the teacher of its own index, as in all observables. One that ends at another teacher,
    or near none, keeps a deviation of order one: then this is no more, and no less, accurate than W and V.

    Args:
        flow: whose field on spherical input is that of ``terms``.
        terms: which flow it is.
        watches: whether its observables are those of two layers, and not a subclass's own.
    """

    def __init__(self, flow: StudentFlow, terms: Terms, *, watches: bool) -> None:
        problem = flow.problem
        self.flow, self.watches = flow, watches
        self.field = DeviationField(problem.teacher_W, problem.teacher_V, terms)
        self.start = flow.initial_state()
        self._arrays = self._scaled(flow.unpack(self.start))
        self._learns = "V" in self._arrays
        self._first = self.pack(self._arrays)
        self._compiled = compiled_field(self.field, self._arrays["W"].shape)

    @property
    def compiled(self) -> bool:
        """Whether the field is machine code, whose results differ from NumPy's by rounding."""
        return self._compiled is not None

    @property
    def explicit_step(self) -> ExplicitStep | None:
        """Of machine code, where the field is."""
        return None if self._compiled is None else self._compiled.step

    @property
    def initial_arrays(self) -> Mapping[str, Array]:
        """Z with the r-set, E where V is learned, and the binary logarithm of their scale."""
        return self._arrays

    def _scaled(self, start: Mapping[str, Array]) -> dict[str, Array]:
        """The start in deviations. Their scale is a power of two, so that none of them is rounded again."""
        m, arrays = self.field.teacher.m, {name: np.array(array) for name, array in start.items()}
        arrays["W"][..., :m] -= self.field.teacher.given
        arrays["W"][..., :m] /= self.field.teacher.lengths[..., None, :]
        arrays["W"] = self.field.teacher.from_given(arrays["W"])
        deviations = [arrays["W"][..., :m]]
        if "V" in arrays:
            arrays["V"][..., :m, :] -= self.flow.problem.teacher_V
            deviations.append(arrays["V"])
        square = np.asarray(sum((part * part).sum((-2, -1)) for part in deviations)) / m
        exponent = np.rint(0.5 * np.log2(np.where(square > 0, square, 1.0)))
        for part in deviations:
            part *= np.exp2(-exponent)[..., None, None]
        return {**arrays, "log2_scale": exponent}

    def parts(self, y: Vector) -> tuple[Array, Array | None, Array]:
        """``(Z, E, scale)`` of a flat state or of states on leading axes, the scale (..., 1, 1)."""
        parts = super().unpack(y)
        return parts["W"], parts.get("V"), np.exp2(parts["log2_scale"])[..., None, None]

    def __call__(self, t: float, y: Vector) -> Vector:
        if self._compiled is not None:
            return self._compiled(y)
        slope = np.empty_like(y)
        state, moves = ([y[part].reshape(shape) for _, part, shape in self._layout] for y in (y, slope))
        m, Z, E = self.field.teacher.m, state[0], state[1] if self._learns else None
        scale = np.exp2(state[-1])[..., None, None]
        dW, dV, apart = self.field(Z, E, scale)
        part, moved = (Z, dW) if Z.shape[-1] == m else (Z[..., :m], dW[..., :m])
        growth, square = _products(part, moved), _products(part, part)
        if E is not None and dV is not None:
            growth, square = growth + _products(E, dV), square + _products(E, E)
        rate = growth / np.where(square > 0, square, 1.0)  # no deviation, no growth
        moved -= rate[..., None, None] * part
        if self.field.terms.projected:  # norms return to the teachers' faster than the scale falls
            back = np.maximum(-rate, 0.0)[..., None] * apart.excess
            moved -= apart.unit[..., :m] * back[..., None, :]
        moves[0][...] = dW
        if E is not None and dV is not None:
            np.subtract(dV, rate[..., None, None] * E, out=moves[1])
        moves[-1][...] = rate / _LOG_2
        if not scale.all():
            _rest(moves, scale != 0)
        return slope

    @property
    def component_sizes(self) -> Vector:
        """Twice those of columns of length one, which the deviations have on average; less where they start long.

        So the error of a step at the start is at most what ``rtol`` allows for W itself.
        """
        size = np.minimum(2.0, np.exp2(-self._arrays["log2_scale"]))[..., None, None]
        sizes = {
            name: np.broadcast_to(size, array.shape)
            for name, array in self._arrays.items()
            if name != "log2_scale"
        }
        root = np.sqrt(self.flow.problem.d)
        return self.pack({**sizes, "W": sizes["W"] / root, "log2_scale": size[..., 0, 0]})

    def unpack(self, y: Vector) -> dict[str, Array]:
        """W and, where it is learned, V: those of the start to the last bit, later to rounding."""
        if y.ndim == 1 and y[-1] == self._first[-1] and np.array_equal(y, self._first):
            return self.flow.unpack(self.start)
        Z, E, scale = self.parts(y)
        problem = self.flow.problem
        W = self.field.teacher.to_given(Z) if self.field.teacher.basis is not None else np.array(Z)
        W[..., : problem.m] *= scale * self.field.teacher.lengths[..., None, :]
        W[..., : problem.m] += self.field.teacher.given
        if E is None:
            return {"W": W}
        V = scale * E
        V[..., : problem.m, :] += problem.teacher_V
        return {"W": W, "V": V}

    def told(self, y: Vector) -> Vector:
        """The flat state of W and V."""
        parts = [A.reshape(*y.shape[:-1], -1) for A in self.unpack(y).values()]
        return np.array(parts[0]) if len(parts) == 1 else np.concatenate(parts, axis=-1)

    def observables(self, y: Vector) -> dict[str, Array]:
        """Those of the flow, from the deviations; a subclass's own are asked for with W and V."""
        if not self.watches:
            return self.flow.observables(self.told(y))
        return observables_of_deviations(self.field, self.flow.problem, *self.parts(y))

    def observables_along(self, states: Sequence[Vector] | Array) -> dict[str, Array]:
        """The observables of a run's states (T, size), time first: as many states at once as stay in cache.

        States near the solution and states far from it are not mixed, for their losses come by different formulas.
        """
        if not self.watches:
            return self.flow.observables_along([self.told(y) for y in states])
        problem = self.flow.problem
        rows = max(
            1, _OBSERVED_ELEMENTS // (self.instances * problem.n * (problem.n + problem.m + problem.d))
        )
        near = [bool(np.all(small(self.field, Z, scale))) for Z, _, scale in map(self.parts, states)]
        turns = [0, *(np.flatnonzero(np.diff(near)) + 1).tolist(), len(near)]
        parts = [
            self.observables(np.stack(list(states[start : min(start + rows, end)])))
            for begin, end in pairwise(turns)
            for start in range(begin, end, rows)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def instance_labels(self, size: int) -> Labels | None:
        """The instance of each component: leading axes of every array."""
        if self.instances == 1:
            return None
        counts = [array.size // self.instances for array in self._arrays.values()]
        return np.concatenate([np.repeat(np.arange(self.instances), count) for count in counts])

    @property
    def as_given(self) -> Flow:
        return self.flow

    def short_of(self, observable: str, threshold: float, watched: Mapping[str, Any]) -> float:
        return self.flow.short_of(observable, threshold, watched)

    def told_component(self, index: int) -> int:
        """The component of W or V that a component here mostly is; of the scale, the largest scaled deviation's.

        Where the teachers' own basis is used: the entry of the same column that has the largest part in its axis.
        """
        places = super().unpack(np.arange(self._first.size, dtype=np.float64))
        name, place = next((name, p[0]) for name, A in places.items() if len(p := np.argwhere(index == A)))
        if name == "log2_scale":
            name = "V" if self._learns else "W"
            scaled = np.abs(self._arrays[name][tuple(place)])
            place = (*place, *np.unravel_index(int(scaled.argmax()), scaled.shape))
        elif name == "W" and self.field.teacher.basis is not None:
            lead, row, column = place[:-2], int(place[-2]), place[-1]
            axis = self.field.teacher.basis[(*lead, slice(None), row)]
            place = (*lead, int(np.abs(axis).argmax()), column)
        told = self.flow.unpack(np.arange(self.start.size, dtype=np.float64))
        return int(told[name][tuple(place)])

    def component_name(self, index: int, size: int) -> str:
        """The name of a component of W or V, as the flow gives it."""
        return self.flow.component_name(index, size)

    # What else a run tells of its flow is told by the flow itself.

    @property
    def name(self) -> str:
        return self.flow.name

    @property
    def dimensions(self) -> Mapping[str, tuple[str, ...]]:
        return {**self.flow.dimensions, "log2_scale": ()}

    @property
    def coordinates(self) -> Mapping[str, tuple[str, Any]]:
        return self.flow.coordinates

    def equilibrium(self) -> Vector:
        raise TypeError(
            f"flow: expected one with an equilibrium at a finite scale, got {self.name} in deviations"
        )

    def problem_description(self) -> dict[str, Any]:
        return self.flow.problem_description()

    def configuration(self) -> dict[str, Any]:
        """That of the flow, and whether the field was compiled."""
        return {**self.flow.configuration(), "compiled": self.compiled}


def _rest(moves: Sequence[Array], deviating: NDArray[np.bool_]) -> None:
    """Hold the instances that are not ``deviating`` (..., 1, 1): the scale, last of ``moves``, and what it scales."""
    for move in moves[:-1]:
        move *= deviating
    moves[-1][...] *= deviating[..., 0, 0]


def _products(A: Array, B: Array) -> Array:
    """Sums of the products of the entries of two matrices, (..., a, b) -> (...)."""
    size = A.shape[-2] * A.shape[-1]
    return np.asarray(np.vecdot(A.reshape(*A.shape[:-2], size), B.reshape(*B.shape[:-2], size)))


def deviation_flow(
    flow: StudentFlow,
    *,
    projected: bool,
    watches: bool,
    matched: bool = False,
    ones: bool = False,
    along: bool = False,
) -> DeviationFlow | None:
    """``flow`` in deviations, None where it has no such form; arguments as of :class:`DeviationFlow` and ``Terms``.

    It has one where the input is spherical, and where V is learned or is the teacher's (and 0 for the r-set).
    """
    problem, variance = flow.problem, flow.problem.measure.spherical_variance
    if variance is None or not _is_spherical_throughout(problem.measure):
        return None
    u_set, r_set = problem.student_V[..., : problem.m, :], problem.student_V[..., problem.m :, :]
    if not flow.trains_V and not (np.array_equal(u_set, problem.teacher_V) and not r_set.any()):
        return None
    terms = Terms(variance, projected, flow.trains_V, matched=matched, along=along, ones=ones)
    return DeviationFlow(flow, terms, watches=watches)


def _is_spherical_throughout(measure: InputMeasure) -> bool:
    """Whether no subclass has a gradient term of its own below the one that says it is spherical."""
    law = type(measure)
    return definition_rank(law, "gradient_term") >= definition_rank(law, "spherical_variance")
