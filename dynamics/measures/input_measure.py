"""What an input distribution must answer: its two ReLU kernels, samples, its second moment, and what follows.

A measure answers for pairs of weight columns ``w, w'`` (Tian 2019, Eqn 7):

``psi_d(w, w') = P(w.x > 0, w'.x > 0)``  and  ``psi_l(w, w') = E[relu(w.x) relu(w'.x)]``.

The gate is 0 at the kink, so a zero column has both kernels 0. Columns that are not finite give NaN.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from dynamics.arrays import Array
from dynamics.geometry.columns import Columns
from dynamics.measures.kernel_bounds import KernelBounds
from dynamics.measures.random_stream import RandomStream
from dynamics.measures.tied_kernels import tie_kernels
from dynamics.overrides import HearsOverrides
from dynamics.validation import real_numbers

_KERNELS = ("kernels", "psi_l", "psi_d")
_MADE_OF_KERNELS = ("kernels_onto", "psi_d_onto")


class InputMeasure(HearsOverrides, ABC):
    """The law of an input x, as a two-layer ReLU network needs it; ``dim`` is the length d of a weight column.

    A measure of one's own defines :meth:`kernels` (or :meth:`psi_l` and :meth:`psi_d`), :meth:`sample` and
    :meth:`second_moment`. Everything else has a default made of these three, or says that it is not known:
    :attr:`spherical_variance`, :attr:`biased_normal`, :attr:`symmetric`, :attr:`atoms`, :meth:`gradient_term`,
    :meth:`kernel_bounds`, :meth:`leaky_kernels`, :meth:`leaky_gradient_term`.

    A subclass of a concrete measure is heard everywhere: what it overrides changes all that the base class worked out
    from it (``rests_on``), by going back to the defaults here. So a control such as "the Gaussian with its overlaps
    halved" is one method long. Overrides of :meth:`prepare`, :meth:`prepare_unit` and :meth:`joined` only save work:
    they must not change what the columns are.

    Kernels of n by m columns take O(n m) memory whatever the measure: no array of samples by pairs is made.
    Source: Luck Matters, Eqn 7.
    """

    dim: int

    rests_on: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "prepare": _KERNELS,
        "prepare_unit": ("prepare",),
        "joined": ("prepare",),
        "second_moment_times": ("second_moment",),
        "fill_batches": ("sample",),
        "spherical_variance": (*_KERNELS, "second_moment"),
        "biased_normal": (*_KERNELS, "second_moment"),
        "gradient_term": (*_KERNELS, "second_moment"),
        "kernel_bounds": (*_KERNELS, "second_moment"),
        "symmetric": (*_KERNELS, "second_moment"),
        "leaky_kernels": (*_KERNELS, "second_moment"),
        "leaky_gradient_term": (*_KERNELS, "second_moment", "gradient_term"),
        "atoms": (*_KERNELS, "second_moment", "sample"),
    }

    def __init_subclass__(cls, **keywords: Any) -> None:
        for name in _MADE_OF_KERNELS:
            if name in vars(cls):
                raise TypeError(
                    f"{cls.__name__}.{name}: expected kernels, psi_l or psi_d, of which it is made"
                )
        tie_kernels(cls)
        super().__init_subclass__(**keywords)

    @abstractmethod
    def kernels(self, A: ArrayLike, B: ArrayLike) -> tuple[Array, Array]:
        """``(psi_l, psi_d)`` of every pair of columns.

        Args:
            A, B: columns (..., d, n) and (..., d, m), or what :meth:`prepare` made of them; leading axes broadcast.
        Returns:
            Two arrays (..., n, m).
        Raises:
            ValueError: a matrix without d rows.
        """

    @abstractmethod
    def sample(self, size: int, rng: np.random.Generator) -> Array:
        """``size`` independent inputs, (size, d)."""

    @abstractmethod
    def second_moment(self) -> Array:
        """``L_0 = E[x x^T]``, (d, d)."""

    def description(self) -> dict[str, Any]:
        """The law by name, and the parameters that :func:`dynamics.measures.described.described_measure` makes it of.

        Entries ``measure``, ``measure_...``: plain data and arrays. Here the name alone.
        """
        return {"measure": type(self).__name__}

    def psi_l(self, A: ArrayLike, B: ArrayLike) -> Array:
        """``E[relu(a_j.x) relu(b_k.x)]``: (..., d, n), (..., d, m) -> (..., n, m)."""
        return self.kernels(A, B)[0]

    def psi_d(self, A: ArrayLike, B: ArrayLike) -> Array:
        """``P(a_j.x > 0, b_k.x > 0)``: (..., d, n), (..., d, m) -> (..., n, m)."""
        return self.kernels(A, B)[1]

    def kernels_onto(self, teacher: Any, students: Any) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        """:meth:`kernels` of the teachers and of the students, each with every student.

        Args:
            teacher, students: m and n columns, prepared.
        Returns:
            ``(psi_l, psi_d)`` of the teachers, (..., m, n), and of the students, (..., n, n): arrays of the caller's.
        """
        both = self.joined(teacher, students)
        if both is None:
            return self.kernels(teacher, students), self.kernels(students, students)
        psi_l, psi_d = self.kernels(both, students)
        m = psi_d.shape[-2] - psi_d.shape[-1]
        return (psi_l[..., :m, :], psi_d[..., :m, :]), (psi_l[..., m:, :], psi_d[..., m:, :])

    def psi_d_onto(self, teacher: Any, students: Any) -> tuple[Array, Array]:
        """:meth:`psi_d` alone of the same pairs as in :meth:`kernels_onto`."""
        both = self.joined(teacher, students)
        if both is None:
            return self.psi_d(teacher, students), self.psi_d(students, students)
        psi_d = self.psi_d(both, students)
        m = psi_d.shape[-2] - psi_d.shape[-1]
        return psi_d[..., :m, :], psi_d[..., m:, :]

    def prepare(self, A: ArrayLike) -> Any:
        """The columns ``A`` as this measure's kernels want them: may stand for ``A`` or ``B`` in any of them.

        Saves the work on single columns (norms, directions, checks) where they meet several others. A measure with
        nothing to save gives the array.
        """
        return self._checked("A", A)

    def prepare_unit(self, columns: Columns) -> Any:
        """:meth:`prepare` of the directions of ``columns``."""
        return self.prepare(columns.unit)

    def joined(self, teacher: Any, students: Any) -> Any | None:
        """Prepared teachers and then students as one set of columns, where one call of a kernel costs less than two.

        None where it does not.
        """
        return None

    def second_moment_times(self, A: Array) -> Array:
        """``L_0 A`` for columns ``A (..., d, n)``; may be ``A`` itself where L_0 is the identity."""
        return np.asarray(self.second_moment() @ A)

    def fill_batches(self, rows: Any, stream: RandomStream) -> None:
        """Overwrite ``rows (steps, d, B)``, an array or a tensor, with independent inputs of this law, one a column.

        All random numbers come from ``stream``. The default draws them on the host by :meth:`sample`.
        """
        steps, _, size = rows.shape
        x = self.sample(steps * size, stream.rng)
        stream.fill_with(rows, x.reshape(steps, size, self.dim).swapaxes(1, 2))

    @property
    def spherical_variance(self) -> float | None:
        """``c`` where x is known to be spherically symmetric with ``E[x x^T] = c I`` and no bias; None elsewhere.

        All expectations of second degree (psi_l, psi_d, L_0, the gradient) are then those of ``N(0, c I)``.
        """
        return None

    @property
    def biased_normal(self) -> bool:
        """Whether x is known to be standard normal but for a last entry 1, which the biases multiply."""
        return False

    @property
    def symmetric(self) -> bool:
        """Whether x and -x are known to have one law, and ``w.x = 0`` probability 0 for every ``w != 0``."""
        return False

    @property
    def slope(self) -> float:
        """Slope of the activation below zero that the kernels are of: 0, the ReLU's, but for ``LeakyKernels``."""
        return 0.0

    @property
    def atoms(self) -> tuple[Array, Array | None] | None:
        """``(samples (N, d), weights (N,) or None: equal)`` where these are known to be the law; None elsewhere."""
        return None

    @property
    def has_gradient_term(self) -> bool:
        """Whether :meth:`gradient_term` is known."""
        return type(self).gradient_term is not InputMeasure.gradient_term

    def gradient_term(self, W: Any, U: Any, coefficients: ArrayLike) -> Array:
        """``sum_k c_jk G(w_j, u_k)`` for each column j: the exact first-layer gradient of a ReLU network.

        ``G(w, u) = E[1(w.x > 0) 1(u.x > 0) x x^T] u``, the gradient of psi_l(w, u) in w.

        Args:
            W, U: columns (..., d, n) and (..., d, m), or what :meth:`prepare` made of them.
            coefficients: ``c`` (..., n, m).
        Returns:
            (..., d, n).
        Raises:
            TypeError: it is not known for this measure (:attr:`has_gradient_term`).
        """
        raise TypeError(f"measure: expected one with a gradient_term, got {type(self).__name__}")

    @np.errstate(over="ignore", invalid="ignore")  # inf where an expectation overflows
    def leaky_kernels(self, slope: float, A: ArrayLike, B: ArrayLike) -> tuple[Array, Array]:
        """:meth:`kernels` of the leaky ReLU ``f(z) = max(z, a z)``: ``E[f(w.x) f(u.x)]`` and ``E[f'(w.x) f'(u.x)]``.

        With ``f(z) = (1-a) relu(z) + a z``, where x and -x have one law (:attr:`symmetric`), exactly
        ``(1-a)^2 psi_l + a w^T L_0 u`` and ``(1-a)^2 psi_d + a``, as a gate is open with probability 1/2. Elsewhere
        ``f(z) = relu(z) - a relu(-z)`` makes four kernels of each; the gate is then 0 at the kink.

        Args:
            slope: a, in [0, 1].
            A, B: columns (..., d, n) and (..., d, m).
        Returns:
            Two arrays (..., n, m).
        Cost: that of :meth:`kernels`, and one matrix product; four times that where the law is not symmetric.
        """
        A, B = self._columns(A, B)
        if not self.symmetric:
            return _of_four(lambda one, two: self.kernels(one, two), slope, A, B)
        psi_l, psi_d = self.kernels(A, B)
        linear = np.matmul(A.mT, self.second_moment_times(B))
        psi_l = (1 - slope) ** 2 * psi_l + slope * linear
        open_a, open_b = _open_share(A)[..., :, None], _open_share(B)[..., None, :]
        psi_d = (1 - slope) ** 2 * psi_d + (slope * (1 - slope) * (open_a + open_b) + slope**2)
        return psi_l, psi_d

    @np.errstate(over="ignore", invalid="ignore")  # inf or NaN where the sum overflows
    def leaky_gradient_term(self, slope: float, W: ArrayLike, U: ArrayLike, coefficients: ArrayLike) -> Array:
        """:meth:`gradient_term` of the leaky ReLU: ``sum_k c_jk E[f'(w_j.x) f(u_k.x) x]``.

        Where x and -x have one law ``(1-a)^2 sum_k c_jk G(w_j, u_k) + a L_0 U c_j^T``; elsewhere four terms in G.

        Args:
            slope: a, in [0, 1].
            W, U: columns (..., d, n) and (..., d, m).
            coefficients: ``c`` (..., n, m).
        Returns:
            (..., d, n).
        Raises:
            TypeError: the measure's own gradient term is not known.
        """
        W, U, c = self._pairs(W, U, coefficients)
        if not self.symmetric:
            term = self.gradient_term
            upper = term(W, U, c) - slope * term(W, -U, c)
            return np.asarray(upper + slope * (term(-W, U, c) - slope * term(-W, -U, c)))
        linear = self.second_moment_times(np.matmul(U, np.swapaxes(c, -1, -2)))
        # f' is a beside the open half, which meets half of f's own slope (1 + a) / 2 on average.
        share = slope * (1 - slope) * (_open_share(W) + 0.5) + slope**2
        return np.asarray((1 - slope) ** 2 * self.gradient_term(W, U, c) + share[..., None, :] * linear)

    def kernel_bounds(self, centres: Array, radii: Array) -> KernelBounds:
        """Bounds of the kernels and their slopes that hold while unit columns stay in spherical caps.

        Args:
            centres: unit columns (..., d, n).
            radii: the largest angle of each column to its centre (..., n), radians.
        Raises:
            TypeError: none are known for this measure.
        Cost: O(n^2 d).
        """
        raise TypeError(
            "measure: expected IsotropicGaussian or BiasedGaussian for kernel bounds (or kernel_bounds of its own),"
            f" got {type(self).__name__}"
        )

    def _columns(self, A: ArrayLike, B: ArrayLike) -> tuple[Array, Array]:
        """Both arguments as float64, checked; one object when they are one (the diagonal is then exact)."""
        A_array = self._checked("A", A)
        return A_array, (A_array if A is B else self._checked("B", B))

    def _pairs(self, W: ArrayLike, U: ArrayLike, coefficients: ArrayLike) -> tuple[Array, Array, Array]:
        """The arguments of :meth:`gradient_term`, checked; W and U are one object when they are one."""
        one = self._checked("W", W)
        two = one if U is W else self._checked("U", U)
        return one, two, checked_coefficients(coefficients, one.shape[-1], two.shape[-1])

    def _checked(self, name: str, A: ArrayLike) -> Array:
        array = self._shaped(name, A)
        finite = np.isfinite(array)
        if not finite.all():  # NaN throughout, so that the arithmetic below raises no warning
            array = np.where(np.asarray(finite.all(axis=-2))[..., None, :], array, np.nan)
        return array

    def _shaped(self, name: str, A: ArrayLike) -> Array:
        array = real_numbers(name, A)
        if array.ndim < 2 or array.shape[-2] != self.dim:
            raise ValueError(
                f"{name}: expected a weight matrix of shape (..., {self.dim}, n) for {self!r},"
                f" got shape {array.shape}"
            )
        return array


