"""Students with torch's own batch normalisation, in both placements, and the norms that it is said to conserve."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from dynamics.validation import number, one_of

Placement = Literal["relu_bn", "bn_relu"]
PLACEMENTS: tuple[Placement, ...] = ("relu_bn", "bn_relu")
"""``relu_bn``: Linear -> ReLU -> BN. ``bn_relu``: Linear -> BN -> ReLU."""


NO_EPS = float(torch.finfo(torch.float64).tiny)
"""Stands for eps = 0, which torch refuses in training: added to any variance above 1e-290 it rounds away."""


class NormalisedStudent(nn.Module):
    """Hidden blocks of ``nn.Linear``, ReLU and ``nn.BatchNorm1d``, and a linear top, in float64.

    In training mode the statistics are those of the batch. ``linears[l]`` and ``norms[l]`` belong to hidden block l;
    ``linears[-1]`` is the top.

    Args:
        sizes: input, hidden widths, outputs.
        placement: where the normalisation sits, one of ``PLACEMENTS``.
        eps: what the normalisation adds to the variance; 0 means ``NO_EPS``.
        bias: every linear layer has one.
    Raises:
        ValueError, TypeError: fewer than three sizes, an unknown placement, a negative eps.
    Source: Luck Matters, section 3.1 and Fig. 13 (v4: Fig. 15).
    """

    def __init__(
        self, sizes: Sequence[int], placement: Placement, *, eps: float = 1e-5, bias: bool = True
    ) -> None:
        super().__init__()
        if len(sizes) < 3:
            raise ValueError(f"sizes: expected input, hidden and output sizes, got {tuple(sizes)}")
        one_of("placement", placement, PLACEMENTS)
        number("eps", eps, least=0)
        self.placement = placement
        self._linears = nn.ModuleList(
            nn.Linear(below, above, bias=bias, dtype=torch.float64) for below, above in pairwise(sizes)
        )
        self._norms = nn.ModuleList(
            nn.BatchNorm1d(width, eps=max(eps, NO_EPS), dtype=torch.float64) for width in sizes[1:-1]
        )

    @property
    def linears(self) -> list[nn.Linear]:
        """Every linear layer, bottom up; the last is the top."""
        return [layer for layer in self._linears if isinstance(layer, nn.Linear)]

    @property
    def norms(self) -> list[nn.BatchNorm1d]:
        """The normalisation of every hidden block, bottom up."""
        return [layer for layer in self._norms if isinstance(layer, nn.BatchNorm1d)]

    def forward(self, x: Tensor) -> Tensor:
        """Outputs ``(N, c)`` of a batch ``(N, d)``."""
        return self.traced(x)[0]

    def traced(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Outputs, and what each batch normalisation was fed, ``(N, width)`` bottom up."""
        fed = []
        for linear, norm in zip(self.linears, self.norms, strict=False):
            x = linear(x)
            if self.placement == "relu_bn":
                x = torch.relu(x)
            fed.append(x)
            x = norm(x)
            if self.placement == "bn_relu":
                x = torch.relu(x)
        return torch.as_tensor(self.linears[-1](x)), fed


def normalisation_variance(fed: Tensor) -> Tensor:
    """The biased batch variance ``sigma^2 (width,)`` that batch normalisation divides by, of ``fed (N, width)``."""
    return fed.var(dim=0, correction=0)


def batchnorm_backward(fed: Tensor, gradient: Tensor, scale: Tensor, eps: float = 0.0) -> Tensor:
    """What batch normalisation sends down, in closed form.

    ``g_f = c0/s [ P_perp_{f,1} g + (eps/s^2) f~ <f~, g>/N ]``, ``f~ = (f - mean)/sigma``, ``s^2 = sigma^2 + eps``.
    The first term is Lemma 1 (zero mean, orthogonal to f); the second, along f, is what eps > 0 leaves in.
    ``fed, gradient (N, width)``, ``scale (width,)``; assumes sigma > 0 in every column. Cost O(N width).
    Source: Luck Matters, Lemma 1 and Eqn 16; the eps term is not in the paper.
    """
    variance = normalisation_variance(fed)
    whitened = (fed - fed.mean(dim=0)) / variance.sqrt()
    along = whitened * (whitened * gradient).mean(dim=0)
    projected = gradient - gradient.mean(dim=0) - along
    return torch.as_tensor(scale / (variance + eps).sqrt() * (projected + eps / (variance + eps) * along))
