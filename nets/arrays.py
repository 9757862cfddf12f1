"""NumPy on a CPU, torch on CUDA, under the names they share: an update rule is written once for both.

On a CPU NumPy's stacked ``matmul`` (OpenBLAS) takes about half the time of ``torch.bmm`` (MKL's batched product)
on stacks of small matrices on an AMD processor and as long on an Intel one; on CUDA one ``bmm`` serves the whole stack.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from nets.pinned import on_device


class ArrayModule(Protocol):
    """The few operations an update rule needs; arrays also have ``@``, ``.mT``, ``.sum`` and slices in common."""

    def asarray(self, values: NDArray[np.float64]) -> Any:
        """The values as an array of this module, on its device."""

    def empty(self, shape: tuple[int, ...]) -> Any:
        """A float64 array of unset values."""

    def to_host(self, array: Any) -> NDArray[np.float64]:
        """A NumPy array of its own memory."""

    def matmul(self, a: Any, b: Any, out: Any) -> None:
        """``out <- a @ b`` for stacks (S, ., .) of matrices."""

    def subtract(self, a: Any, b: Any, out: Any) -> None:
        """``out <- a - b``."""

    def multiply(self, a: Any, b: Any, out: Any) -> None:
        """``out <- a * b``."""

    def relu(self, a: Any, out: Any = None) -> Any:
        """``max(a, 0)``."""

    def sign(self, a: Any, out: Any) -> None:
        """``out <- sign(a)``."""

    def sqrt(self, a: Any) -> Any:
        """Elementwise square root."""

    def as_index(self, rows: NDArray[np.int64]) -> Any:
        """Numbers of rows as :meth:`take_rows` takes them, on the module's device."""

    def take_rows(self, rows: Any, index: Any, out: Any) -> None:
        """``out[s] <- rows[s, index[s]]`` for rows (S, N, k), index (S, R) of :meth:`as_index`, out (S, R, k)."""


class HostArrays:
    """NumPy."""

    def asarray(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.ascontiguousarray(values, dtype=np.float64)

    def empty(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        return np.empty(shape)

    def to_host(self, array: NDArray[np.float64]) -> NDArray[np.float64]:
        return array.copy()

    def matmul(self, a: Any, b: Any, out: Any) -> None:
        np.matmul(a, b, out=out)

    def subtract(self, a: Any, b: Any, out: Any) -> None:
        np.subtract(a, b, out=out)

    def multiply(self, a: Any, b: Any, out: Any) -> None:
        np.multiply(a, b, out=out)

    def relu(self, a: Any, out: Any = None) -> Any:
        return np.maximum(a, 0, out=out)

    def sign(self, a: Any, out: Any) -> None:
        np.sign(a, out=out)

    def sqrt(self, a: Any) -> Any:
        return np.sqrt(a)

    def as_index(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return rows

    def take_rows(self, rows: Any, index: Any, out: Any) -> None:
        for source, chosen, target in zip(rows, index, out, strict=True):
            # mode="clip" writes to `out` directly; "raise" would go through a buffer
            np.take(source, chosen, axis=0, out=target, mode="clip")


class DeviceArrays:
    """torch on one CUDA device (or, for tests, on the CPU)."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._zero = torch.zeros((), dtype=torch.float64, device=device)

    def asarray(self, values: NDArray[np.float64]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float64, device=self._device)

    def empty(self, shape: tuple[int, ...]) -> torch.Tensor:
        return torch.empty(shape, dtype=torch.float64, device=self._device)

    def to_host(self, array: torch.Tensor) -> NDArray[np.float64]:
        return np.array(array.cpu().numpy())

    def matmul(self, a: Any, b: Any, out: Any) -> None:
        torch.bmm(a, b, out=out)

    def subtract(self, a: Any, b: Any, out: Any) -> None:
        torch.subtract(a, b, out=out)

    def multiply(self, a: Any, b: Any, out: Any) -> None:
        torch.multiply(a, b, out=out)

    def relu(self, a: Any, out: Any = None) -> Any:
        return torch.maximum(a, self._zero, out=out)

    def sign(self, a: Any, out: Any) -> None:
        torch.sign(a, out=out)

    def sqrt(self, a: Any) -> Any:
        return torch.sqrt(a)

    def as_index(self, rows: NDArray[np.int64]) -> torch.Tensor:
        return on_device(rows, self._device)

    def take_rows(self, rows: Any, index: Any, out: Any) -> None:
        stack = torch.arange(rows.shape[0], device=self._device)[:, None]
        out.copy_(rows[stack, index])


def array_module(device: torch.device) -> ArrayModule:
    """NumPy for a CPU, torch for anything else."""
    return HostArrays() if device.type == "cpu" else DeviceArrays(device)
