"""What an input distribution must answer: its two ReLU kernels, samples, and its second moment.

A measure answers for pairs of weight columns ``w, w'`` (Tian 2019, Eqn 7):

``psi_d(w, w') = P(w.x > 0, w'.x > 0)``  and  ``psi_l(w, w') = E[relu(w.x) relu(w'.x)]``.

The gate is 0 at the kink, so a zero column has both kernels 0. Columns that are not finite give NaN.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dynamics.arrays import Array
from dynamics.geometry.columns import Columns


class InputMeasure(ABC):
    """A distribution of inputs x with its ReLU kernels; ``dim`` is the length d of a weight column.

    Kernels of n by m columns take O(n m) memory whatever the measure: no array of samples by pairs is made.
    """

    dim: int

    @abstractmethod
    def kernels(self, A: ArrayLike, B: ArrayLike) -> tuple[Array, Array]:
        """``(psi_l, psi_d)`` of every pair of columns: (..., d, n), (..., d, m) -> two arrays (..., n, m)."""

    @abstractmethod
    def sample(self, size: int, rng: np.random.Generator) -> Array:
        """``size`` independent inputs, (size, d)."""

    @abstractmethod
    def second_moment(self) -> Array:
        """``E[x x^T]``, (d, d)."""

    def psi_l(self, A: ArrayLike, B: ArrayLike) -> Array:
        """``E[relu(a_j.x) relu(b_k.x)]``: (..., d, n), (..., d, m) -> (..., n, m)."""
        return self.kernels(A, B)[0]

    def psi_d(self, A: ArrayLike, B: ArrayLike) -> Array:
        """``P(a_j.x > 0, b_k.x > 0)``: (..., d, n), (..., d, m) -> (..., n, m)."""
        return self.kernels(A, B)[1]

    def kernels_onto(self, teacher: Any, students: Any) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        """``(psi_l, psi_d)`` of the teachers (..., m, n) and of the students (..., n, n) with every student.

        Both arguments prepared. The arrays are the caller's to change. A measure may make both by one call of
        :meth:`kernels` on the columns joined.
        """
        return self.kernels(teacher, students), self.kernels(students, students)

    def psi_d_onto(self, teacher: Any, students: Any) -> tuple[Array, Array]:
        """``psi_d`` alone of :meth:`kernels_onto`."""
        return self.psi_d(teacher, students), self.psi_d(students, students)

    def prepare(self, A: ArrayLike) -> Any:
        """The columns ``A`` as this measure's kernels want them; may stand for ``A`` or ``B`` in any of them.

        Saves the work on single columns (norms, directions, checks) where they meet several others. A measure with
        nothing to save gives the array.
        """
        return self._checked("A", A)

    def prepare_unit(self, columns: Columns) -> Any:
        """:meth:`prepare` of the directions of ``columns``."""
        return self.prepare(columns.unit)

    def _columns(self, A: ArrayLike, B: ArrayLike) -> tuple[Array, Array]:
        """Both arguments as float64, checked; one object when they are one (the diagonal is then exact)."""
        A_array = self._checked("A", A)
        return A_array, (A_array if A is B else self._checked("B", B))

    def _checked(self, name: str, A: ArrayLike) -> Array:
        array = self._shaped(name, A)
        finite = np.isfinite(array)
        if not finite.all():  # NaN throughout, so that the arithmetic below raises no warning
            array = np.where(np.asarray(finite.all(axis=-2))[..., None, :], array, np.nan)
        return array

    def _shaped(self, name: str, A: ArrayLike) -> Array:
        array = np.asarray(A, dtype=np.float64)
        if array.ndim < 2 or array.shape[-2] != self.dim:
            raise ValueError(
                f"{name}: expected a weight matrix of shape (..., {self.dim}, n) for {self!r},"
                f" got shape {array.shape}"
            )
        return array
