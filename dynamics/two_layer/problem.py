"""The teacher-student problem: the one description that flows, networks and predictions share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from dynamics.arrays import Array
from dynamics.boundary import checked, naming
from dynamics.geometry.angles import norms, tangent_projection, unit_columns
from dynamics.geometry.columns import directions
from dynamics.measures.described import described_measure, entry
from dynamics.measures.input_measure import InputMeasure
from dynamics.measures.isotropic_gaussian import IsotropicGaussian
from dynamics.measures.own_measure import check_own_measure
from dynamics.memory import check_fits
from dynamics.two_layer.teachers import random_unit
from dynamics.validation import (
    Randomness,
    broadcast_lead,
    generator,
    integer,
    number,
    positive_int,
    real_array,
    shown,
)

_ARRAYS = ("teacher_W", "student_W", "teacher_V", "student_V")

UNIT_TOLERANCE = 1e-9
"""How far from 1 a column norm may be where unit columns are asked for (far above rounding, far below use)."""


@dataclass(frozen=True)
class TeacherStudent:
    """Teacher ``f*(x) = V*^T relu(W*^T x)`` and the student's start ``f(x) = V^T relu(W^T x)``, on one input measure.

    Column w_j is the fan-in of hidden node j, row v_j its fan-out. Students 1..m are paired with the teachers (the
    u-set), the rest is the r-set. Leading axes are the ensemble and are broadcast against each other. Everything is
    checked here, once; arrays are copied and made read-only.

    Args:
        teacher_W, student_W: fan-ins (..., d, m) and (..., d, n), no column zero.
        teacher_V, student_V: fan-outs (..., m, c) and (..., n, c), default ones; c = 1 where neither is given.
        measure: of the input x, of dimension d; default ``IsotropicGaussian(d)``, standard normal. With
            ``LeakyKernels.of(measure, a)`` relu is the leaky one of slope a, in flows and networks alike.
    Raises:
        ValueError: shapes that do not agree, entries that are not finite, or a zero column.
        TypeError: arguments that are no arrays of numbers or no ``InputMeasure``.
    Cost: memory five times the arrays given at the peak of the checks, afterwards once more.
    Source: Luck Matters, sections 2 and 3.3.
    """

    teacher_W: Array
    student_W: Array
    teacher_V: Array = field(default=None)  # type: ignore[arg-type]  # None means ones, resolved below
    student_V: Array = field(default=None)  # type: ignore[arg-type]
    measure: InputMeasure = field(default=None)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        arrays = {name: matrix(name, getattr(self, name)) for name in ("teacher_W", "student_W")}
        names = ("teacher_V", "student_V")
        given = {name: matrix(name, V) for name in names if (V := getattr(self, name)) is not None}
        outputs = next((V.shape[-1] for V in given.values()), 1)
        for name, W in zip(names, tuple(arrays.values()), strict=True):
            arrays[name] = given.get(name, np.ones((W.shape[-1], outputs)))
        measure = IsotropicGaussian(arrays["teacher_W"].shape[-2]) if self.measure is None else self.measure
        if not isinstance(measure, InputMeasure):
            raise TypeError(f"measure: expected an InputMeasure, got {type(measure).__name__}")
        _check_shapes(arrays, measure)
        batch = broadcast_lead(arrays, trailing=2)
        for name, array in arrays.items():
            full = np.array(np.broadcast_to(array, (*batch, *array.shape[-2:])))
            full.setflags(write=False)
            object.__setattr__(self, name, full)
        object.__setattr__(self, "measure", measure)

    def __repr__(self) -> str:
        stack = f", ensemble {self.batch_shape}" if self.batch_shape else ""
        sizes = f"d={self.d}, m={self.m}, n={self.n}, c={self.c}"
        return f"{type(self).__name__}({sizes}, {self.measure!r}{stack})"

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The ensemble's leading axes, ``()`` for one instance."""
        return self.teacher_W.shape[:-2]

    @property
    def d(self) -> int:
        """Length of a fan-in column (input dimension, plus one where the measure carries a bias)."""
        return int(self.teacher_W.shape[-2])

    @property
    def m(self) -> int:
        """Number of teacher nodes."""
        return int(self.teacher_W.shape[-1])

    @property
    def n(self) -> int:
        """Number of student nodes."""
        return int(self.student_W.shape[-1])

    @property
    def c(self) -> int:
        """Number of outputs."""
        return int(self.teacher_V.shape[-1])

    @property
    def sizes(self) -> dict[str, int]:
        """``d``, ``m``, ``n`` and ``c`` by name."""
        return {"d": self.d, "m": self.m, "n": self.n, "c": self.c}

    @property
    def slope(self) -> float:
        """Slope of the activation below zero: 0 is the ReLU."""
        return self.measure.slope

    @cached_property
    def prepared_teacher(self) -> Any:
        """The teacher's columns as the measure's kernels want them (:meth:`InputMeasure.prepare`)."""
        return self.measure.prepare(self.teacher_W)

    @cached_property
    def teacher_second_moment(self) -> Array:
        """``E||f*(x)||^2 = <psi_l(W*, W*), V* V*^T>``, shape (...): twice the term of the loss without students."""
        teacher = self.prepared_teacher
        return np.asarray(
            (self.measure.psi_l(teacher, teacher) @ self.teacher_V * self.teacher_V).sum((-2, -1))
        )

    def require_unit_columns(self) -> None:
        """Raise ValueError unless every fan-in column has unit norm (to ``UNIT_TOLERANCE``)."""
        for name in ("teacher_W", "student_W"):
            length = norms(getattr(self, name))
            worst = float(length.flat[np.abs(length - 1).argmax()])
            if abs(worst - 1) > UNIT_TOLERANCE:
                raise ValueError(
                    f"{name}: expected unit columns for a projected flow, got a norm of {worst:.6g}"
                )

    def require_u_set(self) -> None:
        """Raise ValueError when there are fewer students than teachers."""
        if self.m > self.n:
            raise ValueError(
                f"student_W: expected at least m = {self.m} columns to pair with the teachers, got n = {self.n}"
            )

    def instance(self, index: int | tuple[int, ...]) -> Self:
        """The instance at ``index`` of the leading axes, as a problem of its own; ValueError where there is none."""
        require_index(index, self.batch_shape)
        return replace(
            self,
            teacher_W=self.teacher_W[index],
            student_W=self.student_W[index],
            teacher_V=self.teacher_V[index],
            student_V=self.student_V[index],
        )

    def description(self) -> dict[str, Any]:
        """All of the problem by name: its arrays, not copied, and the measure in plain data.

        What a result keeps to say which problem it is of; :meth:`from_description` makes the problem of it again.
        """
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        return {"kind": "TeacherStudent", **arrays, **self.measure.description()}

    @classmethod
    @checked
    def from_description(cls, description: Mapping[str, Any], *, measure: InputMeasure | None = None) -> Self:
        """The problem that was described, bit for bit: that of a saved run from ``Trajectory.load(path).problem``.

        Args:
            description: what :meth:`description` gave; further entries are passed over.
            measure: needed where the problem's was of a class of one's own.

        Raises:
            ValueError: another kind of problem, or a measure that cannot be made again.
        """
        if not isinstance(kind := description.get("kind"), str) or kind != "TeacherStudent":
            raise ValueError(f"description: expected one of a TeacherStudent, got kind {shown(kind)}")
        arrays = {name: entry(description, name) for name in _ARRAYS}
        with naming("description"):
            law = described_measure(description) if measure is None else measure
            return cls(**arrays, measure=law)

    @classmethod
    def at_angle(
        cls,
        teacher_W: ArrayLike,
        theta0: float | Array,
        rng: Randomness,
        *,
        teacher_V: ArrayLike | None = None,
        measure: InputMeasure | None = None,
    ) -> TeacherStudent:
        """n = m students, each at a given angle from its teacher in a uniformly random tangent direction.

        Args:
            teacher_W: (..., d, m), d >= 2; normalised to unit columns.
            theta0: radians in [0, pi], a number or an array that broadcasts to (..., m).
            rng: a seed or a generator.
            teacher_V: (..., m, c), default ones; the students start with the same fan-outs.
            measure: of the input, default ``IsotropicGaussian(d)``.
        Raises:
            ValueError: an angle outside [0, pi], d < 2, or as the class.
        Source: the start of Luck Matters, Theorem 4.
        """
        turn = real_array("theta0", theta0)
        if np.any(~((turn >= 0) & (turn <= np.pi))):
            raise ValueError(f"theta0: expected angles in [0, pi], got {shown(theta0)}")
        teacher = directions("teacher_W", matrix("teacher_W", teacher_W)).unit
        if teacher.shape[-2] < 2:
            raise ValueError(f"teacher_W: expected at least 2 rows to turn a column, got {teacher.shape[-2]}")
        noise = generator("rng", rng, of="at_angle").standard_normal(teacher.shape)
        tangent = unit_columns(tangent_projection(teacher, noise))
        of_nodes = teacher.shape[:-2] + teacher.shape[-1:]
        fits = turn.ndim <= len(of_nodes) and all(
            size in (1, whole) for size, whole in zip(turn.shape[::-1], of_nodes[::-1], strict=False)
        )
        if not fits:
            raise ValueError(
                f"theta0: expected a number or an array that broadcasts to {of_nodes}, got shape {turn.shape}"
            )
        turn = np.broadcast_to(turn, of_nodes)
        student = unit_columns(np.cos(turn)[..., None, :] * teacher + np.sin(turn)[..., None, :] * tangent)
        return cls(teacher, student, teacher_V, teacher_V, measure)  # type: ignore[arg-type]

    @classmethod
    def near_teacher(
        cls,
        teacher_W: ArrayLike,
        teacher_V: ArrayLike,
        n: int,
        rng: Randomness,
        *,
        p_W: float = 1.0,
        p_V: float = 1.0,
        measure: InputMeasure | None = None,
    ) -> TeacherStudent:
        """The perturbed start of section 4.2, n >= m students: ``W_u = colnorm(p_W W* + W_eps)``, ``W_r = W_eps``.

        ``W_eps`` has independent columns, uniform on the unit sphere. V likewise with p_V, node by node: the fan-outs
        (rows of V) of the noise and of the start have unit norm.

        Args:
            teacher_W, teacher_V: (..., d, m), normalised to unit columns, and (..., m, c).
            n: number of students.
            rng: a seed or a generator.
            p_W, p_V: weights of the teacher in the start, >= 0; 0 is a random start.
            measure: of the input, default ``IsotropicGaussian(d)``.
        Raises:
            ValueError: n < m, a negative weight, or as the class.
        Source: Luck Matters, section 4.2 (v4, Fig. 7).
        """
        for name, p in (("p_W", p_W), ("p_V", p_V)):
            number(name, p, least=0)
        W, V = directions("teacher_W", matrix("teacher_W", teacher_W)).unit, matrix("teacher_V", teacher_V)
        d, m = W.shape[-2:]
        if positive_int("n", n) < m:
            raise ValueError(f"n: expected at least m = {m} students, got {n}")
        check_fits("n", n * (d + V.shape[-1]))
        if V.shape[-2] != m:
            raise ValueError(f"teacher_V: expected {m} rows, one a teacher node, got shape {V.shape}")
        batch = broadcast_lead({"teacher_W": W, "teacher_V": V}, trailing=2)
        source = generator("rng", rng, of="near_teacher")
        fan_in = random_unit(d, n, source, batch)
        fan_out = random_unit(V.shape[-1], n, source, batch)
        fan_in[..., :m] += p_W * W
        with np.errstate(over="ignore"):
            pull = p_V * np.swapaxes(V, -1, -2)
        if not np.isfinite(pull).all():
            raise ValueError(f"p_V: expected a weight with p_V teacher_V finite, got {p_V}")
        fan_out[..., :m] += pull
        start_V = np.swapaxes(unit_columns(fan_out), -1, -2)
        return cls(W, unit_columns(fan_in), V, start_V, measure)  # type: ignore[arg-type]


