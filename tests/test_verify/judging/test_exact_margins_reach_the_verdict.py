"""What exact margins say reaches the verdict: proved, equal, undecided, contradictions; without balls it says so."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from luckproof import Context, Evidence, Outcome, RunInfo, Verdict, judge, make_context, statements
from tests.test_verify.judging.test_kept_verdicts_are_the_verdicts import kept_again, same
from tests.test_verify.judging.toy_statements import HOLDS, REFUTED, Point
from verify.judging.enclosing.balls import REAL, Ball, interval
from verify.judging.enclosing.enclosure import Attained, EnclosedOutcome, EnclosureCounts, enclose
from verify.judging.enclosing.proof import Proof
from verify.judging.trials import exact_margins
from verify.mathematics.enclosed.subdivision import all_of, positive_on
from verify.report import as_records, render_html

pytest.importorskip("flint")
CONTEXT = make_context("quick", "cpu", 0)


def square_margin(point: Point) -> Any:
    """``a² − a``, an integer."""
    return point.a**2 - point.a


def judged(statement: Any = HOLDS, **changes: Any) -> Verdict:
    return judge(dataclasses.replace(statement, **changes), CONTEXT)


def test_the_strength_counts_what_is_proved_and_what_is_equal():
    """``1 ≤ 1²`` is an equality; every other square is above."""
    verdict = judged(enclose=square_margin)
    ones = sum(record.instance.a == 1 for record in verdict.judged)
    counts = verdict.enclosure
    assert counts is not None
    assert verdict.outcome is Outcome.HOLDS
    assert (counts.equal, counts.proved) == (ones, counts.judged - ones)
    assert verdict.strength.startswith(f"proved on {counts.proved} of {counts.judged}")
    assert ("equal on" in verdict.strength) == (ones > 0)


def test_words_of_counts():
    """As the design has them; what did not occur is left out."""

    def words(**counts: int) -> str:
        named = dict.fromkeys(("judged", "proved", "equal", "undecided", "violated", "beyond", "bits"), 0)
        return str(EnclosureCounts(**{**named, **counts}, because={}))

    assert words(judged=1500, proved=988, equal=512) == "proved on 988 of 1,500, equal on 512"
    assert words(judged=20, proved=20) == "proved on 20 of 20"
    assert words(judged=3, equal=3) == "equal on 3 of 3"
    assert words(judged=3, undecided=2, beyond=1) == "undecided on 2 of 3, not enclosed on 1"


def test_a_violation_below_the_tolerance_does_not_hold():
    """Floats see none of it; the exact margin does, and the claim is not said to hold."""

    def within_tolerance(point: Point, context: Context) -> Evidence:
        return Evidence.at_most(1.0 + 1e-14, bound=1.0, tolerance=1e-13)

    exact = judged(evidence=within_tolerance, enclose=lambda point: Ball(-1) / 10**14)
    assert judged(evidence=within_tolerance).outcome is Outcome.HOLDS
    assert exact.outcome is Outcome.INCONCLUSIVE
    assert "by less than the tolerance" in exact.message


def test_a_counterexample_that_is_proved_to_be_none_is_a_contradiction():
    """A failed claim with a margin that is not negative is an error of ours."""
    wrong = judged(REFUTED, enclose=lambda point, bound=50.0: Ball(1))
    right = judged(REFUTED, enclose=lambda point, *, bound=50.0: Ball(bound) - point.b)
    assert right.outcome is Outcome.REFUTED
    assert right.strength == "one counterexample, confirmed, proved in ball arithmetic"
    assert wrong.outcome is Outcome.INCONCLUSIVE
    assert "is not negative" in wrong.message


def test_a_control_has_to_fail_in_balls_too():
    """An exact margin that does not know of the alteration leaves the control standing."""
    deaf = judged(
        REFUTED, enclose=lambda point, *, bound=50.0: Ball(50) - point.b if point.b != 60 else Ball(1)
    )
    assert not deaf.controls["b = 60 is above 50"]
    assert "is proved in ball arithmetic" in deaf.message


def test_an_exact_margin_that_breaks_is_named_once():
    """As any fault of a statement's own code: inconclusive, and the run goes on."""
    broken = judged(enclose=lambda point: point.scale * 0.1)
    assert broken.outcome is Outcome.INCONCLUSIVE
    assert broken.message.count("a float in ball arithmetic") == 1


