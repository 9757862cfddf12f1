"""Whether a flow's field is compiled, an option of the installation: where numba is there and it pays."""

from __future__ import annotations

import importlib.util
import math
import os
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

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

_ENTRIES_BESIDE, _LEAST_BESIDE = 150, 20
"""Entries d m of a problem up to which instances are taken side by side, and instances that a group of them has.

Measured: side by side they take a third of the time with 5 students, six tenths with 10 and as long with 14, for then
they leave the cache. A group that is not full takes the time of a full one."""


class Kernels(NamedTuple):
    """``field`` and ``step`` of :mod:`dynamics.two_layer.deviations.machine_code`, compiled, and its ``LANES``."""

    field: Callable[..., None]
    step: Callable[..., None]
    lanes: int


class CompiledField:
    """``dy/dt`` of Theorem 4's flow on spheres in deviations, of a stack of instances, from machine code.

    Args:
        field: what it is in NumPy, of fan-outs of one on spheres.
        shape: of Z, (..., d, m).
        kernels: the machine code.
    Accuracy: that of NumPy, from which it differs by rounding.
    """

    def __init__(self, field: DeviationField, shape: tuple[int, ...], kernels: Kernels) -> None:
        centre = np.array(np.broadcast_to(field.teacher.unit, shape), order="C").reshape(-1, *shape[-2:])
        self._teacher = (
            centre,
            _side_by_side(centre, kernels.lanes),
            field.teacher.basis is not None,
            field.terms.variance / (2.0 * np.pi),
        )
        self._field, self._step = kernels.field, kernels.step

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


def _side_by_side(columns: Array, lanes: int) -> Array:
    """Columns (S, d, m) of the first instances in groups, (groups, d m, lanes), the last one filled up with its last.

    None of problems that are too large, and none of the instances that are left where these are too few.
    """
    entries = columns[0].size
    full, left = divmod(len(columns), lanes)
    groups = 0 if entries > _ENTRIES_BESIDE else full + (left >= _LEAST_BESIDE)
    chosen = np.minimum(np.arange(groups * lanes), len(columns) - 1)
    grouped = columns[chosen].reshape(groups, lanes, entries)
    return np.ascontiguousarray(grouped.transpose(0, 2, 1))


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
        from dynamics.two_layer.deviations.machine_code import LANES, compiled
    except ImportError:
        return None
    return Kernels(*compiled(), LANES)
