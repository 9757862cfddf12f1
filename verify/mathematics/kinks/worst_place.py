"""The place that decides: of the evidence at several boundaries, that nearest to failing."""

from __future__ import annotations

from collections.abc import Sequence

from verify.judging import CannotJudgeError, Evidence
from verify.mathematics.kinks.nearly_attained import above_the_bound


def nearest_to_failing(found: Sequence[Evidence], nothing: str) -> Evidence:
    """The evidence with the smallest margin as a share of its bound.

    Args:
        found: evidence with a bound above its rounding, one a place.
        nothing: why nothing can be judged where there is no such place.

    Raises:
        CannotJudgeError: nothing was found: an instance without a place to look at confirms no claim.
    """
    if not found:
        raise CannotJudgeError(nothing)
    return min(found, key=above_the_bound)