def require_index(index: Any, batch: tuple[int, ...]) -> None:
    """Raise TypeError or ValueError unless ``index`` is one of an ensemble of shape ``batch``, or of its first axes."""
    parts = index if isinstance(index, tuple) else (index,)
    for part in parts:
        integer("index", part)
    if len(parts) > len(batch) or not all(-n <= i < n for i, n in zip(parts, batch, strict=False)):
        raise ValueError(f"index: expected one of an ensemble of shape {batch}, got {shown(index)}")


def matrix(name: str, value: Any) -> Array:
    """``value`` as a non-empty array of matrices (..., rows, columns) with finite entries; ValueError or TypeError."""
    array = real_array(name, value)
    if array.ndim < 2 or 0 in array.shape:
        raise ValueError(
            f"{name}: expected a non-empty array of shape (..., rows, columns), got {array.shape}"
        )
    return array


def _check_shapes(arrays: dict[str, Array], measure: InputMeasure) -> None:
    d = arrays["teacher_W"].shape[-2]
    if arrays["student_W"].shape[-2] != d:
        raise ValueError(f"student_W: expected d = {d} rows as teacher_W, got {arrays['student_W'].shape}")
    check_own_measure(measure)
    if measure.dim != d:
        raise ValueError(f"measure: expected a measure on columns of length {d}, got dim = {measure.dim}")
    outputs = arrays["teacher_V"].shape[-1]
    for side in ("teacher", "student"):
        expected = (arrays[f"{side}_W"].shape[-1], outputs)
        if arrays[f"{side}_V"].shape[-2:] != expected:
            raise ValueError(
                f"{side}_V: expected shape (..., {expected[0]}, {outputs}), got {arrays[f'{side}_V'].shape}"
            )
        if not np.all(norms(arrays[f"{side}_W"]) > 0):
            raise ValueError(f"{side}_W: expected non-zero columns, got a zero column")
