"""Memory of networks that are trained side by side, and how many of them fit."""

from __future__ import annotations

from dynamics.memory import available_memory, in_gib
from nets.devices import free_memory
from nets.specialization.observables import samples_at_once
from nets.specialization.setting import SpecializationSetting
from nets.specialization.steps import BLOCK

SHARE = 2
"""A group takes at most one of so many parts of the memory that is free: libraries and other programs need some."""


def device_bytes(setting: SpecializationSetting) -> int:
    """Bytes that one network of ``setting`` takes on an accelerator at the most, while it is trained and measured.

    Its two data sets with the teacher's outputs (and, of the second, the teacher's nodes); weights, their gradients
    and the buffers of a step; the samples of ``BLOCK`` steps; and what is larger of two that are there in turns: what
    is gathered for the next block, or the sums over a part of the evaluation samples.
    """
    inputs, m, n, c, batch = setting.d + 1, setting.m, setting.n, setting.c, setting.batch_size
    data = setting.train_samples * (inputs + c) + setting.eval_samples * (inputs + c + m)
    weights = inputs * n + (n + 1) * c
    step = 2 * weights + batch * (3 * (n + 1) + c)
    block = BLOCK * batch * (inputs + c)
    gathered = (
        BLOCK * batch * (1 + max(inputs, c)) + 2
    )  # with the numbers of its rows and of the network, and a zero
    look = min(samples_at_once(inputs, n), setting.eval_samples) * (n + c) + 3 * m * n + weights
    return 8 * (data + step + block + max(gathered, look))


def host_bytes(setting: SpecializationSetting) -> int:
    """Bytes that one network of ``setting`` takes on the host while it is drawn for an accelerator, at the most.

    Its data sets, the inputs once more for those of the group before, which are kept until these are drawn, and the
    larger part once more on its way.
    """
    samples, inputs = setting.train_samples + setting.eval_samples, setting.d + 1
    return 8 * (samples * (3 * inputs + setting.c) + setting.eval_samples * setting.m)


def networks_that_fit(setting: SpecializationSetting, device: str) -> int:
    """Networks of ``setting`` that one part in ``SHARE`` of the free memory of ``device``, and of the host, holds.

    Raises:
        ValueError: naming the argument, with the estimate, where that is not one.
    """
    counts = []
    for place, needed, free in (
        (device, device_bytes(setting), free_memory(device)),
        ("the host", host_bytes(setting), available_memory()),
    ):
        if needed > free // SHARE:
            raise ValueError(
                f"setting: expected a network that fits one part in {SHARE} of the free memory of {place}, got "
                f"{in_gib(needed)} for each, and {in_gib(free)} are free"
            )
        counts.append(free // SHARE // needed)
    return min(counts)
