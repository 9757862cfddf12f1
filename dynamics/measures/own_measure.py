"""What a measure of one's own gives, looked at once where it meets a problem, before it breaks something later."""

from __future__ import annotations

from typing import Any

import numpy as np

from dynamics.measures.input_measure import InputMeasure
from dynamics.validation import integer, shown

_OURS = "dynamics"


def check_own_measure(measure: InputMeasure) -> None:
    """Ask a measure that is not this package's for each of the three members that it must give.

    Raises:
        TypeError, ValueError: naming the member, what was expected and what came.
    Cost: two kernels of five columns, one second moment, two samples; nothing for this package's measures.
    """
    if type(measure).__module__.partition(".")[0] == _OURS:
        return
    name = type(measure).__name__
    dim = integer(f"measure: {name}.dim", getattr(measure, "dim", None), least=1)
    A, B = np.ones((dim, 2)), np.ones((dim, 3))
    A[0, 1], B[0, 1] = -1.0, 2.0
    pair = measure.kernels(measure.prepare(A), measure.prepare(B))
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise TypeError(f"measure: {name}.kernels: expected (psi_l, psi_d), two arrays, got {shown(pair)}")
    for kernel, values in zip(("psi_l", "psi_d"), pair, strict=True):
        _check_array(f"measure: {name}.kernels: {kernel} of 2 and 3 columns", values, (2, 3))
    _check_array(f"measure: {name}.second_moment()", measure.second_moment(), (dim, dim))
    _check_array(f"measure: {name}.sample(2, rng)", measure.sample(2, np.random.default_rng(0)), (2, dim))


def _check_array(what: str, values: Any, shape: tuple[int, ...]) -> None:
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iuf":
        raise TypeError(f"{what}: expected an array of real numbers, got {shown(values)}")
    if values.shape != shape:
        raise ValueError(f"{what}: expected shape {shape}, got {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{what}: expected finite numbers, got NaN or Inf")
