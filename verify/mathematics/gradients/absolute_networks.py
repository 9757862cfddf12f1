"""Networks with every weight and input in absolute value: what the rounding of a sum over paths is relative to."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from nets.matrix_form.layered import LayeredNetwork, LayerValues


@dataclass(frozen=True)
class AbsoluteNetwork(LayeredNetwork):
    """Absolute values of weights and inputs, on the gates of the network with the weights ``signed``.

    Its sums over paths hold every term of the network's own in absolute value: rounding is a small multiple of eps of
    them, however much the sums themselves cancel.
    """

    signed: tuple[Tensor, ...] = ()

    @classmethod
    def of(cls, network: LayeredNetwork) -> AbsoluteNetwork:
        """The absolute values of ``network``."""
        return cls(tuple(W.abs() for W in network.weights), network.slope, network.weights)

    def evaluate(self, x: Tensor) -> LayerValues:
        """Activations, all >= 0, and the gates of the signed network."""
        activations, gates = [x.abs()], LayeredNetwork(self.signed, self.slope).evaluate(x).gates
        for W, gate in zip(self.weights, gates, strict=True):
            activations.append(gate * (activations[-1] @ W))
        return LayerValues(tuple(activations), gates)


def nodes_on_a_path(*networks: LayeredNetwork) -> int:
    """The widths of all layers, inputs and outputs included: additions on a path through the networks, one way."""
    return sum(net.weights[0].shape[-2] + sum(W.shape[-1] for W in net.weights) for net in networks)
