"""Devices by name and their memory, number formats, and the cores of the machine.

Importing this module, and asking it for the CPU, does not import torch (which takes seconds); nor does ``auto`` where
torch is built for the CPU alone.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dynamics.validation import shown

if TYPE_CHECKING:
    import torch

_CUDA = re.compile(r"cuda(?::(\d+))?")


def resolve_device(device: str | torch.device) -> str:
    """The device that ``device`` stands for, as a name that torch takes.

    Args:
        device: ``"cpu"``; ``"cuda"`` or ``"cuda:N"``; or ``"auto"``, which is CUDA where torch sees a device and the
            CPU elsewhere. A ``torch.device`` means its own name.

    Returns:
        ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.

    Raises:
        ValueError: another name, or a CUDA device that torch does not see.
    """
    wanted = str(device)
    if wanted == "cpu":
        return wanted
    cuda = _CUDA.fullmatch(wanted)
    if cuda is None and wanted != "auto":
        raise ValueError(f"device: expected 'auto', 'cpu', 'cuda' or 'cuda:N', got {shown(wanted[:120])}")
    present = _devices_present()
    if cuda is None:
        return "cuda" if present else "cpu"
    if int(cuda[1] or 0) >= present:
        raise ValueError(
            f"device: expected a device that torch sees, got {shown(wanted)} with {present} CUDA devices present; "
            "use 'auto' or 'cpu'"
        )
    return wanted


def _devices_present() -> int:
    """The CUDA devices that torch sees."""
    if "torch" not in sys.modules and _built_for_the_cpu():
        return 0
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def _built_for_the_cpu() -> bool:
    """Whether torch's own file of versions names neither CUDA nor HIP; False where that is unclear."""
    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:
        return False
    try:
        tree = ast.parse(Path(found.origin).with_name("version.py").read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return False
    absent = [
        node.target.id
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(node.value, ast.Constant)
        and node.value.value is None
    ]
    return {"cuda", "hip"} <= set(absent)


def free_memory(device: str) -> int:
    """Bytes that may still be taken on a CUDA device: what the driver has free, and what torch keeps for later."""
    import torch

    free, _ = torch.cuda.mem_get_info(device)
    return int(free) + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def require_dtype(dtype: torch.dtype) -> torch.dtype:
    """``dtype`` itself when it is float64 or float32; raises ValueError otherwise."""
    import torch

    if not isinstance(dtype, torch.dtype) or dtype not in (torch.float64, torch.float32):
        raise ValueError(f"dtype: expected torch.float64 or torch.float32, got {shown(dtype)}")
    return dtype


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
