"""In which precision the matrix products of a training are taken, while weights and sums stay as they are."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from dynamics.validation import one_of, shown

if TYPE_CHECKING:
    import torch

Products = Literal["own", "float32", "float32-backward"]
PRODUCTS: tuple[Products, ...] = ("own", "float32", "float32-backward")
"""``own``: in the number format of the networks. ``float32``: of operands rounded to float32. ``float32-backward``: so
in the products that make gradients, while the outputs, and with them what is left of the error, are exact."""


def known_products(products: str) -> Products:
    """``products`` itself; raises ValueError or TypeError on another word."""
    return next(word for word in PRODUCTS if word == one_of("products", products, PRODUCTS))


def require_products(products: str, dtype: torch.dtype) -> Products:
    """``products`` itself where networks of ``dtype`` can be trained so.

    Raises:
        ValueError, TypeError: another word, networks in float32, or a torch that has been told to take float32 products
            more coarsely than that (TF32, bfloat16), which is not overruled.
    """
    import torch  # two seconds that a command which only checks its options does not wait

    known = known_products(products)
    if known == "own":
        return known
    if dtype != torch.float64:
        kind = str(dtype).removeprefix("torch.")
        raise ValueError(f"products: expected 'own' for networks in {kind}, got {shown(products)}")
    try:
        precision = torch.get_float32_matmul_precision()
    except RuntimeError:  # said by torch's newer settings, which this older one cannot tell
        precision = "another"
    if precision != "highest":
        raise ValueError(
            f"products: expected torch.set_float32_matmul_precision('highest') for {shown(products)}, "
            f"got {shown(precision)}"
        )
    return known


_lock = threading.Lock()
_inside = 0
"""How many threads are in :func:`full_convolutions`."""
_before: list[tuple[Any, str, Any]] = []
"""How torch was set when the first of them came."""


@contextmanager
def full_convolutions() -> Iterator[None]:
    """Inside, convolutions in float32 are taken in float32: not in TF32 (cuDNN's default) nor in bfloat16.

    torch has one setting for all threads: the first that comes changes it, and the last that leaves puts it back.
    """
    global _inside
    with _lock:
        if not _inside:
            switches = _convolution_switches()
            _before[:] = [(holder, name, getattr(holder, name)) for holder, name, _ in switches]
            for holder, name, full in switches:
                setattr(holder, name, full)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                for holder, name, value in _before:
                    setattr(holder, name, value)


def _convolution_switches() -> list[tuple[Any, str, bool | str]]:
    """What torch has to be set, by holder and name, and the value of full precision."""
    import torch

    cudnn: Any = torch.backends.cudnn
    if not hasattr(cudnn, "conv"):  # torch before 2.9
        return [(cudnn, "allow_tf32", False)]
    return [(library.conv, "fp32_precision", "ieee") for library in (cudnn, torch.backends.mkldnn)]
