"""What the flows of two-layer students share: columns on spheres or not, observables, coordinates, a solution."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from dynamics.arrays import Array
from dynamics.boundary import checked, naming
from dynamics.geometry.columns import Columns, directions, norms
from dynamics.geometry.coordinate_axes import CoordinateAxes
from dynamics.geometry.leading_rows import LeadingRows
from dynamics.overrides import keeps
from dynamics.two_layer.deviations.flow import DeviationFlow, deviation_flow
from dynamics.two_layer.observables import (
    DIMENSIONS,
    population_loss,
    sine_from_teacher,
    two_layer_observables,
)
from dynamics.two_layer.problem import TeacherStudent
from dynamics.two_layer.student_flow import StudentFlow
from dynamics.two_layer.tangent_gram import TangentGram
from dynamics.validation import shown

# Elements of the largest array made while several states are observed at once: 2^18 float64, 2 MiB, stay in cache.
_OBSERVED_ELEMENTS = 1 << 18

_FIELD = ("field", "__call__", "prepare", "teacher", "teacher_times", "of_tangent", "unpack")
"""Members that make dy/dt."""

_CHEAP_PAIRS = 2 * 128**2
"""Pairs of a student with a student or a teacher up to which the arrays of deviations stay in cache."""

SOLVED = 1e-12
"""A population loss up to this share of the teacher's second moment is zero: 1000 times its rounding."""


