"""Checks of tensors that come in: dense real numbers, of a given shape, named where they are not."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from dynamics.validation import shown


def floating_tensor(
    name: str, value: torch.Tensor, shape: Sequence[int | None] | None = None
) -> torch.Tensor:
    """:func:`real_tensor` but for the look at every entry: for what is computed with at once."""
    plain = isinstance(value, torch.Tensor) and value.is_floating_point() and value.layout == torch.strided
    if not plain or value.is_meta:
        got = f"{value.dtype} on {value.device}" if isinstance(value, torch.Tensor) else shown(value)
        raise TypeError(f"{name}: expected a dense tensor of real numbers, got {got}")
    if shape is not None and not _fits(tuple(value.shape), shape):
        words = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"{name}: expected shape ({words}), got {tuple(value.shape)}")
    return value


def real_tensor(name: str, value: torch.Tensor, shape: Sequence[int | None] | None = None) -> torch.Tensor:
    """``value`` where it is a dense tensor of floating-point numbers with finite entries.

    Args:
        name: of the argument.
        value: a tensor.
        shape: the length of every axis, None for any.
    Raises:
        TypeError: no such tensor: sparse, quantised, complex, without data, whole numbers or truth values.
        ValueError: another shape, or entries that are not finite.
    """
    floating_tensor(name, value, shape)
    if not torch.isfinite(value).all():
        count = int((~torch.isfinite(value)).sum())
        raise ValueError(f"{name}: expected finite entries, got {count} NaN or Inf")
    return value


def _fits(found: tuple[int, ...], shape: Sequence[int | None]) -> bool:
    return len(found) == len(shape) and all(
        wanted in (None, size) for size, wanted in zip(found, shape, strict=True)
    )
