"""The implicit method that confirms stiff passage times: its order, its damping, and what it says of Eqn 12's time."""

from __future__ import annotations

import math

import mpmath as mp
import pytest

from verify.mathematics.precise.radau import radau
from verify.specialization.eqn12_balance import Turn, by_an_implicit_method


def error_of_growth(steps: int) -> float:
    """Error of y' = y and of the integral of y over [0, 1]."""
    with mp.workdps(30):
        mesh = [mp.mpf(i) / steps for i in range(steps + 1)]
        y, total = radau(lambda s, y: y, lambda s, y: y, mp.mpf(1), mesh, most=10.0)
        return float(max(abs(y - mp.e), abs(total - mp.e + 1)))


def test_halving_the_step_divides_the_error_by_thirty_two() -> None:
    """Order five, of the solution and of the quadrature carried along."""
    assert math.log2(error_of_growth(8) / error_of_growth(16)) == pytest.approx(5, abs=0.2)


def test_a_transient_is_damped() -> None:
    """At a rate of 1e6 a few long steps end on the slow solution y = s."""
    with mp.workdps(20):
        mesh = [mp.mpf(i) / 4 for i in range(5)]
        y, _ = radau(lambda s, y: 1 - 10**6 * (y - s), lambda s, y: y, mp.mpf(1), mesh, most=10.0)
        assert float(y) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("turn", "time"),
    [
        (Turn(), 60.56004443010272),  # 2 pi int d delta / (delta sin delta) from 0.1
        (Turn(fan_out=0.5), 102511.5434),  # LSODA at rtol 1e-11, a stiff run
        (Turn(norm=0.5), 6.7818394),
    ],
)
def test_the_time_to_turn_round_in_all_three_regimes(turn: Turn, time: float) -> None:
    """Balanced, small and large fan-out: the smaller of the two carries the equation."""
    assert by_an_implicit_method(turn).measured == pytest.approx(time, rel=2e-8)


def test_a_fan_out_a_millionth_too_small_is_not_balanced() -> None:
    """The confirmation resolves what the statement's own control resolves."""
    assert by_an_implicit_method(Turn()).holds
    assert not by_an_implicit_method(Turn(fan_out=0.999999)).holds
