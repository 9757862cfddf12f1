"""What plain SGD may have besides: momentum and weight decay, checked in one place for options and for training."""

from __future__ import annotations

from dynamics.validation import number


def checked_optimiser(momentum: float, weight_decay: float, *, fixed: str = "") -> tuple[float, float]:
    """Momentum, in [0, 1), and weight decay, >= 0, and 0 where all norms are ``fixed``.

    Columns on the sphere keep their norms, so that weight decay has nothing to act on where V does not move either:
    ``fixed`` says in the caller's words where that is. Raises ValueError or TypeError, naming the argument.
    """
    decay = number("weight_decay", weight_decay, least=0)
    if decay and fixed:
        raise ValueError(f"weight_decay: expected 0 {fixed}, got {decay:g}")
    return number("momentum", momentum, least=0, below=1), decay
