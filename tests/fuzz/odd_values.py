"""Arguments that nobody meant: values of every kind, and valid arrays with one thing wrong."""

from __future__ import annotations

import warnings
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
    Fraction(10**400), Decimal("NaN"), Decimal("1e400"), 2**53 + 1, 2**62, 10**9, 2.2250738585072014e-308,
    1 - 2**-53, 1 + 2**-52, np.float64(np.nan), np.float16(6e4), np.float32(np.inf), np.uint64(2**64 - 1),
    np.int8(-128), np.longdouble("1e400"), np.timedelta64(1, "s"), np.timedelta64("NaT"), np.complex64(np.nan),
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
    "１",  # a digit to Python, wide
    "٣",  # Arabic
    "e\u0301",  # two code points, one letter
    "\u202eabc",  # written from the right
    "🎓" * 3,
    "a\nb",
    "\x1b[31mred",
    " ",
    "-1",
    "1e999",
    "0x10",
    "None",
    "%s{0}",
    "/dev/null",
    ".",
    np.str_("cpu"),
    np.bytes_(b"cpu"),
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


def quantised() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch will drop them
        return torch.quantize_per_tensor(torch.ones(3, 2), 0.1, 0, torch.qint8)


def tensors() -> list[Any]:
    return [
        torch.ones(3, 2, dtype=torch.bfloat16),
        torch.ones(3, 2, dtype=torch.complex64),
        torch.ones(3, 2, dtype=torch.bool),
        torch.full((3, 2), torch.nan, dtype=torch.float64),
        torch.zeros((0, 2), dtype=torch.float64),
        torch.ones((3, 2), device="meta"),
        torch.ones(3, 2).to_sparse(),
        quantised(),
        torch.nn.Parameter(torch.ones(3, 2)),
        torch.device("cpu"),
        torch.float32,
        torch.ones(2, 2),
        torch.ones((), requires_grad=True),
        [torch.ones(2)],
        torch.zeros(3, dtype=torch.int64),
    ]


class OfSomeoneElse(np.ndarray):
    """A subclass of arrays."""


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
    lambda: np.array(np.nan),
    lambda: np.array(2**63, dtype=np.uint64),
    lambda: np.array("a"),
    lambda: np.full((3, 2), np.nan),
    lambda: np.full((3, 2), 5e-324),
    lambda: np.full((3, 2), 2**60),
    lambda: np.ones((3, 2), dtype="m8[s]"),
    lambda: np.ones((2, 3, 2)),
    lambda: np.ones((0, 3, 2)),
    lambda: np.array([[1, 2], [3, None], [5, 6]], dtype=object),
    lambda: np.array([Decimal(1), Fraction(1, 2)]),
    lambda: np.ma.masked_all((3, 2)),
    lambda: np.rec.fromarrays([np.ones(3), np.ones(3)], names="a,b"),
    lambda: np.ones((3, 2)).view(OfSomeoneElse),
    lambda: np.ones(3)[:, None].repeat(2, 1)[::-1],
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


def _row(source: int, target: int, factor: float) -> Callable[[np.ndarray], np.ndarray]:
    """The same of rows."""

    def change(array: np.ndarray) -> np.ndarray:
        if array.ndim < 2 or not array.size:
            return _column(source, target, factor)(array)
        return np.swapaxes(_column(source, target, factor)(np.swapaxes(array, -1, -2)), -1, -2)

    return change


def _scaled(*factors: float) -> Callable[[np.ndarray], np.ndarray]:
    """Columns of different scales: one factor after another."""
    return lambda a: a * np.resize(factors, a.shape[-1:] if a.ndim else ())


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
    "a column less": lambda a: a[..., :-1] if a.ndim else a,
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
    "reversed": lambda a: np.flip(a),
    "in Fortran's order": lambda a: np.asfortranarray(a),
    "duplicate rows": _row(0, 1, 1.0),
    "antiparallel rows": _row(0, 1, -1.0),
    "a zero row": _row(0, 1, 0.0),
    "nearly antiparallel columns": _column(0, 1, -1.0 - 1e-15),
    "parallel columns of other scales": _column(0, 1, 1e150),
    "columns of far scales": _scaled(1e200, 1e-200),
    "columns to the ends of floats": _scaled(1e308, 5e-324),
    "all alike": lambda a: np.full(a.shape, 1.0),
    "negative zeros": lambda a: a * 0.0 * -1.0,
    "nothing but NaN": lambda a: np.full(a.shape, np.nan),
    "of the smallest normal size": lambda a: a * 2.2250738585072014e-308,
    "where squares overflow": lambda a: a * 1e155,
    "where squares vanish": lambda a: a * 1e-163,
    "no column": lambda a: a[..., :0] if a.ndim else a,
    "no row": lambda a: a[..., :0, :] if a.ndim > 1 else a.ravel()[:0],
    "a number": lambda a: np.array(a.flat[0] if a.size else 0.0),
    "long doubles": lambda a: a.astype(np.longdouble),
    "halves": lambda a: a.astype(np.float16),
    "bytes": lambda a: a.astype(np.int8),
    "a matrix": lambda a: a.view(OfSomeoneElse),
    "partly masked": lambda a: np.ma.masked_array(a, mask=np.arange(a.size).reshape(a.shape) == 0),
    "a tensor that is trained": lambda a: torch.from_numpy(np.array(a)).requires_grad_(),
    "a tensor of floats": lambda a: torch.from_numpy(np.array(a)).float(),
    "a list of arrays": lambda a: list(a) if a.ndim else [a],
    "a list with None": lambda a: [*a.tolist(), None] if a.ndim else [None],
    "a list with a text": lambda a: [*a.tolist(), "1"] if a.ndim else ["1"],
    "a list of tensors": lambda a: [torch.from_numpy(np.array(row)) for row in a] if a.ndim else [],
    "five axes more": lambda a: a[None, None, None, None, None],
}