def checked_coefficients(coefficients: ArrayLike, n: int, m: int) -> Array:
    """The coefficients of pairs as an array (..., n, m); raises ValueError or TypeError for any other."""
    c = real_numbers("coefficients", coefficients)
    if c.shape[-2:] != (n, m):
        raise ValueError(f"coefficients: expected shape (..., {n}, {m}), got {c.shape}")
    return c


def _open_share(A: Array) -> Array:
    """``P(w.x > 0)`` of each column for a symmetric law: 1/2, and 0 for a zero column, (..., n)."""
    return np.where(np.any(A != 0, axis=-2), 0.5, 0.0)


def _of_four(
    kernels: Callable[[Array, Array], tuple[Array, Array]], slope: float, A: Array, B: Array
) -> tuple[Array, Array]:
    """Both kernels of ``relu(z) - a relu(-z)`` from those of the ReLU at plus and minus the columns."""
    (pp_l, pp_d), (pn_l, pn_d) = kernels(A, B), kernels(A, -B)
    (np_l, np_d), (nn_l, nn_d) = kernels(-A, B), kernels(-A, -B)
    psi_l = pp_l - slope * (pn_l + np_l) + slope**2 * nn_l
    psi_d = pp_d + slope * (pn_d + np_d) + slope**2 * nn_d
    return psi_l, psi_d
