"""A confirmation is a check of its own: it accepts what is true, depends on its instance, and carries its digits."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from fractions import Fraction

import mpmath.ctx_mp_python
import pytest

from luckproof import CannotJudgeError, Evidence, Statement, make_context, statements
from tests.test_verify.still_open import (
    CONFIRMATIONS_OF_ONE_NUMBER,
    CONFIRMATIONS_THAT_REFUSE,
    DIGITS_NOT_CARRIED,
    settle,
)
from verify.judging import Precise, Replication
from verify.judging.trials.trial import drawn_instances

CONTEXT = make_context("quick", "cpu", 0)

DEAR = {
    "luckmatters.introduction.lottery_ticket.reinitialised.spare.reading",  # networks
    "luckmatters.introduction.winner_take_all.single.reading",  # integrations in many digits, as all below
    "luckmatters.theorem4.modulation.each.reading",
    "luckmatters.theorem4.projection.each.reading",
    "luckmatters.theorem5.acceleration.lasting.reading",
    "luckmatters.theorem5.learning_rate.reading",
    "specialization.eqn12.balance.necessity",
    "specialization.theorem7.alignment.plain.reading",
    "specialization.theorem7.alignment.reading",
}
"""Confirmations that take 3 to 30 seconds each time; the others take two at most."""

CONFIRMED = [
    pytest.param(s, id=s.name, marks=[pytest.mark.deep] if s.name in DEAR else [])
    for s in statements.values()
    if s.confirm is not None
]
GUARD_DIGITS = 3
"""Digits that the last operations may lose: a product of short numbers does not fill its mantissa."""


class Confirmed:
    """The confirmation of one statement, each call made once, with the digits that its arithmetic carried."""

    def __init__(self, statement: Statement) -> None:
        self.statement, self.calls = statement, {}

    def __call__(self, instance, altered) -> tuple[Evidence, tuple[float, float]]:
        key = repr((instance, sorted(altered.items())))
        if key not in self.calls:
            with pytest.MonkeyPatch.context() as patched:
                carried = watch(patched)
                evidence = self.statement.confirm(instance, **altered)
            self.calls[key] = evidence, carried()
        return self.calls[key]

    def probes(self) -> Iterator[tuple[str, Evidence, tuple[float, float]]]:
        """The altered arguments and the results: on controls, then on examples and a few drawn instances."""
        controls = [c for c in self.statement.controls if c.evidence is self.statement.evidence]
        for control in sorted(controls, key=lambda c: not c.must_hold):
            altered = (
                control.altered if control.must_hold else {}
            )  # what only negative controls alter stays out
            if self.inside(control.instance):
                with contextlib.suppress(Exception):  # what a positive control raises is told by its own test
                    yield (str(dict(altered)), *self(control.instance, altered))
        for instance in dict.fromkeys(drawn_instances(self.statement, CONTEXT, 4, seed=0)):
            with contextlib.suppress(CannotJudgeError):
                if self.inside(instance):
                    yield ("{}", *self(instance, {}))

    def inside(self, instance) -> bool:
        return all(a.satisfied for a in self.statement.assumptions(instance))


@pytest.fixture(
    scope="module", params=CONFIRMED
)  # of the module, so that the tests of one statement come together
def confirmed(request) -> Confirmed:
    return Confirmed(request.param)


def test_a_confirmation_has_a_kind(confirmed):
    """It is other formulas in so many digits, or fresh data from so many seeds; a bare function says neither."""
    assert isinstance(confirmed.statement.confirm, Precise | Replication)


def test_a_known_true_variant_is_not_confirmed(confirmed):
    """Each positive control is accepted by the confirmation too, and decided; at least one can be put to it."""
    settle(CONFIRMATIONS_THAT_REFUSE, confirmed.statement.name, refusal_of(confirmed))


def refusal_of(confirmed: Confirmed) -> str:
    statement = confirmed.statement
    positive = [control for control in statement.controls if control.must_hold]
    if not positive:
        return "there is no positive control to put to its confirmation"
    for control in positive:
        if control.evidence is not statement.evidence:
            return (
                f"{control.name!r} is another claim, which its confirmation cannot judge: give it an argument"
            )
        try:
            evidence, _ = confirmed(control.instance, control.altered)
        except Exception as error:
            return f"its confirmation of {control.name!r} raised {error!r}"
        if not evidence.holds or evidence.inconclusive:
            return f"its confirmation does not accept {control.name!r}: margin {evidence.margin}"
    return ""


def test_a_confirmation_depends_on_its_instance(confirmed):
    """Two different instances give different numbers, by the same arguments."""
    numbers = defaultdict(set)
    for altered, evidence, _ in confirmed.probes():
        numbers[altered].add((float(evidence.measured), float(evidence.predicted)))
        if len(numbers[altered]) > 1:
            break
    about_one = not dataclasses.fields(confirmed.statement.instance_type)
    depends = about_one or any(len(different) > 1 for different in numbers.values())
    complaint = "" if depends else f"its confirmation gives {dict(numbers)} on every instance"
    settle(CONFIRMATIONS_OF_ONE_NUMBER, confirmed.statement.name, complaint)


def test_the_digits_are_carried(confirmed):
    """Numbers of the stated length come out of the arithmetic; fractions do where it is called exact."""
    if isinstance(confirmed.statement.confirm, Replication):
        return
    digits, most = confirmed.statement.confirm.digits, 0.0
    for _, _, carried in confirmed.probes():
        most = max(most, carried[digits == 0])
        if enough(most, digits):
            break
    complaint = "" if enough(most, digits) else f"{digits} digits are stated, {most:.0f} carried"
    settle(DIGITS_NOT_CARRIED, confirmed.statement.name, complaint)


def enough(carried: float, digits: int) -> bool:
    return carried > 0 if digits == 0 else abs(carried - digits) <= GUARD_DIGITS


def watch(patched: pytest.MonkeyPatch) -> Callable[[], tuple[float, float]]:
    """From now on: decimal digits of the longest number made a float of, and how many fractions were made."""
    kind = mpmath.ctx_mp_python._mpf
    longest = fractions = 0
    convert, make = kind.__float__, Fraction.__new__

    def converted(number):
        nonlocal longest
        longest = max(longest, number._mpf_[3])
        return convert(number)

    def made(cls, *args, **options):
        nonlocal fractions
        fractions += 1
        return make(cls, *args, **options)

    patched.setattr(kind, "__float__", converted)
    patched.setattr(Fraction, "__new__", staticmethod(made))
    return lambda: (longest * math.log10(2), fractions)
