"""Tolerances of a run, and how every instance of a stack is kept to them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from dynamics.ode.flow import Flow, Labels
from dynamics.ode.steppers.methods import Method
from dynamics.validation import number, shown

RTOL_FLOOR = 100 * float(np.finfo(np.float64).eps)
"""Below this relative tolerance rounding dominates the error estimate; SciPy's methods refuse it."""


@dataclass(frozen=True)
class Tolerances:
    """``rtol`` and ``atol`` as asked for, of a state that holds ``instances`` problems.

    ``labels``: the instance of each component; None where there is one instance or the flow does not tell.
    """

    rtol: float
    atol: float
    instances: int
    labels: Labels | None

    @classmethod
    def of(cls, flow: Flow, size: int, rtol: Any, atol: Any) -> Self:
        """The tolerances for a flow with a state of ``size`` components; raises TypeError or ValueError."""
        relative = number("rtol", rtol, positive=True)
        absolute = number("atol", atol, positive=True)
        if not RTOL_FLOOR <= relative < 1:
            raise ValueError(
                f"rtol: expected a number from {RTOL_FLOOR:.3g} (100 eps) to 1, got {shown(rtol)}"
            )
        return cls(relative, absolute, flow.instances, flow.instance_labels(size))

    def given_to(self, method: Method) -> tuple[float, float]:
        """``(rtol, atol)`` as ``method`` gets them.

        Divided by sqrt(instances) where the method has one root mean square over the whole stack, in which an instance
        may be off by that factor unseen; ``rtol`` stays above the methods' floor.
        """
        own_norms = method.per_instance and self.labels is not None
        root = math.sqrt(self.instances) if method.rms_norm and not own_norms else 1.0
        return max(self.rtol / root, RTOL_FLOOR), self.atol / root

    def options_for(self, method: Method) -> dict[str, Any]:
        """What else the method is given: the labels, where it can use them."""
        return {"labels": self.labels} if method.per_instance and self.labels is not None else {}