class TwoLayerDynamics(StudentFlow):
    """Base of the flows of two-layer students on an input measure: ``(W, V)' = field(W, V)``, projected or not.

    A projected flow lives on unit columns. Off them its field is extended by homogeneity,
    ``w_j' = ||w_j|| P_perp(w_j) g_j(W / ||w||)``: what an integrator does to the norms never touches the directions,
    and nothing is renormalised during a run.

    A subclass defines :meth:`field`, and :meth:`tangent_gram` where it knows its Jacobian at a solution. Where a
    subclass of such a flow overrides the field alone, the known Jacobian is no longer given.

    State: W (..., d, n) and, where ``trains_V``, V (..., n, c), flat in C order. Observables: those of
    :func:`~dynamics.two_layer.observables.two_layer_observables`.

    Args:
        problem: teacher, start and measure, n >= m; leading axes are an ensemble.
        projected: whether columns stay on the unit sphere.
        trains_V: whether V moves.
    Raises:
        ValueError: fewer students than teachers, or columns that are not unit where projected.
    """

    dimensions = DIMENSIONS

    rests_on: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **StudentFlow.rests_on,
        "observables_along": ("observables", "matrices", "unpack"),
        "short_of": ("observables",),
        "of_tangent": ("of_matrices", "pack"),
        "tangent_gram": (*_FIELD, "matrices"),
        "cheaper_coordinates": (*_FIELD, "of_matrices", "pack", "initial_arrays"),
        "in_deviations": (*_FIELD, "matrices", "of_matrices", "pack"),
    }

    @checked
    def __init__(self, problem: TeacherStudent, *, projected: bool, trains_V: bool) -> None:
        problem.require_u_set()
        if projected:
            problem.require_unit_columns()
        super().__init__(problem, trains_V=trains_V)
        self.projected = projected
        self._columns: Columns | None = None

    def matrices(self, y: Array) -> tuple[Array, Array]:
        """``(W, V)`` of a flat state ``(..., size)``; unit columns where the flow is projected."""
        W, V = super().matrices(y)
        return directions("y, W", W).unit if self.projected else W, V

    def observables(self, y: Array) -> dict[str, Array]:
        """The observables of one flat state, or of states (..., size) stacked on leading axes.

        Where the flow is projected they are those of the unit columns, but for ``norm_drift``.
        """
        W, V = self.matrices(y)
        watched = two_layer_observables(self.problem, W, V)
        watched["norm_drift"] = norms(self.unpack(y)["W"]) / norms(self.problem.student_W) - 1
        return watched

    def short_of(self, observable: str, threshold: float, watched: Mapping[str, Any]) -> float:
        """As for any flow; by ``sin_theta`` at the solution alone, see :func:`dynamics.ode.events.converged`.

        Opposite a teacher the sine is small too, and where the fan-outs are off, or an irrelevant node still speaks,
        the fan-ins may be right and the loss is not. So beyond a right angle ``2 - sin theta`` counts
        (:func:`~dynamics.two_layer.observables.sine_from_teacher`), and the loss must be one that fan-ins within
        sin theta of the teacher and fan-outs within that share of it can have: by Minkowski's inequality at most
        ``1/2 (1 + sqrt 2)^2 L (sum_j ||w*_j|| ||v*_j||)^2 sin^2 theta`` with L the largest eigenvalue of E[x x^T].
        """
        if observable != "sin_theta":
            return super().short_of(observable, threshold, watched)
        along = float(np.max(sine_from_teacher(watched["angle"]))) - threshold
        excess = np.sqrt(np.maximum(watched["loss"] - self._loss_rounding, 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):  # a teacher that says nothing
            as_sine = np.where(excess > 0, excess / self._root_loss_of_sine, 0.0)
        return max(along, float(np.max(as_sine)) - threshold)

    @cached_property
    def _loss_rounding(self) -> Array:
        """A population loss up to this is zero."""
        return SOLVED * self.problem.teacher_second_moment

    @cached_property
    def _root_loss_of_sine(self) -> Array:
        """The root of the largest loss at ``sin theta = 1`` in the bound of :meth:`short_of`, (...)."""
        problem = self.problem
        variance = problem.measure.spherical_variance
        largest = np.linalg.norm(problem.measure.second_moment(), 2) if variance is None else variance
        speech = norms(problem.teacher_W) * np.linalg.norm(problem.teacher_V, axis=-1)
        return np.asarray((1 + np.sqrt(2)) * np.sqrt(largest / 2) * speech.sum(axis=-1))

    def observables_along(self, states: Sequence[Array] | Array) -> dict[str, Array]:
        """The observables of a run's states (T, size), time first: as many states at once as stay in cache."""
        problem = self.problem
        many = isinstance(states, Sequence) or (isinstance(states, np.ndarray) and states.ndim > 1)
        if not many or not len(states):
            raise ValueError(
                f"states: expected one or more flat states, shape (T, size), got {shown(states)}"
            )
        per_state = self.instances * problem.n * (problem.n + problem.m + problem.d)
        rows = max(1, _OBSERVED_ELEMENTS // per_state)
        parts = []
        for start in range(0, len(states), rows):
            with naming("states"):
                some = np.stack([self.checked_states(y) for y in states[start : start + rows]])
            parts.append(self.observables(some))
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def __call__(self, t: float, y: Array) -> Array:
        state = self.unpack(y)
        V = state.get("V", self.problem.student_V)
        if not self.projected:
            return self.of_matrices(*self.field(state["W"], V))
        columns = directions("y, W", state["W"])
        self._columns = columns
        dW, dV = self.field(columns.unit, V)
        dW = columns.tangent(dW)
        dW *= columns.norms[..., None, :]
        return self.of_tangent(dW, dV)

    def of_tangent(self, dW: Array, dV: Array) -> Array:
        """As :meth:`of_matrices`, without its copy where V is fixed: a projected dW is a new array."""
        return self.of_matrices(dW, dV) if self.trains_V else dW.reshape(-1)

    def prepare(self, W: Array) -> Any:
        """The students W as the measure's kernels want them; ``__call__`` has found the directions already."""
        if self._columns is not None and W is self._columns.unit:
            return self.problem.measure.prepare_unit(self._columns)
        return self.problem.measure.prepare(W)

    @cached_property
    def teacher(self) -> Any:
        """The teacher as the measure's kernels want it; by direction where the students are."""
        columns, measure = self._sparse_teacher, self.problem.measure
        if not self.projected and not isinstance(columns, CoordinateAxes):
            return self.problem.prepared_teacher
        return measure.prepare_unit(columns or directions("teacher_W", self.problem.teacher_W))

    @cached_property
    def _sparse_teacher(self) -> CoordinateAxes | LeadingRows | None:
        """The teacher where its rows from some one on are zero, as in a basis of its own; None elsewhere."""
        W = self.problem.teacher_W
        return CoordinateAxes.found_in(W) or LeadingRows.found_in("teacher_W", W)

    def teacher_times(self, H: Array) -> Array:
        """``W* H`` for H (..., m, n), which is the caller's no more."""
        columns = self._sparse_teacher
        return self.problem.teacher_W @ H if columns is None else columns.times(H)

    @abstractmethod
    def field(self, W: Array, V: Array) -> tuple[Array, Array]:
        """``(W', V')`` before any projection, (..., d, n) and (..., n, c); V' is ignored where V is fixed.

        ``W`` has unit columns where the flow is projected.
        """

    @property
    def deviations_are_cheap(self) -> bool:
        """Up to 128 students and as many teachers, none of whose arrays starts short.

        Measured 0.8 to 1.1 times the time there, 1.2 to 1.8 above. A fan-in or fan-out much shorter than its deviation
        has its own digits in W and V, and loses them where errors count relative to the deviation.
        """
        problem = self.problem
        if problem.n * (problem.n + problem.m) > _CHEAP_PAIRS:
            return False
        long = _no_shorter(norms(problem.student_W), norms(problem.teacher_W))
        return long and (
            not self.trains_V or _no_shorter(norms(problem.student_V.mT), norms(problem.teacher_V.mT))
        )

    def _deviations(self, **terms: bool) -> DeviationFlow | None:
        """This flow in deviations, where it has that form; see :func:`deviation_flow`."""
        watches = keeps(self, TwoLayerDynamics, "observables", "observables_along")
        return deviation_flow(self, projected=self.projected, watches=watches, **terms)

    def tangent_gram(self, y: Array) -> TangentGram | None:
        """Minus the Jacobian at the flat state ``y`` as a map of tangent steps, where a closed form is known.

        None where it is not, and then differences of the flow serve (:mod:`dynamics.two_layer.linearization`). A
        subclass that changes the field, and not this, has none.
        """
        return None

    def _gram_at_solution(self, y: Array) -> TangentGram | None:
        """The closed form for flows that are, projected and for spherical input, the gradient flow of the loss."""
        problem = self.problem
        if not self.projected or problem.measure.spherical_variance is None:
            return None
        W, V = self.matrices(y)
        if not np.all(np.abs(population_loss(problem, W, V)) <= self._loss_rounding):
            return None
        return TangentGram(W, V, problem.measure, trains_V=self.trains_V)

    def equilibrium(self) -> Array:
        """Flat state of a solution: the u-set at the teacher; the r-set where it starts, its fan-outs zero.

        Raises ValueError where V is fixed at other fan-outs.
        """
        W, V = self.problem.student_W.copy(), self.problem.student_V.copy()
        W[..., : self.problem.m] = self.problem.teacher_W
        V[..., : self.problem.m, :] = self.problem.teacher_V
        V[..., self.problem.m :, :] = 0.0
        if not self.trains_V and not np.array_equal(V, self.problem.student_V):
            raise ValueError(
                "student_V: expected the teacher's fan-outs (and zeros) where V is fixed, for W = W* to solve"
            )
        return self.of_matrices(W, V)

    def configuration(self) -> dict[str, Any]:
        """The flow in plain data, for a result's attributes."""
        return {**super().configuration(), "projected": self.projected}


def _no_shorter(student: Array, teacher: Array) -> bool:
    """Whether all of the students' lengths are at least half of the shortest of the teachers'."""
    return bool(np.all(2 * student.min(axis=-1) >= teacher.min(axis=-1)))
