"""Whether a flow's field is compiled, an option of the installation: where numba is there and it pays."""

from __future__ import annotations

import importlib.util
import math
import os
from collections.abc import Callable
from functools import cache

import numpy as np

from dynamics.arrays import Vector
from dynamics.two_layer.deviations.field import DeviationField
from dynamics.validation import one_of

SWITCH = "LUCKPROOF_COMPILED"
"""Environment variable: ``auto``, the default; ``never``; ``always``, also where it does not pay."""

_PAIRS_FROM = 1000
"""Pairs of students ``S n^2`` of a stack from which ``auto`` takes machine code.

It is quicker for every stack; but numba and the machine code take half a second to load, the time of thousands of
evaluations of less."""

_LOG_2 = math.log(2.0)


class CompiledField:
    """``dy/dt`` of Theorem 4's flow on spheres in deviations, of a stack of instances, from machine code.

    Args:
        field: what it is in NumPy, of fan-outs of one on spheres.
        shape: of Z, (..., d, m).
        kernel: :func:`dynamics.two_layer.deviations.machine_code.field`, compiled.
    Accuracy: that of NumPy, from which it differs by rounding.
    """

    def __init__(self, field: DeviationField, shape: tuple[int, ...], kernel: Callable[..., None]) -> None:
        teacher = field.teacher
        self._orthonormal = teacher.basis is not None
        self._shape = (math.prod(shape[:-2]), *shape[-2:])
        self._entries = math.prod(shape)
        unit = teacher.unit.reshape(-1, *shape[-2:])
        self._centre = np.array(unit[:1] if self._orthonormal else unit, order="C")
        self._unit, self._kernel = field.terms.variance / (2.0 * np.pi), kernel

    def __call__(self, y: Vector) -> Vector:
        """``dy/dt`` of a flat state: Z, and the binary logarithms of the scales."""
        slope = np.empty(y.shape)
        y = np.require(y, np.float64, ("C", "W"))  # what the machine code is made for
        Z, moves = y[: self._entries].reshape(self._shape), slope[: self._entries].reshape(self._shape)
        scale, rates = np.exp2(y[self._entries :]), slope[self._entries :]
        self._kernel(Z, scale, self._centre, self._orthonormal, self._unit, moves, rates)
        rates /= _LOG_2
        if not scale.all():
            moves *= (scale != 0)[:, None, None]
            rates *= scale != 0
        return slope


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
    kernel = _machine_code()
    return None if kernel is None else CompiledField(field, shape, kernel)


@cache
def _machine_code() -> Callable[..., None] | None:
    """The kernel; None where there is no numba, or none that works with the NumPy that is there."""
    if importlib.util.find_spec("numba") is None:
        return None
    try:
        from dynamics.two_layer.deviations.machine_code import compiled
    except ImportError:
        return None
    return compiled()
