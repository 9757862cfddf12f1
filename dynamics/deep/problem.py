"""The teacher-student problem of any depth on a given set of samples: the description that deep flows share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.arrays import Array
from dynamics.boundary import check_fields, checked, naming
from dynamics.deep.weights import Weights, augmented, chained, frozen, require_same_ends, widths
from dynamics.geometry.angles import norms
from dynamics.geometry.columns import scaled_columns
from dynamics.measures.described import described_measure, entry
from dynamics.measures.empirical import EmpiricalMeasure
from dynamics.measures.input_measure import InputMeasure
from dynamics.memory import check_fits
from dynamics.two_layer.problem import UNIT_TOLERANCE, require_index
from dynamics.two_layer.teachers import random_unit
from dynamics.validation import (
    Randomness,
    broadcast_lead,
    generator,
    integer,
    number,
    positive_int,
    shown,
)


@dataclass(frozen=True)
class DeepProblem:
    """Teacher and student ``f_{l+1} = sigma(W_l^T f_l)`` of one depth, without sigma on top, over samples of f_0.

    ``sigma(z) = z`` where z > 0 and ``slope z`` elsewhere; its gate at the kink is the slope. Leading axes are the
    ensemble and are broadcast against each other; all instances share the samples.

    Args:
        teacher, student: W_0 .. W_{L-1}, L >= 2, each ``(..., n_l, n_{l+1})``; hidden widths may differ.
        measure: of the samples of f_0, equal or weighted.
        slope: in [0, 1).
        biased: whether the last coordinate of every sample and the last node of every hidden layer is the constant 1,
            made by the fan-in (0, .., 0, 1), so that the last row of each W_l holds biases. :meth:`with_biases` makes
            such problems.

    Raises:
        ValueError, TypeError: shapes that do not chain or agree, entries that are not finite, augmented nodes that are
            not constant. Checked once, here; arrays are copied and made read-only.
    Memory: that of the weights, once more.
    Source: Luck Matters, section 2.
    """

    teacher: Weights
    student: Weights
    measure: InputMeasure
    slope: float = 0.0
    biased: bool = False

    def __post_init__(self) -> None:
        check_fields(self)
        atoms_of(self.measure)
        slope = number("slope", self.slope, least=0, below=1)
        nets = {name: chained(name, getattr(self, name)) for name in ("teacher", "student")}
        require_same_ends(nets["teacher"], nets["student"], self.measure.dim)
        if self.biased:
            _check_constants(nets, self.measure)
        stack = {f"{name}[{level}]": W for name, net in nets.items() for level, W in enumerate(net)}
        batch = broadcast_lead(stack, trailing=2)
        for name, net in nets.items():
            object.__setattr__(self, name, tuple(frozen(W, batch) for W in net))
        object.__setattr__(self, "slope", slope)

    def __repr__(self) -> str:
        stack = f", ensemble {self.batch_shape}" if self.batch_shape else ""
        teacher, student = ("-".join(map(str, net)) for net in (self.teacher_widths, self.student_widths))
        return f"{type(self).__name__}(teacher {teacher}, student {student}, {self.measure!r}{stack})"

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """The ensemble's leading axes, ``()`` for one instance."""
        return self.student[0].shape[:-2]

    @property
    def depth(self) -> int:
        """Number of weight matrices L."""
        return len(self.student)

    @property
    def teacher_widths(self) -> tuple[int, ...]:
        """``(d, m_1, .., m_{L-1}, C)``, augmented nodes included."""
        return widths(self.teacher)

    @property
    def student_widths(self) -> tuple[int, ...]:
        """``(d, n_1, .., n_{L-1}, C)``, augmented nodes included."""
        return widths(self.student)

    def paired_nodes(self, layer: int) -> NDArray[np.intp]:
        """Indices of the students of one layer that are paired with the teacher's nodes, in the teacher's order.

        Inputs and outputs are paired one to one. In a hidden layer the first m_l students are paired, and a constant
        node is paired with the teacher's constant node.

        Args:
            layer: 0 for the inputs, ``depth`` for the outputs.
        Returns:
            ``(m_l,)``.
        Raises:
            ValueError: there are fewer students than teachers.
        """
        if not 0 <= integer("layer", layer) <= self.depth:
            raise ValueError(f"layer: expected one from 0 to {self.depth}, got {layer}")
        m, n = self.teacher_widths[layer], self.student_widths[layer]
        if n < m:
            raise ValueError(
                f"student: expected at least {m} nodes in layer {layer} to pair with the teacher's, got {n}"
            )
        paired = np.arange(m)
        if self.biased and 0 < layer < self.depth:
            paired[-1] = n - 1
        return paired

    def require_unit_columns(self) -> None:
        """Raise ValueError unless the fan-ins of the student's hidden nodes have unit norm."""
        for level, W in enumerate(self.student[:-1]):
            length = norms(W)
            worst = float(length.flat[np.abs(length - 1).argmax()])
            if abs(worst - 1) > UNIT_TOLERANCE:
                raise ValueError(
                    f"student: expected unit columns in W_{level} for a projected flow, got a norm of {worst:.6g}"
                )

    def instance(self, index: int | tuple[int, ...]) -> DeepProblem:
        """The instance at ``index`` of the leading axes, as a problem of its own; ValueError where there is none."""
        require_index(index, self.batch_shape)
        teacher, student = (tuple(W[index] for W in net) for net in (self.teacher, self.student))
        return DeepProblem(teacher, student, self.measure, self.slope, self.biased)

    def description(self) -> dict[str, Any]:
        """All of the problem by name: its weight matrices and samples, not copied, and plain data.

        What a result keeps to say which problem it is of; :meth:`from_description` makes the problem of it again.
        """
        nets = {"teacher": self.teacher, "student": self.student}
        weights = {f"{name}_W{level}": W for name, net in nets.items() for level, W in enumerate(net)}
        plain = {"kind": "DeepProblem", "depth": self.depth, "slope": self.slope, "biased": self.biased}
        return {**plain, **weights, **self.measure.description()}

    @classmethod
    @checked
    def from_description(
        cls, description: Mapping[str, Any], *, measure: InputMeasure | None = None
    ) -> DeepProblem:
        """The problem that was described, bit for bit: that of a saved run from ``Trajectory.load(path).problem``.

        Args:
            description: what :meth:`description` gave; further entries are passed over.
            measure: needed where the problem's was of a class of one's own.

        Raises:
            ValueError: another kind of problem, or a measure that cannot be made again.
        """
        if not isinstance(kind := description.get("kind"), str) or kind != "DeepProblem":
            raise ValueError(f"description: expected one of a DeepProblem, got kind {shown(kind)}")
        with naming("description"):
            law = described_measure(description) if measure is None else measure
            levels = range(positive_int("depth", entry(description, "depth")))
            teacher, student = (
                tuple(entry(description, f"{name}_W{level}") for level in levels)
                for name in ("teacher", "student")
            )
            return cls(teacher, student, law, entry(description, "slope"), entry(description, "biased"))

    @classmethod
    def with_biases(
        cls,
        teacher: Sequence[ArrayLike],
        teacher_biases: Sequence[ArrayLike],
        student: Sequence[ArrayLike],
        student_biases: Sequence[ArrayLike],
        measure: InputMeasure,
        slope: float = 0.0,
    ) -> DeepProblem:
        """The problem of networks ``f_{l+1} = sigma(W_l^T f_l + b_l)`` on augmented nodes.

        Args:
            teacher, student: weight matrices without the constant nodes.
            teacher_biases, student_biases: ``(..., n_{l+1})`` for every weight matrix, the top's too.
            measure: of the inputs, without the constant coordinate.
            slope: as the class.
        Raises:
            ValueError, TypeError: as the class, and biases that do not fit their layers.
        """
        samples, p = atoms_of(measure)
        samples = np.pad(samples, ((0, 0), (0, 1)), constant_values=1.0)
        return cls(
            augmented("teacher", teacher, teacher_biases),
            augmented("student", student, student_biases),
            EmpiricalMeasure(samples, p),
            slope,
            biased=True,
        )

    @classmethod
    def over_parameterised(
        cls,
        teacher: Sequence[ArrayLike],
        factor: int,
        rng: Randomness,
        *,
        measure: InputMeasure,
        p_W: float = 0.0,
        gain: float = 1.0,
        slope: float = 0.0,
    ) -> DeepProblem:
        """Students ``factor`` times as wide in every hidden layer, whose first m_l nodes may start near the teacher's.

        ``W_l = gain colnorm(noise + p_W W*_l)``, with W*_l in the rows of the first m_l and the columns of the first
        m_{l+1} nodes and zero elsewhere; noise of unit columns.

        Args:
            teacher: its weight matrices.
            factor: from 1 on.
            rng: a seed or a generator.
            p_W: weight of the teacher in the start, >= 0; 0 is random initialisation.
            gain: norm of every fan-in.
            measure, slope: as the class.
        Raises:
            ValueError, TypeError: as the class, or an argument out of its range.
        Source: the start of Luck Matters, section 4.2, layer by layer.
        """
        factor, p_W = positive_int("factor", factor), number("p_W", p_W, least=0)
        source = generator("rng", rng, of="over_parameterised")
        own = chained("teacher", teacher)
        m = widths(own)
        n = (m[0], *(factor * width for width in m[1:-1]), m[-1])
        batch = broadcast_lead({f"teacher[{level}]": W for level, W in enumerate(own)}, trailing=2)
        check_fits("factor", max(map(math.prod, pairwise(n))) * math.prod(batch))
        student = []
        for level, W in enumerate(own):
            start = random_unit(n[level], n[level + 1], source, batch)
            with np.errstate(over="ignore"):
                start[..., : m[level], : m[level + 1]] += p_W * W
            if not np.isfinite(start).all():
                raise ValueError(f"p_W: expected a weight with p_W W*_{level} finite, got {p_W}")
            start = scaled_columns(start)
            student.append(
                number("gain", gain, positive=True) * start / np.linalg.norm(start, axis=-2, keepdims=True)
            )
        return cls(own, tuple(student), measure, slope)


def atoms_of(measure: InputMeasure) -> tuple[Array, Array | None]:
    """The samples (N, d) that are a measure's whole law, and their weights (N,), None where these are equal.

    Networks are evaluated on the samples, which hear nothing else that a measure says. Raises TypeError for another
    measure, and for one derived from ``EmpiricalMeasure`` that overrides its moments or its ``sample``.
    """
    atoms = measure.atoms if isinstance(measure, InputMeasure) else None
    if atoms is None:
        raise TypeError(f"measure: expected an EmpiricalMeasure, got {type(measure).__name__}")
    return atoms


def _check_constants(nets: dict[str, Weights], measure: InputMeasure) -> None:
    """The last coordinate and the last hidden nodes are 1 on every sample."""
    if not np.all(atoms_of(measure)[0][:, -1] == 1):
        raise ValueError("measure: expected samples that end in 1 where biased, got others")
    for name, net in nets.items():
        for level, W in enumerate(net[:-1]):
            column = W[..., -1]
            if not (np.all(column[..., :-1] == 0) and np.all(column[..., -1] == 1)):
                raise ValueError(f"{name}: expected (0, .., 0, 1) as last column of W_{level} where biased")
