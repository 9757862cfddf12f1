"""Options of a run that its method gets: bounds on the steps, and what some of SciPy's methods know besides."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.sparse import issparse

from dynamics.arrays import Vector
from dynamics.ode.guards import GuardedField
from dynamics.ode.steppers.methods import Method
from dynamics.validation import integer, number, real_numbers, shown, takes

Jacobian = Callable[[float, Vector], Any]


@dataclass(frozen=True)
class MethodOptions:
    """``max_step`` and ``first_step``, which every method knows, and ``further`` ones by name, as SciPy calls them."""

    max_step: float
    first_step: float | None
    further: Mapping[str, Any]

    @classmethod
    def of(cls, max_step: Any, first_step: Any, further: Mapping[str, Any], span: float, size: int) -> Self:
        """The options of a run over ``span`` with ``size`` components; raises TypeError or ValueError."""
        unbounded = isinstance(max_step, float | np.floating) and max_step == math.inf
        longest = math.inf if unbounded else number("max_step", max_step, positive=True)
        first = None if first_step is None else number("first_step", first_step, positive=True)
        if first is not None and first > abs(span) > 0:
            raise ValueError(f"first_step: expected at most the span {abs(span)!r}, got {shown(first_step)}")
        for name, check in _CHECKS.items():
            if further.get(name) is not None:
                check(name, further[name], size)
        return cls(longest, first, further)

    def given_to(self, method: Method, field: GuardedField) -> dict[str, Any]:
        """What the method's solver gets by keyword, those options left out that were not set or that it does not use.

        A Jacobian of the caller's is guarded like the field: its own errors pass, and it gets copies of the state.
        """
        known = method.options
        given = {
            name: value
            for name, value in self.further.items()
            if value is not None and (known is None or name in known)
        }
        jac = given.get("jac")
        if callable(jac):
            banded = any(given.get(name) is not None for name in ("lband", "uband"))
            given["jac"] = _guarded(jac, field, None if banded else (field.n, field.n))
        if self.max_step != math.inf:
            given["max_step"] = self.max_step
        if self.first_step is not None:
            given["first_step"] = self.first_step
        return given

    def warn_of_unused(self, name: str, method: Method, stacklevel: int) -> None:
        """Warn of options that the method does not use, in SciPy's words; they are not refused."""
        if method.options is None:
            return
        unused = [f"`{option}`" for option in self.further if option not in method.options]
        if unused:
            warnings.warn(
                f"The following arguments have no effect for a chosen solver: {', '.join(unused)} ({name}).",
                stacklevel=stacklevel,
            )

    def settings(self) -> dict[str, Any]:
        """The options in plain data, those that are set."""
        bounds = {
            "max_step": self.max_step if self.max_step != math.inf else None,
            "first_step": self.first_step,
        }
        return bounds | {"options": sorted(self.further)} if self.further else bounds


def _guarded(jac: Jacobian, field: GuardedField, shape: tuple[int, int] | None) -> Jacobian:
    def checked(t: float, y: Vector) -> Any:
        def real(t: float, y: Vector) -> Any:
            J = jac(t, y)
            J = J if issparse(J) else real_numbers("jac(t, y)", J)
            if shape is not None and J.shape != shape:
                raise ValueError(f"jac(t, y): expected shape {shape}, got {J.shape}")
            return J

        return field.raised(real, t, y)

    return checked


def _bandwidth(name: str, value: Any, size: int) -> None:
    if integer(name, value, least=0) >= size:
        raise ValueError(f"{name}: expected fewer diagonals than the {size} components, got {shown(value)}")


def _least_step(name: str, value: Any, size: int) -> None:
    number(name, value, least=0)


def _matrix(name: str, value: Any, size: int) -> None:
    if callable(value) and name == "jac":
        if not takes(value, 2):
            raise TypeError(f"jac: expected a callable (t, y) -> matrix, got {shown(value)}")
        return
    shape = value.shape if issparse(value) else real_numbers(name, value).shape
    if shape != (size, size):
        raise ValueError(f"{name}: expected shape {(size, size)}, got {shown(value)}")


_CHECKS = {
    "min_step": _least_step,
    "lband": _bandwidth,
    "uband": _bandwidth,
    "jac": _matrix,
    "jac_sparsity": _matrix,
}
