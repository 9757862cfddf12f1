"""Subdivision: a function of one variable is positive on an interval, piece by piece, in ball arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from verify.judging.enclosing.balls import Ball, UndecidedError, interval
from verify.judging.enclosing.proof import Proof

MOST_HALVINGS = 30
"""Halvings of the interval after which a piece is given up: a billionth of it, where only a root is left undecided."""


def positive_on(function: Callable[[Ball], Ball], low: Any, high: Any) -> Proof:
    """Whether ``function > 0`` everywhere on ``[low, high]``: pieces are halved until each is decided.

    Args:
        function: of a ball, giving a ball that holds its values on all of it.
        low, high: balls or integers; the interval reaches from the lowest to the highest number in them.

    Returns:
        the proof; where it stops, the piece on which the sign stays open or the function is negative.
    """
    pending, decided = [(Ball(low), Ball(high), 0)], 0
    while pending:
        left, right, halvings = pending.pop()
        piece = interval(left, right)
        value = _value(function, piece)
        if value is not None and value.arb > 0:
            decided += 1
            continue
        if halvings == MOST_HALVINGS or (value is not None and value.arb <= 0):
            return Proof(False, decided, repr(piece))
        middle = (Ball(left.arb.mid()) + Ball(right.arb.mid())) / 2
        pending += [(middle, right, halvings + 1), (left, middle, halvings + 1)]
    return Proof(True, decided)


def _value(function: Callable[[Ball], Ball], piece: Ball) -> Ball | None:
    try:
        return function(piece)
    except UndecidedError:
        return None


def all_of(*parts: Proof) -> Proof:
    """The proof that consists of several."""
    undecided = "; ".join(part.undecided for part in parts if part.undecided)
    return Proof(all(part.proved for part in parts), sum(part.intervals for part in parts), undecided)
