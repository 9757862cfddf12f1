"""Arguments that nobody meant: values of every kind, and valid arrays with one thing wrong."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

SCALARS: list[Any] = [
    None, True, False, 0, 1, 2, 3, -1, 7, 2**31, 2**63, -(2**63) - 1, 10**30, 10**400, 0.0, -0.0, 0.5, 1.0, -1.0, 1.5,
    np.pi, 5e-324, 1e-310, 1e-16, 1e16, 1e154, 1.7e308, -1.7e308, np.nan, np.inf, -np.inf, 1j, 1 + 0j,
    np.float32(0.5), np.float64(2.0), np.int64(2), np.uint8(3), np.bool_(True), np.longdouble(1.5), np.complex128(1),
    Fraction(1, 3), Decimal("0.1"), np.datetime64("2020"), np.ma.masked,
]  # fmt: skip
TEXTS: list[Any] = [
    "",
    "a",
    "1",
    "1.5",
    "nan",
    "auto",
    "θ∞ñ",
    "\x00",
    "\ud800",
    "a" * 3000,
    "../x",
    b"1",
    bytearray(b"1"),
]
THINGS: list[Any] = [
    [], (), {}, set(), [1], [1.0, 2.0], [[1.0]], [[1.0], [1.0, 2.0]], ["1", "2"], [None], [True], {"a": 1}, {1: 2},
    [np.nan], range(3), object(), int, len, lambda *a: None, Exception("x"), PurePosixPath("x"), slice(0, 2), ...,
    NotImplemented,
]  # fmt: skip


def things() -> list[Any]:
    """Those that are made anew: they could be changed by whoever gets them."""
    loop: list[Any] = [1.0]
    loop.append(loop)
    return [loop, iter([1.0, 2.0]), (x for x in [1]), np.random.default_rng(0), np.random.RandomState(0)]


def tensors() -> list[Any]:
    return [
        torch.ones(2, 2),
        torch.ones((), requires_grad=True),
        [torch.ones(2)],
        torch.zeros(3, dtype=torch.int64),
    ]


ARRAYS: list[Callable[[], Any]] = [
    lambda: np.array(1.0),
    lambda: np.zeros(0),
    lambda: np.zeros((0, 3)),
    lambda: np.zeros((3, 0)),
    lambda: np.zeros((2, 0, 3)),
    lambda: np.zeros((3, 2)),
    lambda: np.ones((3, 2), dtype=complex),
    lambda: np.ones((3, 2), dtype=object),
    lambda: np.ones((3, 2), dtype=np.float16),
    lambda: np.ones((3, 2), dtype=np.longdouble),
    lambda: np.ones((3, 2), dtype=bool),
    lambda: np.array([["a", "b"]]),
    lambda: np.ones((3, 2), dtype=[("x", float)]),
    lambda: np.array(["2020", "2021"], dtype="M8[Y]"),
    lambda: np.ma.masked_array(np.ones((3, 2)), mask=[[1, 0]] * 3),
    lambda: np.ones((1,) * 30),
    lambda: np.broadcast_to(1.0, (3, 2)),
    lambda: np.array([[None]]),
]


def _changed(index: int, value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        out = array.astype(np.float64)
        if out.size:
            out.flat[index % out.size] = value
        return out

    return change


def _column(source: int, target: int, factor: float) -> Callable[[np.ndarray], np.ndarray]:
    """One column becomes a multiple of another: a duplicate, its opposite, or nothing."""

    def change(array: np.ndarray) -> np.ndarray:
        out = array.astype(np.float64)
        if out.ndim and out.size:
            out[..., target % out.shape[-1]] = factor * out[..., source % out.shape[-1]]
        return out

    return change


CHANGES: dict[str, Callable[[np.ndarray], Any]] = {
    "nan": _changed(1, np.nan),
    "inf": _changed(0, -np.inf),
    "one huge entry": _changed(2, 1e200),
    "one subnormal entry": _changed(0, 5e-324),
    "duplicate columns": _column(0, 1, 1.0),
    "nearly duplicate columns": _column(0, 1, 1.0 + 1e-15),
    "antiparallel columns": _column(0, 1, -1.0),
    "a zero column": _column(0, 1, 0.0),
    "huge": lambda a: a * 1e200,
    "largest": lambda a: a * 1e308,
    "tiny": lambda a: a * 1e-200,
    "subnormal": lambda a: a * 5e-324,
    "zero": lambda a: a * 0.0,
    "negated": lambda a: -a,
    "transposed": lambda a: np.swapaxes(a, -1, -2) if a.ndim > 1 else a[None],
    "an axis more": lambda a: a[None],
    "two instances": lambda a: np.stack([a, a]),
    "no instance": lambda a: np.stack([a])[:0],
    "an axis less": lambda a: a[0] if a.ndim and len(a) else a,
    "a column less": lambda a: a[..., :-1],
    "a row more": lambda a: np.concatenate([a, a[:1]]) if a.ndim else a,
    "flat": lambda a: a.ravel(),
    "complex": lambda a: a + 0j,
    "float32": lambda a: a.astype(np.float32),
    "big-endian": lambda a: a.astype(">f8"),
    "integers": lambda a: np.rint(a).astype(np.int64),
    "truth values": lambda a: a > 0,
    "objects": lambda a: a.astype(object),
    "texts": lambda a: a.astype(str),
    "masked": lambda a: np.ma.masked_array(a, mask=np.zeros(a.shape, bool)),
    "a tensor": lambda a: torch.from_numpy(np.array(a)),
    "a list": lambda a: a.tolist(),
    "read-only": lambda a: np.broadcast_to(a, a.shape),
    "reversed": lambda a: a[..., ::-1],
    "in Fortran's order": lambda a: np.asfortranarray(a),
}


@st.composite
def odd_values(draw: st.DrawFn, valid: Any) -> Any:
    """A value in place of ``valid``: of any kind or, of an array, the same with one thing changed."""
    kinds = ["scalar", "text", "thing", "array"]
    if isinstance(valid, np.ndarray) and valid.dtype.kind == "f":
        kinds += ["changed"] * 4 + ["drawn"]
    elif isinstance(valid, int | float) and not isinstance(valid, bool):
        kinds += ["number"] * 3
    kind = draw(st.sampled_from(kinds))
    if kind == "changed":
        with np.errstate(all="ignore"):
            return CHANGES[draw(st.sampled_from(sorted(CHANGES)))](valid.copy())
    if kind == "drawn":
        return draw(_drawn_arrays())
    if kind == "number":
        return draw(st.integers(-5, 12) if isinstance(valid, int) else st.floats())
    if kind == "array":
        return draw(st.sampled_from(ARRAYS))()
    if kind == "thing":
        return draw(st.sampled_from([*THINGS, *things(), *tensors()]))
    return draw(st.sampled_from(SCALARS if kind == "scalar" else TEXTS))


def _drawn_arrays() -> st.SearchStrategy[Any]:
    shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
    return hnp.arrays(np.float64, shapes, elements=st.floats(width=64))
