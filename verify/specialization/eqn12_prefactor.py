"""After Eqn 12: the prefactor of the slow regime, in which a student with a small fan-out turns round."""

from __future__ import annotations

import math
from dataclasses import replace

import hypothesis.strategies as st

from verify.judging import FLOW, Assumption, Context, Evidence, drawn_fields
from verify.specialization.eqn12_balance import BALANCE, REGIMES, SLOW, Regime, near_the_limit


def slow(regime: Regime) -> tuple[Assumption, ...]:
    """The slow regime, near its limit."""
    norm, fan_out = REGIMES[regime.regime]
    return (
        Assumption.below("v / ‖w‖", fan_out / norm, 1),
        *near_the_limit(regime),
    )


# The regime is drawn and replaced, so that the starts and scales are those at which the three regimes are judged.
slow_regimes = drawn_fields(Regime, regime=st.sampled_from(list(REGIMES)).map(lambda name: SLOW.regime))


@BALANCE.claim(
    "sharp",
    part="prefactor",
    expected="holds",
    on=Regime,
    draw=slow_regimes,
    assume=slow,
    examples=(SLOW, Regime("small fan-out", 0.0125)),
    cost=FLOW.at_quick(4),
    compares=("time over 3π²(‖w‖² − v²)/(2ε⁴)", "≈", "1"),
)
def prefactor(regime: Regime, context: Context, *, power: int = 4) -> Evidence:
    """How slow the slow regime is

    v < ‖w‖:   T ≈ 3π² (‖w‖² − v²) / (2 c v*² ε⁴)
    (judged: within 2ε/s² of it, as a share, at ‖w‖ = s, v = s/2 with s < 1.505, ε < 0.0205 min(s², 1))

    The next order is 0.83 ε/s² of it where it was measured.
    """
    time = regime.times()[0]
    ratio = time * regime.start**power / (1.5 * math.pi**2 * regime.excess)
    return Evidence.close(ratio, predicted=1.0, tolerance=2 * regime.start / regime.scale**2, time=time)


prefactor.rejects("1/ε³", SLOW, power=3)
prefactor.excludes("balanced weights", Regime(), "v / ‖w‖")
prefactor.includes("a small fan-out", SLOW)
prefactor.excludes("a start far from the limit", replace(SLOW, start=0.021), "ε / min(s², 1)")
prefactor.excludes("large weights", replace(SLOW, scale=1.51), "s, the scale")
