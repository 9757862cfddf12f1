"""What a deep training will take, before it starts: operations over a rate measured here and now, and memory."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from nets.deep.architecture import Architecture
from nets.devices import require_dtype, resolve_device

SHARE = {"dense": 0.7, "convolutional": 0.5}
"""Rate of whole training steps over that of plain matrix products (measured on a CPU, one thread)."""

MEASURED_SECONDS = 0.2


@dataclass(frozen=True)
class Estimate:
    """Wall time of one worker in seconds, memory in bytes, and the operations a second that they rest on."""

    seconds: float
    bytes: float
    rate: float

    def __add__(self, other: Estimate) -> Estimate:
        """Two trainings one after the other: times add up, the larger memory counts."""
        return Estimate(self.seconds + other.seconds, max(self.bytes, other.bytes), self.rate)

    def repeated(self, times: int) -> Estimate:
        """Several equal trainings one after the other."""
        return Estimate(self.seconds * times, self.bytes, self.rate)

    def __str__(self) -> str:
        return (
            f"about {_duration(self.seconds)} on one worker and {self.bytes / 2**30:.1f} GiB "
            f"({self.rate / 1e9:.0f} GFLOP/s measured)"
        )


def estimate_training(
    students: Architecture,
    teacher: Architecture,
    *,
    networks: int,
    epochs: int,
    steps: int,
    batch_size: int,
    evaluation_samples: int,
    records: int,
    device: str = "auto",
    dtype: torch.dtype = torch.float64,
) -> Estimate:
    """Time and memory of one :func:`nets.deep.training.train.train_deep`, within a factor of about two.

    Multiplications and additions of forward and backward passes, of the teacher and of the records, over ``SHARE`` of
    the rate of square products measured here and now; small networks, bound by overhead, take longer. Memory:
    parameters, activations of one batch or chunk, evaluation inputs, and the ranks of all records.
    """
    place = torch.device(resolve_device(device))
    rate = product_rate(place, dtype) * SHARE["convolutional" if students.convolutional else "dense"]
    samples = epochs * steps * batch_size
    forward = 2.0 * students.products
    work = networks * (
        samples * (3 * forward + 2 * teacher.products) + records * evaluation_samples * forward
    )
    size = torch.finfo(dtype).bits // 8
    values = sum(
        width * students.spatial(level + 1)[0] * students.spatial(level + 1)[1]
        for level, width in enumerate(students.widths)
    )
    inputs = students.inputs[0] * students.spatial(0)[0] * students.spatial(0)[1]
    ranks = 2 * sum(n * m for n, m in zip(students.widths, teacher.widths, strict=True))
    held = networks * (
        size * (students.parameters + 4 * batch_size * values + evaluation_samples * inputs) + records * ranks
    )
    return Estimate(work / rate, held, rate)


def product_rate(device: torch.device, dtype: torch.dtype, n: int = 1024) -> float:
    """Operations a second of square matrix products, measured for ``MEASURED_SECONDS``."""
    a, b = torch.ones((2, n, n), device=device, dtype=require_dtype(dtype))
    out = torch.mm(a, b)
    count, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < MEASURED_SECONDS or count < 3:
        torch.mm(a, b, out=out)
        float(out[0, 0])  # waits for the device
        count += 1
    return 2 * n**3 * count / spent


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
