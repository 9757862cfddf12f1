"""State dicts of exactly the layout that torchvision and timm give VGG with batch normalisation, in small."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import torch

STAGES = {  # convolutions of each of the five stages
    "vgg11_bn": (1, 1, 2, 2, 2),
    "vgg13_bn": (2, 2, 2, 2, 2),
    "vgg16_bn": (2, 2, 3, 3, 3),
    "vgg19_bn": (2, 2, 4, 4, 4),
}
NORMS = {  # the places of the normalisations in `features`, as torchvision numbers them
    "vgg11_bn": (1, 5, 9, 12, 16, 19, 23, 26),
    "vgg13_bn": (1, 4, 8, 11, 15, 18, 22, 25, 29, 32),
    "vgg16_bn": (1, 4, 8, 11, 15, 18, 21, 25, 28, 31, 35, 38, 41),
    "vgg19_bn": (1, 4, 8, 11, 15, 18, 21, 24, 28, 31, 34, 37, 41, 44, 47, 50),
}
WIDTHS = (4, 6, 8, 10, 10)

State = OrderedDict[str, torch.Tensor]
Head = Callable[[State], None]


def torchvision_head(state: State) -> None:
    for place in (0, 3, 6):
        state[f"classifier.{place}.weight"] = torch.zeros(5, 5)
        state[f"classifier.{place}.bias"] = torch.zeros(5)


def timm_head(state: State) -> None:
    for name in ("pre_logits.fc1", "pre_logits.fc2", "head.fc"):
        state[f"{name}.weight"] = torch.zeros(5, 5)
        state[f"{name}.bias"] = torch.zeros(5)


def vgg(name: str, rng: np.random.Generator, head: Head = torchvision_head) -> tuple[State, list[np.ndarray]]:
    """The state dict, and the biases of its normalisations bottom up."""
    state: State = OrderedDict()
    biases = []
    place, below = 0, 3
    for width, convolutions in zip(WIDTHS, STAGES[name], strict=True):
        for _ in range(convolutions):
            state[f"features.{place}.weight"] = torch.zeros(width, below, 3, 3)
            state[f"features.{place}.bias"] = torch.zeros(width)
            norm = f"features.{place + 1}"
            biases.append(rng.normal(-0.1 * len(biases), 0.3, width).astype(np.float32))
            state[f"{norm}.weight"] = torch.ones(width)
            state[f"{norm}.bias"] = torch.tensor(biases[-1])
            state[f"{norm}.running_mean"] = torch.zeros(width)
            state[f"{norm}.running_var"] = torch.ones(width)
            state[f"{norm}.num_batches_tracked"] = torch.tensor(7)
            place, below = place + 3, width  # convolution, normalisation, ReLU
        place += 1  # pooling
    head(state)
    return state, biases
