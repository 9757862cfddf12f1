"""How a run ends: its status with the remedy, and the exception that carries it out of a step."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a run ended; ``remedy`` says what to do about it."""

    FINISHED = "finished"
    CONVERGED = "converged"
    EVENT = "event"
    DIVERGED = "diverged"
    NONFINITE = "nonfinite"
    STEP_LIMIT = "step_limit"
    TIME_LIMIT = "time_limit"
    EVALUATION_LIMIT = "evaluation_limit"
    MEMORY_LIMIT = "memory_limit"
    STEP_TOO_SMALL = "step_too_small"

    @property
    def successful(self) -> bool:
        """Whether the run went to its end, or to the event it was asked to stop at."""
        return self in (Status.FINISHED, Status.CONVERGED, Status.EVENT)

    @property
    def remedy(self) -> str:
        """What to change, in a sentence; empty where nothing went wrong."""
        return _REMEDIES.get(self, "")


_REMEDIES = {
    Status.DIVERGED: "End the run before that time, lower the learning rate or start closer to an equilibrium; "
    "events=[diverged(limit)] moves the limit.",
    Status.NONFINITE: "Check the right-hand side for overflow, 0/0 or a domain edge at that time and component.",
    Status.STEP_LIMIT: "Raise max_steps, loosen rtol and atol, or take an implicit method (LSODA, BDF, Radau) "
    "if the flow is stiff.",
    Status.TIME_LIMIT: "Raise max_seconds, loosen rtol and atol, or shorten the time span.",
    Status.EVALUATION_LIMIT: "Not one step could be completed: the right-hand side is discontinuous or singular "
    "there; end the run earlier or try another method.",
    Status.MEMORY_LIMIT: "Pass t_eval so that only the times you need are kept.",
    Status.STEP_TOO_SMALL: "The solution is singular there, or the tolerance is below rounding: end the run earlier, "
    "loosen rtol, or shift the time origin nearer to zero.",
}


@dataclass
class Stop(Exception):  # noqa: N818  (not an error: how a run ends)
    """Leaves a step from inside the right-hand side: how the run ends, where, and the component at fault."""

    status: Status
    detail: str
    component: int | None = None
