"""Where networks live: the device by name, checked once at the boundary."""

from __future__ import annotations

import torch

DTYPES = (torch.float64, torch.float32)


def resolve_device(name: str | torch.device) -> torch.device:
    """The torch device for ``"auto"`` (CUDA when present), ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.

    Raises ValueError for another name, and for CUDA where torch sees no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda"):
        raise ValueError(f"device: expected 'auto', 'cpu' or 'cuda', got {name!r}")
    present = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.type == "cuda" and (device.index or 0) >= present:
        raise ValueError(
            f"device: expected a device that torch sees, got {name!r} with {present} CUDA devices present"
        )
    return device


def require_dtype(dtype: torch.dtype) -> torch.dtype:
    """``dtype`` itself when it is float64 or float32; raises ValueError otherwise."""
    if dtype not in DTYPES:
        raise ValueError(f"dtype: expected torch.float64 or torch.float32, got {dtype!r}")
    return dtype
