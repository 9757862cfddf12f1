"""Contestants that are not run on a case, each with its reason: they are rows of the table, not gaps in it."""

from __future__ import annotations

from dynamics.memory import GIB
from luckproof import METHODS
from tests.benchmarks.contest.stiff_cases import flow_of

DENSE_LIMIT = 2000
"""Unknowns beyond which dense Jacobians are not tried: one takes as many evaluations as there are unknowns, and on
these flows explicit methods need no more for the whole run."""


SLOW = {
    **{
        ("projected-400", name): "left out for its time: see projected-200, the same arithmetic"
        for name in (
            "diffrax Tsit5",
            "diffrax Dopri5",
            "diffrax Dopri8",
            "torchdiffeq dopri5",
        )
    },
    **{
        ("two-layer-20x", name): "left out for its time: see two-layer-10x, and diffrax Tsit5"
        for name in ("diffrax Dopri5", "diffrax Dopri8")
    },
}
"""Contestants that a smaller case of the same arithmetic, timed in the same run, shows far from the best peer."""


def impossible(case: str, name: str, target: float) -> str | None:
    """Why the contestant does not run on the case, None where it does."""
    row = METHODS.get(name.removeprefix("SciPy "))
    unknowns = flow_of(case).initial_state().size
    if name.startswith("SciPy ") and row is not None and row.matrices and unknowns > DENSE_LIMIT:
        memory = row.jacobian_bytes(unknowns) / GIB
        held = f"{row.matrices} dense {'matrix' if row.matrices == 1 else 'matrices'} of {memory:,.1f} GiB"
        return f"one Jacobian: {unknowns:,} evaluations; {held}"
    return SLOW.get((case, name))
