"""One of our deep networks as a state dict in the layout of torchvision's VGG with batch normalisation."""

from __future__ import annotations

from torch import Tensor

from dynamics.validation import shown
from nets.deep.layers import Layer
from nets.deep.networks import DeepNetworks


def vgg_state_dict(networks: DeepNetworks, network: int) -> dict[str, Tensor]:
    """One network as a state dict named like torchvision's VGG with batch normalisation.

    Linear maps are ``features.0``, ``.3``, ..; normalisations ``features.1``, ``.4``, ..; the top is ``classifier.0``.
    An ``nn.Sequential`` of Conv2d (or Linear), BatchNorm and ReLU in turn, and of one Linear, loads it and computes
    the same.

    Args:
        networks: with batch normalisation before the ReLU.
        network: which of them.
    Raises:
        ValueError: the normalisation sits elsewhere.
    """
    if networks.architecture.normalisation != "before":
        raise ValueError(
            "networks: expected batch normalisation before the ReLU, as VGG has it, "
            f"got {shown(networks.architecture.normalisation)}"
        )
    *hidden, top = networks.layers
    state: dict[str, Tensor] = {}
    for place, layer in enumerate(hidden):
        state |= _linear(f"features.{3 * place}", layer, network)
        norm = layer.norm
        assert norm is not None
        parts = {"weight": norm.scale, "bias": norm.shift, "running_mean": norm.mean, "running_var": norm.var}
        for name, value in parts.items():
            if value is not None:
                state[f"features.{3 * place + 1}.{name}"] = value[network]
    state |= _linear("classifier.0", top, network)
    return {name: value.detach().cpu().clone() for name, value in state.items()}


def _linear(prefix: str, layer: Layer, network: int) -> dict[str, Tensor]:
    weight = layer.weight[network]
    parts = {f"{prefix}.weight": weight.contiguous() if weight.dim() == 4 else weight.T.contiguous()}
    if layer.bias is not None:
        parts[f"{prefix}.bias"] = layer.bias[network]
    return parts
