"""One step of descent at random states of a box, against the rows of the comparison system: Lemmas 5 and 6."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from dynamics.arrays import Array
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import Assumption
from verify.mathematics.bounds.comparison import Comparison, comparison, deviation
from verify.mathematics.families.box_states import BoxInstance, box_of, centres_of, descent_step

EPS = float(np.finfo(np.float64).eps)


def rounding_of(states: TeacherStudent, eta: float) -> float:
    """Rounding of one step and of the deviations before and after it, absolute.

    Columns are unit, so every entry of a field is a sum over the nodes of products of fan-outs and kernels below one:
    with S the sum of their norms, a step adds eta (1 + S)^2 at most. Sixteen roundings each.
    """
    fan_outs = (np.linalg.norm(V, axis=-1).sum(axis=-1).max() for V in (states.student_V, states.teacher_V))
    total = 1 + float(sum(fan_outs))
    return 16 * EPS * total * (1 + eta * total)


@lru_cache(maxsize=8)
def system_of(instance: BoxInstance) -> Comparison:
    """The comparison system on the instance's box; not to be written to."""
    return comparison(centres_of(instance), box_of(instance))


def comparison_margin(
    states: TeacherStudent, M: Array, eta: float, rows: slice, share: float = 1.0
) -> tuple[float, float]:
    """Smallest margin of ``y(t+1) <= (I + eta M) y(t)`` on ``rows`` over all states, and largest ratio of the two.

    ``share`` multiplies the bound, for altered claims. Ratios to bounds below the rounding are left out.
    """
    before = deviation(states, states.student_W, states.student_V)
    after = deviation(states, *descent_step(states, eta))[..., rows]
    bound = share * (before + eta * (M @ before[..., None])[..., 0])[..., rows]
    ratio = np.divide(after, bound, out=np.zeros_like(after), where=bound > 10 * rounding_of(states, eta))
    return float((bound - after).min(initial=np.inf)), float(ratio.max(initial=0.0))


def small_step(instance: BoxInstance) -> tuple[Assumption, ...]:
    """Caps on which sin theta tells the angle and no slope is infinite; a step so small that no own term overshoots."""
    acute = Assumption.below("caps", instance.cap, np.pi / 2, "rad")
    if not acute.satisfied:
        return (acute,)
    M = system_of(instance).M
    bounded = Assumption.that("caps without the pole of the bias axis", bool(np.all(np.isfinite(M))))
    if not bounded.satisfied:
        return (acute, bounded)
    overshoot = instance.eta * float(np.abs(np.diagonal(M)).max())
    return (acute, bounded, Assumption.below("η max |M_ii|", overshoot, 1))
