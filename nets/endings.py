"""How training ends: the status and sentence of a run, and the error of a study that needs every network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from dynamics.ode.status import Status


@dataclass(frozen=True)
class Ending:
    """How a run ended: its status, and why in a sentence."""

    status: Status
    detail: str

    @classmethod
    def divergence(cls, network: int, step: int, lr: float) -> Self:
        """The ending of a run in which a network's weights or loss stopped being finite at ``step``."""
        where = f"network {network} at step {step} (t = {step * lr:.6g})"
        return cls(
            Status.DIVERGED, f"{where}: its weights or loss are not finite; lower lr = {lr:g} or start nearer"
        )


class DivergedTrainingError(RuntimeError):
    """Raised by studies and figures where a network stopped being finite; the message names network and step."""
