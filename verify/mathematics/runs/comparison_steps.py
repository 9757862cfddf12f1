"""One step of descent at random states of a box, against the rows of the comparison system: Lemmas 5 and 6."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from dynamics.arrays import Array
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import Assumption
from verify.mathematics.bounds.comparison import Comparison, comparison, deviation
from verify.mathematics.families.box_states import BoxInstance, box_of, centres_of, descent_step

ROUNDING = 1e-14
"""Of one step on numbers of order one: a few dozen rounding errors, also of the square roots in the norms."""


@lru_cache(maxsize=8)
def system_of(instance: BoxInstance) -> Comparison:
    """The comparison system on the instance's box; not to be written to."""
    return comparison(centres_of(instance), box_of(instance))


def comparison_margin(states: TeacherStudent, M: Array, eta: float, rows: slice) -> tuple[float, float]:
    """Smallest margin of ``y(t+1) <= (I + eta M) y(t)`` on ``rows`` over all states, and largest ratio of the two."""
    before = deviation(states, states.student_W, states.student_V)
    after = deviation(states, *descent_step(states, eta))[..., rows]
    bound = (before + eta * (M @ before[..., None])[..., 0])[..., rows]
    ratio = np.divide(after, bound, out=np.zeros_like(after), where=bound > ROUNDING)
    return float((bound - after).min(initial=np.inf)), float(ratio.max(initial=0.0))


def small_step(instance: BoxInstance) -> tuple[Assumption, ...]:
    """The step is so small that no own term overshoots."""
    M = system_of(instance).M
    if not np.all(np.isfinite(M)):
        return (Assumption("caps without the pole of the bias axis", -1.0),)
    return (Assumption("η max |M_ii| < 1", 1 - instance.eta * float(np.abs(np.diagonal(M)).max())),)
