"""Whether a flow's field is compiled, an option of the installation: where numba is there and it pays."""

from __future__ import annotations

import importlib.util
import math
import os
from collections.abc import Callable
from functools import cache

import numpy as np

from dynamics.arrays import Array, Vector
from dynamics.two_layer.deviations.field import DeviationField
from dynamics.validation import one_of

SWITCH = "LUCKPROOF_COMPILED"
"""Environment variable: ``auto``, the default; ``never``; ``always``, also where it does not pay."""

_PAIRS_FROM = 1000
"""Pairs of students ``S n^2`` of a stack from which ``auto`` takes machine code.

It is quicker for every stack; but numba and the machine code take half a second to load, the time of thousands of
evaluations of less."""


Kernels = tuple[Callable[..., None], Callable[..., None]]
"""``field`` and ``step`` of :mod:`dynamics.two_layer.deviations.machine_code`, compiled."""


class CompiledField:
    """``dy/dt`` of Theorem 4's flow on spheres in deviations, of a stack of instances, from machine code.

    Args:
        field: what it is in NumPy, of fan-outs of one on spheres.
        shape: of Z, (..., d, m).
        kernels: the machine code.
    Accuracy: that of NumPy, from which it differs by rounding.
    """

    def __init__(self, field: DeviationField, shape: tuple[int, ...], kernels: Kernels) -> None:
        centre = np.array(np.broadcast_to(field.teacher.unit, shape), order="C")
        self._teacher = (
            centre.reshape(-1, *shape[-2:]),
            field.teacher.basis is not None,
            field.terms.variance / (2.0 * np.pi),
        )
        self._field, self._step = kernels

    def __call__(self, y: Vector) -> Vector:
        """``dy/dt`` of a flat state: Z, and the binary logarithms of the scales."""
        slope = np.empty(y.shape)
        self._field(_writable(y), *self._teacher, slope)
        return slope

    def step(self, y: Vector, h: float, A: Array, B: Array, K: Array) -> Vector:
        """The state after an explicit step, as :attr:`dynamics.ode.flow.Flow.explicit_step` has it."""
        after = np.empty(y.shape)
        self._step(_writable(y), h, A, B, K, after, *self._teacher)
        return after


def _writable(y: Vector) -> Vector:
    """What machine code is made for: it does not write."""
    return np.require(y, np.float64, ("C", "W"))


def compiled_field(field: DeviationField, shape: tuple[int, ...]) -> CompiledField | None:
    """The field of states of Z's shape (..., d, n) as machine code; None where NumPy serves.

    Raises ValueError where :data:`SWITCH` is set to another word.
    """
    how, terms = os.environ.get(SWITCH, "auto"), field.terms
    one_of(SWITCH, how, ("auto", "never", "always"))
    known = terms.ones and terms.projected and not terms.matched
    pays = math.prod(shape[:-2]) * shape[-1] ** 2 >= _PAIRS_FROM and math.prod(shape[:-2]) > 1
    if how == "never" or not known or not (pays or how == "always"):
        return None
    kernels = _machine_code()
    return None if kernels is None else CompiledField(field, shape, kernels)


@cache
def _machine_code() -> Kernels | None:
    """The kernels; None where there is no numba, or none that works with the NumPy that is there."""
    if importlib.util.find_spec("numba") is None:
        return None
    try:
        from dynamics.two_layer.deviations.machine_code import compiled
    except ImportError:
        return None
    return compiled()