@st.composite
def odd_values(draw: st.DrawFn, valid: Any, ours: tuple[Callable[[], Any], ...] = (), depth: int = 0) -> Any:
    """A value in place of ``valid``: of any kind; of an array, the same with one thing changed; of what holds others
    (lists, tuples, mappings), the same with one of them odd, too many or missing.

    Args:
        ours: makes objects of the project, which may be right elsewhere.
        depth: how deep inside others it stands.
    """
    kinds = ["scalar", "text", "thing", "array"] + ["ours"] * bool(ours)
    if isinstance(valid, np.ndarray) and valid.dtype.kind in "fiu":
        kinds += ["changed"] * 5 + ["drawn"]
    elif isinstance(valid, torch.Tensor) and not valid.is_complex():
        kinds += ["changed tensor"] * 4
    elif isinstance(valid, int | float) and not isinstance(valid, bool):
        kinds += ["number"] * 3
    elif isinstance(valid, dict | list | tuple) and valid and depth < 3:
        kinds += ["inside"] * 5
    kind = draw(st.sampled_from(kinds))
    if kind in ("changed", "changed tensor"):
        return _changed_array(draw, valid)
    if kind == "inside":
        return _odd_inside(draw, valid, ours, depth)
    if kind == "drawn":
        return draw(_drawn_arrays())
    if kind == "number":
        return draw(
            st.integers(-5, 12) | st.integers(2**31, 2**80) if isinstance(valid, int) else st.floats()
        )
    if kind == "array":
        return draw(st.sampled_from(ARRAYS))()
    if kind == "ours":
        return draw(st.sampled_from(ours))()
    if kind == "thing":
        return draw(st.sampled_from([*THINGS, *things(), *tensors()]))
    if kind == "text":
        return draw(st.sampled_from(TEXTS) | st.text(max_size=5))
    return draw(st.sampled_from(SCALARS))


def _changed_array(draw: st.DrawFn, valid: Any) -> Any:
    """One of :data:`CHANGES`; of a tensor, as a tensor again where there are such."""
    tensor = isinstance(valid, torch.Tensor)
    array = valid.detach().cpu().double().numpy() if tensor else valid.copy()
    with np.errstate(all="ignore"):
        changed = CHANGES[draw(st.sampled_from(sorted(CHANGES)))](array)
    if not tensor or type(changed) is not np.ndarray or changed.dtype.kind not in "fiub":
        return changed
    native = changed.dtype.itemsize <= 8 and changed.dtype.isnative
    return torch.from_numpy(changed.copy()) if native else changed


def _odd_inside(draw: st.DrawFn, valid: Any, ours: tuple[Callable[[], Any], ...], depth: int) -> Any:
    """The same list, tuple or mapping with one part odd, missing or too many."""
    what = draw(st.sampled_from(["odd", "odd", "odd", "missing", "more"]))
    if isinstance(valid, dict):
        key = draw(st.sampled_from(sorted(valid, key=str)))
        if what == "more":
            return {**valid, draw(st.sampled_from([*TEXTS[:7], 1, None])): 1}
        rest = {name: value for name, value in valid.items() if name != key}
        return rest if what == "missing" else {**valid, key: draw(odd_values(valid[key], ours, depth + 1))}
    items, place = list(valid), draw(st.integers(0, len(valid) - 1))
    if what == "missing":
        del items[place]
    elif what == "more":
        items.append(items[place])
    else:
        items[place] = draw(odd_values(items[place], ours, depth + 1))
    return type(valid)(items)


def _drawn_arrays() -> st.SearchStrategy[Any]:
    shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
    return hnp.arrays(np.float64, shapes, elements=st.floats(width=64))
