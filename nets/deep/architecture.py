"""What a deep network looks like: inputs, hidden widths, outputs, and where its batch normalisation sits."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, Self

from dynamics.boundary import check_fields
from dynamics.validation import integer, number, one_of, positive_int, shown

Normalisation = Literal["none", "before", "after"]
NORMALISATIONS: tuple[Normalisation, ...] = ("none", "before", "after")
"""``before``: linear -> BN -> ReLU. ``after``: linear -> ReLU -> BN, the first paper's."""


@dataclass(frozen=True)
class Architecture:
    """Hidden layers of linear maps, ReLU and batch normalisation, and a linear top.

    Args:
        inputs: ``(d,)`` for a fully connected network, ``(channels, height, width)`` for a ConvNet.
        widths: nodes (channels) of the hidden layers, bottom up.
        outputs: of the linear top, which in a ConvNet reads the flattened features of the last hidden layer.
        normalisation: ``none``, or batch normalisation ``before`` or ``after`` the ReLU.
        affine: the normalisation has a trained scale and shift.
        bias: every linear map has a bias.
        kernel: side of a ConvNet's filters; convolutions are valid and of stride 1.
        eps, momentum: as in ``torch.nn.BatchNorm1d``.
    Raises:
        ValueError, TypeError: naming the field: a size below 1, no hidden layer, an unknown normalisation, or inputs
            too small for the convolutions.
    Source: Luck Matters, section 5.1, and the authors' program.
    """

    inputs: tuple[int, ...]
    widths: tuple[int, ...]
    outputs: int
    normalisation: Normalisation = "none"
    affine: bool = True
    bias: bool = True
    kernel: int = 3
    eps: float = 1e-5
    momentum: float = 0.1

    def __post_init__(self) -> None:
        check_fields(self)
        if len(self.inputs) not in (1, 3):
            raise ValueError(f"inputs: expected (d,) or (channels, height, width), got {shown(self.inputs)}")
        if not len(self.widths):
            raise ValueError("widths: expected at least one hidden layer, got none")
        for name in ("inputs", "widths"):
            object.__setattr__(self, name, tuple(positive_int(name, size) for size in getattr(self, name)))
        positive_int("outputs", self.outputs)
        positive_int("kernel", self.kernel)
        one_of("normalisation", self.normalisation, NORMALISATIONS)
        number("eps", self.eps, positive=True)
        if not 0 < number("momentum", self.momentum) <= 1:
            raise ValueError(f"momentum: expected a number in (0, 1], got {shown(self.momentum)}")
        if self.convolutional and min(self.spatial(self.depth - 1)) < 1:
            raise ValueError(
                f"inputs: expected at least {(self.kernel - 1) * len(self.widths) + 1} pixels a side for "
                f"{len(self.widths)} valid convolutions, got {shown(self.inputs)}"
            )

    @property
    def convolutional(self) -> bool:
        """Whether the hidden layers are convolutions."""
        return len(self.inputs) == 3

    @property
    def depth(self) -> int:
        """Number of linear maps L: the hidden layers and the top."""
        return len(self.widths) + 1

    def spatial(self, level: int) -> tuple[int, int]:
        """Height and width of the activations f_level (0: the inputs); ``(1, 1)`` where fully connected."""
        self._require("level", level, self.depth)
        if not self.convolutional:
            return 1, 1
        lost = level * (self.kernel - 1)
        return self.inputs[1] - lost, self.inputs[2] - lost

    def weight_shape(self, index: int) -> tuple[int, ...]:
        """Shape of the weights of linear map ``index``: ``(n_l, n_{l+1})``, or ``(out, in, kernel, kernel)``."""
        self._require("index", index, self.depth - 1)
        below = (self.inputs[0], *self.widths)[index]
        if index == self.depth - 1:
            return below * math.prod(self.spatial(index)), self.outputs
        above = self.widths[index]
        return (above, below, self.kernel, self.kernel) if self.convolutional else (below, above)

    def fan_in(self, index: int) -> int:
        """Inputs of one node of linear map ``index``."""
        shape = self.weight_shape(index)
        return math.prod(shape[1:]) if len(shape) == 4 else shape[0]

    def over_parameterised(self, factor: int, normalisation: Normalisation | None = None) -> Self:
        """The same with ``factor`` times as many nodes in every hidden layer, and another normalisation if named."""
        factor = positive_int("factor", factor)
        placed = self.normalisation if normalisation is None else normalisation
        return replace(self, widths=tuple(factor * width for width in self.widths), normalisation=placed)

    @property
    def parameters(self) -> int:
        """Weights and biases, without those of the normalisation."""
        return sum(
            math.prod(self.weight_shape(index)) + self.bias * self.node_count(index)
            for index in range(self.depth)
        )

    def node_count(self, index: int) -> int:
        """Nodes (channels) of layer ``index`` + 1."""
        self._require("index", index, self.depth - 1)
        return (*self.widths, self.outputs)[index]

    def _require(self, name: str, value: int, most: int) -> None:
        if integer(name, value, least=0) > most:
            raise ValueError(f"{name}: expected an integer from 0 to {most}, got {shown(value)}")

    @property
    def products(self) -> int:
        """Multiplications of one forward pass of one sample."""
        return sum(
            math.prod(self.weight_shape(index))
            * (math.prod(self.spatial(index + 1)) if index < self.depth - 1 else 1)
            for index in range(self.depth)
        )
