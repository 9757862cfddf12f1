"""An input law as leaky-ReLU networks see it: the same x, the kernels of another activation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dynamics.arrays import Array
from dynamics.measures.input_measure import InputMeasure
from dynamics.measures.random_stream import RandomStream
from dynamics.validation import number


class LeakyKernels(InputMeasure):
    """The law of another measure with the kernels of the leaky ReLU ``f(z) = max(z, a z)``.

    A problem on it is one of leaky-ReLU networks: ``psi_l`` is ``E[f(w.x) f(u.x)]``, ``psi_d`` is
    ``E[f'(w.x) f'(u.x)]``, with ``f'(0) = a``, and networks built from the problem have that activation. Closed forms
    of the ReLU alone (``spherical_variance`` and what follows from it: exact deviations, rate bounds) are not known
    here, and what needs them says so. See :meth:`of`.

    Args:
        measure: the law of x, with the ReLU's kernels.
        slope: a, in [0, 1]: 0 is the ReLU and 1 the linear network.
    Raises:
        ValueError, TypeError: a slope that is no number in [0, 1]; no measure, or one that has a slope already.
    Cost: see :meth:`InputMeasure.leaky_kernels`.
    """

    def __init__(self, measure: InputMeasure, slope: float) -> None:
        if not isinstance(measure, InputMeasure):
            raise TypeError(f"measure: expected an InputMeasure, got {type(measure).__name__}")
        if measure.slope != 0:
            raise ValueError(f"measure: expected one of the ReLU, got {measure!r}")
        self.measure = measure
        self.dim = measure.dim
        self._slope = checked_slope(slope)

    @classmethod
    def of(cls, measure: InputMeasure, slope: float) -> InputMeasure:
        """The measure through a leaky ReLU of that slope: itself where the slope is 0, bit for bit the ReLU's problem.

        Args:
            measure: the law of x, with the ReLU's kernels.
            slope: a, in [0, 1].
        Raises:
            ValueError, TypeError: as the class.
        """
        leaky = cls(measure, slope)
        return measure if leaky.slope == 0 else leaky

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.measure!r}, slope={self._slope:g})"

    @property
    def slope(self) -> float:
        return self._slope

    def description(self) -> dict[str, Any]:
        of = {
            "measure_of" + name.removeprefix("measure"): part
            for name, part in self.measure.description().items()
        }
        return {**super().description(), "measure_slope": self._slope, **of}

    def kernels(self, A: ArrayLike, B: ArrayLike) -> tuple[Array, Array]:
        return self.measure.leaky_kernels(self._slope, A, B)

    def gradient_term(self, W: ArrayLike, U: ArrayLike, coefficients: ArrayLike) -> Array:
        return self.measure.leaky_gradient_term(self._slope, W, U, coefficients)

    @property
    def has_gradient_term(self) -> bool:
        return self.measure.has_gradient_term and super().has_gradient_term

    def sample(self, size: int, rng: np.random.Generator) -> Array:
        return self.measure.sample(size, rng)

    def fill_batches(self, rows: Any, stream: RandomStream) -> None:
        self.measure.fill_batches(rows, stream)

    def second_moment(self) -> Array:
        return self.measure.second_moment()

    def second_moment_times(self, A: Array) -> Array:
        return self.measure.second_moment_times(A)

    @property
    def atoms(self) -> tuple[Array, Array | None] | None:
        return self.measure.atoms


def checked_slope(slope: Any) -> float:
    """``slope`` as a float; raises TypeError or ValueError unless it is a number in [0, 1]."""
    value = number("slope", slope, least=0)
    if value > 1:
        raise ValueError(f"slope: expected a number in [0, 1], got {value:g}")
    return value
