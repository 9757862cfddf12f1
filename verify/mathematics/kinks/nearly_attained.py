"""Controls a hair off a bound: one side is scaled until the claim fails by a stated share of the bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from verify.judging import Context, Evidence


def above_the_bound(evidence: Evidence) -> float:
    """The margin as a share of the bound; infinite where nothing is bounded."""
    return evidence.margin / evidence.predicted if evidence.predicted else np.inf


def just_below(evidence: Callable[..., Evidence]) -> Callable[..., Evidence]:
    """A variant of ``evidence(instance, context, scale=...)``, a claim of "at least", that must be rejected.

    The worst place's measured quantity is scaled to ``(1 - share)`` of its bound there. A tolerance that is wider than
    ``share`` of the bound lets it pass.
    """

    def scaled_below(instance: Any, context: Context, *, share: float) -> Evidence:
        plain = evidence(instance, context)
        return evidence(instance, context, scale=(1 - share) * plain.predicted / plain.measured)

    return scaled_below


def bound_just_below(evidence: Callable[..., Evidence]) -> Callable[..., Evidence]:
    """The same for a claim of "at most" whose bound grows with ``scale``: to ``(1 - share)`` of what it bounds."""

    def scaled_bound(instance: Any, context: Context, *, share: float) -> Evidence:
        plain = evidence(instance, context)
        return evidence(instance, context, scale=(1 - share) * plain.measured / plain.predicted)

    return scaled_bound
