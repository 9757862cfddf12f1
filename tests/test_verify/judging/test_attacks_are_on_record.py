"""What holds has survived an attack, and says of how many evaluations; every day a few statements are attacked anew."""

from __future__ import annotations

import datetime
import os

import numpy as np
import pytest

from luckproof import Verdict, make_context, statements
from tests.test_verify.still_open import ATTACKED_TOO_LITTLE, settle
from verify.judging.trials import record_attacks, recorded_attacks
from verify.judging.trials.attack import attack
from verify.judging.trials.record_attacks import is_stale, why_fewer
from verify.judging.trials.recorded_attacks import (
    ATTACKED,
    FULL_ATTACK,
    RecordedAttack,
    attack_in_words,
    code_of,
    code_of_source,
    recorded,
)
from verify.judging.verdict import Attack

CONTEXT = make_context("full", "cpu", 0)
DAY = os.environ.get("LUCKPROOF_ATTACK_DAY") or datetime.date.today().isoformat()
"""The day that chooses which statements are attacked; ``LUCKPROOF_ATTACK_DAY=2026-11-26`` repeats that day's."""
A_DAY, EVALUATIONS, SECONDS = 4, 200, 15.0

HOLDING = [name for name, statement in statements.items() if statement.expected in ATTACKED]


@pytest.mark.parametrize("name", HOLDING)
def test_what_holds_has_survived_an_attack(name):
    """500 evaluations without a survivor, which the verdict's words repeat."""
    known = recorded().get(name)
    complaint = "no attack is on record"
    if known is not None:
        complaint = str(known) if known.survivors else ""
        if known.evaluations < FULL_ATTACK:
            complaint = f"{known.evaluations} evaluations are on record"
    settle(ATTACKED_TOO_LITTLE, name, complaint)
    if known is not None:
        words = attack_in_words(Verdict(statements[name], statements[name].expected, (), {}))
        assert str(known.evaluations) in words
        assert known.reason in words


def test_the_record_is_of_statements_that_hold():
    """No attack is left behind when a statement is renamed or comes out otherwise."""
    assert set(recorded()) <= set(HOLDING)


def chosen_on(day: str) -> list[str]:
    """A few statements that survived a full attack once, others every day; the last of them after some weeks."""
    known = [name for name in HOLDING if name in recorded() and recorded()[name].evaluations >= FULL_ATTACK]
    order = np.random.default_rng(0).permutation(len(known))
    first = A_DAY * datetime.date.fromisoformat(day).toordinal()
    return [known[order[(first + i) % len(known)]] for i in range(A_DAY)]


@pytest.mark.parametrize("at", range(A_DAY))
def test_a_few_statements_are_attacked_every_day(at):
    """A fresh attack from the day's own seed, stopped after some seconds, leaves no survivor."""
    name = chosen_on(DAY)[at]
    seed = datetime.date.fromisoformat(DAY).toordinal()
    found = attack(statements[name], CONTEXT, EVALUATIONS, seconds=SECONDS, seed=seed)
    again = f"LUCKPROOF_ATTACK_DAY={DAY}"
    assert not found.survivors, f"{name} fell on {found.survivors[0].instance}; {again} repeats it"
    assert found.evaluations, f"nothing of {name} could be judged: {dict(found.unjudged)}; {again} repeats it"


def test_every_statement_has_its_day():
    """The choice is the same all day, other on the next, and within two months each statement was attacked."""
    start = datetime.date(2026, 1, 1)
    days = [chosen_on((start + datetime.timedelta(days=i)).isoformat()) for i in range(60)]
    assert chosen_on("2026-01-01") == days[0] != days[1]
    assert {name for day in days for name in day} == {
        n for n in HOLDING if n in recorded() and recorded()[n].evaluations >= FULL_ATTACK
    }


@pytest.mark.parametrize(
    ("evaluations", "spent", "reason"),
    [(500, 10.0, ""), (40, 61.0, "one takes 1.2 s and the time was 60 s"), (40, 3.0, "of 50 tried")],
    ids=["all", "out of time", "out of instances"],
)
def test_fewer_evaluations_come_with_their_reason(evaluations, spent, reason):
    """The reason is what stopped the search, and stands in the words of the record."""
    found = Attack(evaluations, 50, 0.1, None)
    why = why_fewer(found, 500, 60.0, spent)
    assert reason in why
    assert bool(why) == bool(reason)
    assert str(RecordedAttack(evaluations, 0.1, 0, 0, "2026-01-01", why)).count("because") == bool(reason)


SOURCE = 'LIMIT = 1.5\n\n\ndef f(x):\n    """Words."""\n    return x < LIMIT\n'


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("Words.", "Other words.", True),
        ('    """Words."""\n', "    # none\n", True),
        ("return x", "return  (x)", True),
        ("1.5", "1.6", False),
        ("x <", "x <=", False),
    ],
)
def test_an_attack_is_of_the_code_at_its_time(old, new, same):
    """Words and layout of a statement's file may change after an attack; its code may not unsaid."""
    assert old in SOURCE
    assert (code_of_source(SOURCE) == code_of_source(SOURCE.replace(old, new))) == same


@pytest.mark.parametrize("changed", [False, True])
def test_the_words_say_when_the_code_has_changed_since(monkeypatch, changed):
    statement = statements[HOLDING[0]]
    code = "of another day" if changed else code_of(statement)
    known = RecordedAttack(500, 0.1, 0, 0, "2026-01-01", code=code)
    monkeypatch.setattr(recorded_attacks, "recorded", lambda: {statement.name: known})
    words = attack_in_words(Verdict(statement, statement.expected, (), {}))
    assert ("before its code was last changed" in words) == changed
    monkeypatch.setattr(record_attacks, "recorded", lambda: {statement.name: known})
    assert is_stale(statement) == changed


def test_an_attack_that_judged_nothing_is_not_survived():
    """Instances outside the assumptions, or beyond judgement, say nothing for a claim."""
    assert not Attack(0, 40, None, None).survived
    assert Attack(1, 40, 0.5, None).survived
