"""How training ends: a typed result of every run, and the error of a study that cannot go on without one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from dynamics.ode.status import Status


@dataclass(frozen=True)
class Ending:
    """How a run ended: its status and, in a sentence, why."""

    status: Status
    detail: str

    @classmethod
    def divergence(cls, network: int, step: int, lr: float) -> Self:
        """The loss of one network is no longer finite at one step."""
        where = f"network {network} at step {step} (t = {step * lr:.6g})"
        return cls(
            Status.DIVERGED, f"{where}: its weights or loss are not finite; lower lr = {lr:g} or start nearer"
        )


class DivergedTrainingError(RuntimeError):
    """A network of a study stopped being finite; the message says which one and where."""
