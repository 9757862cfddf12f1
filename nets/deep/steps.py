"""One step of SGD of the parameters of stacked networks, along a gradient or along the product that makes it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Step:
    """One step of SGD as ``torch.optim.SGD`` takes it: ``v <- momentum v + g + decay p``, ``p <- p - rate v``."""

    rate: float
    momentum: float = 0.0
    decay: float = 0.0

    def along(self, parameter: Tensor, velocity: Tensor | None, gradient: Tensor) -> None:
        """Move ``parameter`` in place by one step along its ``gradient``."""
        if velocity is None:
            if self.decay:
                parameter.mul_(1 - self.rate * self.decay)
            parameter.sub_(gradient, alpha=self.rate)
            return
        velocity.mul_(self.momentum).add_(gradient)
        if self.decay:
            velocity.add_(parameter, alpha=self.decay)
        parameter.sub_(velocity, alpha=self.rate)

    def along_product(self, weight: Tensor, velocity: Tensor | None, x: Tensor, g: Tensor) -> None:
        """Move ``weight (S, n, m)`` by one step along the gradient ``x^T g`` of ``x (S, B, n)`` and ``g (S, B, m)``."""
        if velocity is None:
            accumulate(weight, x, g, 1 - self.rate * self.decay, -self.rate)
            return
        accumulate(velocity, x, g, self.momentum, 1.0)
        if self.decay:
            velocity.add_(weight, alpha=self.decay)
        weight.sub_(velocity, alpha=self.rate)


def accumulate(target: Tensor, x: Tensor, g: Tensor, beta: float, alpha: float) -> None:
    """``target <- beta target + alpha x^T g`` for stacks of matrices; a stack of one takes the unbatched product."""
    if target.shape[0] == 1:
        target[0].addmm_(x[0].mT, g[0], beta=beta, alpha=alpha)
    else:
        target.baddbmm_(x.mT, g, beta=beta, alpha=alpha)
