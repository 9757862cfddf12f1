"""An attack finds what the sampler's range hides, stays inside the domain, and survives what it cannot judge."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import hypothesis.strategies as st
import pytest

from luckproof import (
    Assumption,
    CannotJudgeError,
    Context,
    Evidence,
    Instance,
    Item,
    OneOf,
    Outcome,
    drawn,
    integers,
    judge,
    make_context,
    reals,
)
from tests.test_verify.judging.toy_statements import FEW, TOY
from verify.judging.trials.attack import attack
from verify.judging.trials.recorded_attacks import FULL_ATTACK

CONTEXT = make_context("quick", "cpu", 0)


@dataclass(frozen=True)
class Box(Instance):
    """A length and a count, drawn from a corner of what they may be."""

    length: float = drawn(0.1, st.floats(0.0, 0.5), reals(0.0, 10.0))
    count: int = drawn(1, st.integers(1, 3), integers(1, 50))
    kind: str = drawn("plain", st.sampled_from(["plain"]), OneOf(("plain", "rare")))


def statement_on(evidence, assume=lambda box: ()):
    evidence.__doc__ = "A toy\n\nmeasured ≤ predicted"
    claim = Item("toy.attacked", TOY).claim("corrected", expected="holds", on=Box, assume=assume, cost=FEW)
    return claim(evidence)


@pytest.mark.parametrize(
    "violated",
    [
        lambda box: box.length > 3,
        lambda box: 0 < 10.0 - box.length < 1e-4,
        lambda box: box.count > 9,
        lambda box: box.kind == "rare",
    ],
    ids=["a real field", "hard by the end of a domain", "a size", "a choice"],
)
def test_a_violation_outside_the_drawn_range_is_found(violated):
    """Each kind of field is stretched to where the claim fails."""
    found = attack(statement_on(lambda box, context: evidence_of(violated(box), box)), CONTEXT, 500)
    assert found.survivors
    assert violated(found.survivors[0].instance)
    assert not found.survived


@dataclass(frozen=True)
class Wide(Instance):
    """A length whose domain ends 100 decades above what is drawn."""

    length: float = drawn(0.1, st.floats(0.1, 0.5), reals(0.0, 1e100))


def test_ends_of_a_domain_are_looked_at():
    """At the far end, and hard by it: steps of a decade without a slope to follow do not get there."""

    def at_the_end(wide: Wide, context: Context) -> Evidence:
        margin = -1.0 if wide.length > 0.9e100 else 1.0
        return Evidence(predicted=1.0, measured=1.0 - margin, margin=margin)

    at_the_end.__doc__ = "A toy\n\nmeasured ≤ predicted"
    claim = Item("toy.wide", TOY).claim("corrected", expected="holds", on=Wide, cost=FEW)
    assert attack(claim(at_the_end), CONTEXT, 300).survivors


def test_what_falls_in_an_attack_does_not_hold():
    """The drawn instances meet the claim; the violation beyond them decides against *holds*, and is shown."""
    statement = statement_on(lambda box, context: evidence_of(box.length > 3, box))
    assert judge(statement, CONTEXT).outcome is Outcome.HOLDS
    verdict = judge(statement, dataclasses.replace(CONTEXT, attack=500))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.counterexample.instance.length > 3
    assert "fell in an attack" in verdict.message


def test_chances_are_shared_out_over_an_attack():
    """Hundreds of looks at sampled evidence raise no more false alarms than one."""
    examples = []

    def looked(box: Box, context: Context) -> Evidence:
        examples.append(context.examples)
        return evidence_of(False, box)

    attack(statement_on(looked), CONTEXT, 150)
    assert set(examples) == {150}


def test_a_deep_run_attacks_what_holds():
    """As much as an attack on record is, and a quick one does not unless it is asked to."""
    assert make_context("deep", "cpu", 0).attack == FULL_ATTACK >= 500
    assert make_context("quick", "cpu", 0).attack == 0
    assert make_context("deep", "cpu", 0, attack=7).attack == 7


def evidence_of(violated: bool, box: Box) -> Evidence:
    margin = -1.0 if violated else 1.0 / (1.0 + box.length + box.count)
    return Evidence(predicted=1.0, measured=1.0 - margin, margin=margin)


def test_a_true_claim_survives_and_says_of_how_many_evaluations():
    """Every evaluation is spent, and each stays inside the domain and the assumptions."""
    seen = []

    def holds(box: Box, context: Context) -> Evidence:
        seen.append(box)
        return evidence_of(False, box)

    short = statement_on(holds, lambda box: (Assumption("length < 5", 5 - box.length),))
    found = attack(short, CONTEXT, 200)
    assert found.survived
    assert found.evaluations == len(seen) == 200
    assert all(0 <= box.length < 5 and 1 <= box.count <= 50 for box in seen)
    assert max(box.length for box in seen) > 2
    assert max(box.count for box in seen) > 20
    assert found.smallest_margin == min(1.0 / (1.0 + box.length + box.count) for box in seen)


def test_the_margin_is_driven_down_by_the_simplex_search():
    """A valley that altering fields at random would hit one time in a million is walked into."""

    def valley(box: Box, context: Context) -> Evidence:
        return Evidence(predicted=1.0, measured=0.0, margin=1e-6 + (box.length - 7.123) ** 2)

    assert attack(statement_on(valley), CONTEXT, 500).smallest_margin < 1e-5


def test_what_cannot_be_judged_is_counted_and_shown():
    """A reason of the statement's own and a fault of its code are counted apart from survivors."""

    def breaks(box: Box, context: Context) -> Evidence:
        if box.count > 5:
            raise CannotJudgeError("more than five")
        return Evidence(predicted=1 / max(0.0, 2.0 - box.length), measured=0.0, margin=1.0)

    found = attack(statement_on(breaks), CONTEXT, 300)
    assert found.survived
    assert found.unjudged["more than five"] > 0
    assert any("ZeroDivisionError" in reason for reason in found.unjudged)
    assert '"length"' in found.unjudged_examples[0]


def test_a_nan_is_a_survivor():
    """An evaluation that gives no number has not shown the claim."""
    nowhere = statement_on(
        lambda box, context: Evidence(
            predicted=0.0, measured=0.0, margin=float("nan") if box.length > 1 else 1.0
        )
    )
    found = attack(nowhere, CONTEXT, 300)
    assert found.survivors


def test_the_same_seed_tries_the_same_instances():
    """An attack is repeatable, and another seed is another attack."""
    statement = statement_on(lambda box, context: evidence_of(False, box))
    one, two, other = (attack(statement, CONTEXT, 100, seed=seed) for seed in (1, 1, 2))
    assert one == two
    assert one.tried != other.tried or one.closest != other.closest


@dataclass(frozen=True)
class Pair(Instance):
    """Two sizes, the second at most the first."""

    size: int = drawn(1, st.integers(1, 4), integers(1))
    part: int = drawn(1, st.just(1), integers(1))

    def impossible(self) -> str:
        return "expected a part of at most all" if self.part > self.size else ""


def test_equal_margins_do_not_keep_the_search_where_it_began():
    """An identity has no worst instance: the attack moves on to ever larger sizes and spends what it was given."""

    def identity(pair: Pair, context: Context) -> Evidence:
        return Evidence(predicted=0.0, measured=0.0, margin=0.0)

    identity.__doc__ = "A toy\n\nmeasured = predicted"
    claim = Item("toy.sizes", TOY).claim("corrected", expected="holds", on=Pair, cost=FEW)
    assert attack(claim(identity), CONTEXT, 500).evaluations == 500
