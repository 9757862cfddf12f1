"""What plain SGD may have besides: momentum and weight decay, checked in one place for options and for training."""

from __future__ import annotations

from dynamics.validation import number


def checked_optimiser(
    momentum: float, weight_decay: float, *, norms_are_fixed: bool = False
) -> tuple[float, float]:
    """Momentum, in [0, 1), and weight decay, >= 0 and 0 where ``norms_are_fixed``.

    Columns on the sphere keep their norms, so that weight decay has nothing to act on where V does not move either.
    Raises ValueError or TypeError, naming the argument.
    """
    decay = number("weight_decay", weight_decay, least=0)
    if decay and norms_are_fixed:
        raise ValueError(
            f"weight_decay: expected 0 for the projected flow of W alone, whose norms are fixed, got {decay:g}"
        )
    return number("momentum", momentum, least=0, below=1), decay