def test_precision_is_raised_until_the_sign_is_known():
    """10⁻³⁰ beside 1 takes more than 64 bits; an exact zero in disguise stays undecided; an argument makes it equal."""

    def small(point: Point) -> Ball:
        return REAL.sin(Ball(1)) ** 2 + REAL.cos(Ball(1)) ** 2 - 1 + Ball(1) / 10**30

    def zero(point: Point) -> Ball:
        return REAL.sin(Ball(1)) ** 2 + REAL.cos(Ball(1)) ** 2 - 1

    found = enclose(small, Point())
    assert found is not None
    assert (found.outcome, found.bits) == (EnclosedOutcome.PROVED, 256)
    undecided = enclose(zero, Point())
    assert undecided is not None
    assert undecided.outcome == EnclosedOutcome.UNDECIDED
    equal = enclose(lambda point: Attained(zero(point), "sin² + cos² = 1"), Point())
    assert equal is not None
    assert (equal.outcome, equal.because) == (EnclosedOutcome.EQUAL, "sin² + cos² = 1")


def test_a_wrong_argument_for_equality_is_refused():
    """The ball must contain zero."""
    with pytest.raises(ArithmeticError, match="where it is zero because"):
        enclose(lambda point: Attained(Ball(1) / 3, "of nothing"), Point())


@pytest.mark.parametrize(("margin", "outcome"), [(Fraction(1, 3), "proved"), (0, "equal"), (-1, "violated")])
def test_exact_numbers_need_no_bits(margin, outcome):
    """Fractions and integers are decided by their sign."""
    found = enclose(lambda point: margin, Point())
    assert found is not None
    assert (found.outcome, found.bits) == (outcome, 0)
    assert found.low <= margin <= found.high


def test_out_of_reach_is_said():
    """Nothing enclosed: the strength is that of floats, and says so."""
    verdict = judged(enclose=lambda point: None)
    assert verdict.strength.endswith("; none enclosed")


def test_without_python_flint_the_verdict_is_as_before(monkeypatch):
    """The same outcome and records, no proof, and the strength says that nothing was enclosed."""
    statement = statements["luckmatters.lemma4.corrected"]
    with_balls = judge(statement, CONTEXT)
    monkeypatch.setattr(exact_margins, "balls_available", lambda: False)
    without = judge(statement, CONTEXT)
    assert with_balls.strength.startswith("proved for all instances, on ")
    assert without.outcome is with_balls.outcome
    assert without.as_expected
    assert without.proof is None
    assert [record.evidence for record in without.records] == [r.evidence for r in with_balls.records]
    assert all(record.enclosed is None for record in without.records)
    assert without.strength == "inequality on 103 instances; nothing enclosed: python-flint is not installed"


def test_subdivision_proves_what_is_positive_and_nothing_else():
    """Touching zero, negative somewhere, or a pole: not proved."""
    assert positive_on(lambda x: x * x + 1, -1, 1).proved
    assert positive_on(lambda x: REAL.sin(x) - x / 2, Ball(1) / 100, 1).proved
    for function in (lambda x: x * x, lambda x: x - Ball(1) / 3, lambda x: 1 / x, lambda x: -1 - x * x):
        stopped = positive_on(function, -1, 1)
        assert not stopped.proved
        assert stopped.undecided
    assert not all_of(Proof(True, 2), Proof(False, 1, "there")).proved


def test_intervals_hold_their_ends():
    """No number between the ends is lost to rounding."""
    piece = interval(Ball(1) / 3, Ball(2) / 3)
    assert piece.arb.contains((Ball(1) / 3).arb)
    assert piece.arb.contains((Ball(2) / 3).arb)


def test_a_proof_that_stops_breaks_the_verdict():
    """And a false claim that is proved fails its control."""
    stopped = judged(prove=lambda: Proof(False, 7, "[0.1, 0.2]"))
    assert stopped.outcome is Outcome.INCONCLUSIVE
    assert "stops at [0.1, 0.2]" in stopped.message
    careless = dataclasses.replace(HOLDS, prove=lambda **altered: Proof(True, 1))
    careless.not_proved("a false claim", share=2.0)
    verdict = judge(careless, CONTEXT)
    assert not verdict.as_expected
    assert "'a false claim' was proved" in verdict.message


@pytest.mark.parametrize("name", ["luckmatters.lemma4.corrected", "luckmatters.lemma3.difference.printed"])
def test_it_is_kept_and_reported(tmp_path: Path, name: str):
    """Kept verdicts come back with their exact margins and proofs; JSON and page show them."""
    verdict = judge(statements[name], CONTEXT)
    assert same(kept_again(verdict, tmp_path), verdict)
    info = RunInfo.of(CONTEXT)
    exact = as_records([verdict], info)[0]["exact"]
    assert exact["available"]
    assert exact["instances"]["judged"] == verdict.nonvacuous
    page = render_html([verdict], info)
    assert verdict.strength in page
    assert "Exact margins, without tolerance" in page
    assert ("All instances: proved for all instances" in page) == (verdict.proof is not None)
