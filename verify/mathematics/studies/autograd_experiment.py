"""A two-layer experiment by torch's autograd, one network and one step at a time: slow, and independent of ours."""

from __future__ import annotations

import numpy as np
import torch

from dynamics.arrays import Array
from nets.specialization.setting import SpecializationNetworks, SpecializationSetting, batch_stream


def trained_by_autograd(setting: SpecializationSetting, seed: int, steps: int) -> tuple[Array, Array]:
    """Weights of the network of one seed after steps of ``torch.optim.SGD``: ``W (d + 1, n)`` and ``V (n + 1, c)``.

    Start, samples and batches are those of :func:`nets.specialization.training.train_specialization`; everything else
    is autograd's. Cost: about 0.3 ms a step.
    """
    drawn = SpecializationNetworks.draw(setting, [seed])
    inputs, outputs = (torch.from_numpy(part[0].copy()) for part in drawn.training)
    layers = [torch.from_numpy(part[0].copy()).requires_grad_() for part in (drawn.W, drawn.V)]
    descent = torch.optim.SGD(layers, lr=setting.lr)
    picks = batch_stream(seed)
    for _ in range(steps):
        batch = torch.from_numpy(picks.integers(0, len(inputs), setting.batch_size))
        x, target = inputs[batch], outputs[batch]
        W, V = layers
        output = torch.relu(x @ W) @ V[:-1] + V[-1]
        descent.zero_grad()
        (0.5 * (target - output).square().sum(1).mean()).backward()  # type: ignore[no-untyped-call]
        descent.step()
    fan_in, fan_out = (layer.detach().numpy() for layer in layers)
    return fan_in, fan_out


def by_autograd(setting: SpecializationSetting, seed: int, steps: int) -> tuple[Array, Array]:
    """Best correlation with a teacher node and fan-out norm of each student node, (n,) each."""
    W, V = trained_by_autograd(setting, seed, steps)
    drawn = SpecializationNetworks.draw(setting, [seed])
    x = drawn.evaluation.inputs[0]
    hidden = (np.maximum(x @ drawn.teacher_W[0], 0), np.maximum(x @ W, 0))
    correlation = np.corrcoef(*hidden, rowvar=False)[: setting.m, setting.m :]
    return correlation.max(axis=0), np.linalg.norm(V[:-1], axis=1)
