"""Deep ReLU networks as stacked weight matrices, with the activations and gates of every layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dynamics.validation import number, shown


@dataclass(frozen=True)
class LayeredNetwork:
    """``f_{l+1} = relu(W_l^T f_l)`` for l < L - 1 and a linear top ``f_L = W_{L-1}^T f_{L-1}``; f_0 is the input.

    Biases enter as augmented nodes, see :meth:`with_biases`.

    Args:
        weights: W_0 .. W_{L-1}, each ``(..., n_l, n_{l+1})``; column j is the fan-in of node j, leading axes an
            ensemble.
        slope: value of a gate that is shut: 0 for ReLU, in (0, 1) for leaky ReLU.
    Raises:
        ValueError, TypeError: no weights, shapes that do not chain, a slope outside [0, 1).
    Source: Luck Matters, section 2.
    """

    weights: tuple[Tensor, ...]
    slope: float = 0.0

    def __post_init__(self) -> None:
        if not self.weights:
            raise ValueError("weights: expected at least one weight matrix, got none")
        if not 0 <= number("slope", self.slope) < 1:
            raise ValueError(f"slope: expected a number in [0, 1), got {shown(self.slope)}")
        for lower, (below, above) in enumerate(zip(self.weights, self.weights[1:], strict=False)):
            if below.shape[-1] != above.shape[-2]:
                raise ValueError(
                    f"weights: expected {below.shape[-1]} rows in W_{lower + 1} as W_{lower} has columns,"
                    f" got {above.shape[-2]}"
                )

    @classmethod
    def with_biases(
        cls, weights: Sequence[Tensor], biases: Sequence[Tensor], slope: float = 0.0
    ) -> LayeredNetwork:
        """The same functions without biases, on augmented nodes: inputs ``(x, 1)``, fan-ins ``(w_j, b_j)``.

        Every hidden layer gets one more node, last, of value 1: the column ``(0, .., 0, 1)`` keeps it so. Feed the
        network :func:`augmented` inputs.

        Args:
            weights: as of the class.
            biases: ``(..., n_{l+1})`` for each of them.
            slope: as of the class.
        """
        stacked = []
        for level, (W, b) in enumerate(zip(weights, biases, strict=True)):
            rows = torch.cat([W, b[..., None, :]], dim=-2)
            if level < len(weights) - 1:
                one = torch.zeros_like(rows[..., :1])
                one[..., -1, 0] = 1
                rows = torch.cat([rows, one], dim=-1)
            stacked.append(rows)
        return cls(tuple(stacked), slope)

    @property
    def depth(self) -> int:
        """Number of weight matrices L."""
        return len(self.weights)

    def evaluate(self, x: Tensor) -> LayerValues:
        """Activations and gates of every layer on inputs ``x (..., N, n_0)``; the gate is shut at the kink."""
        activations, gates = [x], []
        for level, W in enumerate(self.weights):
            z = activations[-1] @ W
            if level == self.depth - 1:
                gate = torch.ones_like(z)
            else:
                gate = torch.where(
                    z > 0, z.new_ones(()), z.new_tensor(self.slope)
                )  # a bare number is float32
            gates.append(gate)
            activations.append(gate * z)
        return LayerValues(tuple(activations), tuple(gates))


@dataclass(frozen=True)
class LayerValues:
    """What a network does on N inputs: ``activations[l]`` is f_l for l = 0..L, ``gates[l]`` is f'_{l+1}.

    Shapes ``(..., N, n_l)`` and ``(..., N, n_{l+1})``; the top has no ReLU, its gate is 1.
    """

    activations: tuple[Tensor, ...]
    gates: tuple[Tensor, ...]

    @property
    def output(self) -> Tensor:
        """The network's output ``(..., N, C)``."""
        return self.activations[-1]


def augmented(x: Tensor) -> Tensor:
    """Inputs ``(..., N, d)`` with a last coordinate of 1."""
    return torch.cat([x, torch.ones_like(x[..., :1])], dim=-1)


def require_pair(student: LayeredNetwork, teacher: LayeredNetwork) -> None:
    """Raise ValueError unless both have the same depth, inputs and outputs; hidden widths may differ."""
    if student.depth != teacher.depth:
        raise ValueError(
            f"student, teacher: expected equal depths, got {student.depth} and {teacher.depth} weight matrices"
        )
    ends = [(net.weights[0].shape[-2], net.weights[-1].shape[-1]) for net in (student, teacher)]
    if ends[0] != ends[1]:
        raise ValueError(f"student, teacher: expected equal (inputs, outputs), got {ends[0]} and {ends[1]}")


def sample_chunks(x: Tensor, per_sample: int, elements: int) -> Iterator[Tensor]:
    """``x (..., N, d)`` in pieces along N, so small that ``per_sample`` numbers a sample stay below ``elements``."""
    yield from torch.split(x, max(1, elements // max(per_sample, 1)), dim=-2)
