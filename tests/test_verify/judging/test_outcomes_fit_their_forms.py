"""Outcomes in the words of the form, with their strength, scope, telling counterexample and typed confirmation."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

import hypothesis.strategies as st
import pytest

from luckproof import (
    Assumption,
    CannotJudgeError,
    Evidence,
    Form,
    Instance,
    Item,
    Outcome,
    drawn,
    integers,
    judge,
    make_context,
    reals,
)
from tests.test_verify.judging.toy_statements import FEW, TOY
from verify.command.show import description
from verify.judging import Precise, Replication
from verify.judging.instances import instance_from_json
from verify.mathematics.mean_over_seeds import exceeds

CONTEXT = make_context("quick", "cpu", 0)


@dataclass(frozen=True)
class Size(Instance):
    """A size and a width."""

    n: int = drawn(1, st.integers(1, 40), integers(1))
    width: float = drawn(1.0, st.floats(0.5, 2.0), reals(0.0, low_open=True))

    def impossible(self) -> str:
        return "expected a width below 100 n" if self.width > 100 * self.n else ""


def below_thirty(size: Size, context) -> Evidence:
    """Sizes stay below thirty

    n ≤ 30
    """
    return Evidence.at_most(size.n, bound=30, tolerance=0.0)


def at_most_forty(size: Size, context) -> Evidence:
    """Sizes stay within forty

    n ≤ 40
    """
    return Evidence.at_most(size.n, bound=40, tolerance=0.0)


def make(form, expected, evidence=below_thirty, **settings):
    settings = {"confirm": Precise(lambda size: below_thirty(size, None), digits=0)} | settings
    item = Item("toy.sizes", TOY)
    return item.claim(form, expected=expected, on=Size, cost=FEW, **settings)(evidence)


@pytest.mark.parametrize(
    ("form", "population", "outcome"),
    [
        ("printed", "", Outcome.REFUTED),
        ("necessity", "", Outcome.NEEDED),
        ("printed", "sizes up to forty", Outcome.NOT_OBSERVED),
    ],
)
def test_a_confirmed_failure_is_named_by_the_form(form, population, outcome):
    """A hypothesis left out is needed, an empirical claim not observed; only claims about all are refuted."""
    assert judge(make(form, outcome, population=population), CONTEXT).outcome is outcome


@pytest.mark.parametrize(
    ("form", "population", "outcome"),
    [
        ("printed", "", Outcome.HOLDS),
        ("necessity", "", Outcome.NOT_NEEDED),
        ("reading", "sizes up to forty", Outcome.OBSERVED),
    ],
)
def test_a_claim_without_a_failure_is_named_by_the_form(form, population, outcome):
    """Nothing failing means that the hypothesis was not needed, or that the effect was observed."""
    fine = make(form, outcome, population=population, draw=st.builds(Size, n=st.integers(1, 30)))
    assert judge(fine, CONTEXT).outcome is outcome


def test_strength_and_scope_stand_beside_the_outcome():
    """Few judged instances are said to be few, and the scope is what was judged, not what was drawn."""
    small = {"draw": st.builds(Size, n=st.integers(3, 9)), "compares": ("n", "≤", "thirty")}
    few = judge(make("printed", "holds", draw=None, examples=(Size(n=2), Size(n=4, width=3.0))), CONTEXT)
    assert few.strength == "seen in 2 settings"
    assert few.scope == {"n": "2 … 4", "width": "1 … 3"}
    many = judge(
        make("printed", "holds", assume=lambda s: (Assumption("n > 4", s.n - 4.0),), **small), CONTEXT
    )
    assert many.strength == f"inequality on {many.nonvacuous} instances"
    assert many.nonvacuous < many.examples
    assert many.scope["n"] == "5 … 9"
    population = judge(make("printed", "observed", population="sizes", **small), CONTEXT)
    assert population.strength.endswith("settings, sizes")
    assert judge(make("printed", "refuted"), CONTEXT).strength == "one counterexample, confirmed"


def test_a_population_has_its_effect_with_an_interval_and_its_seeds():
    """The effect is the weakest of the settings judged, and all their seeds are counted."""

    def gain(size: Size, context) -> Evidence:
        """Wide sizes gain

        mean gain > 0
        """
        return exceeds([size.width - 0.01, size.width, size.width + 0.01], 0.0, context)

    settings = {"draw": None, "population": "sizes", "expected": "observed"}
    two = judge(
        make("printed", evidence=gain, examples=(Size(width=2.0), Size(width=5.0)), **settings), CONTEXT
    )
    shown = re.fullmatch(r"2 settings, 6 seeds, sizes; weakest effect 2 in \[(.*), (.*)\]", two.strength)
    assert shown is not None
    assert float(shown[1]) < 2 < float(shown[2])
    one = judge(make("printed", evidence=gain, examples=(Size(width=2.0),), **settings), CONTEXT)
    assert one.strength.startswith("one setting, 3 seeds, sizes; effect 2 in [")


def test_the_telling_counterexample_is_the_largest_violation_in_the_regime():
    """Beside the smallest counterexample stands the one with the largest relative violation among telling ones."""
    verdict = judge(make("printed", "refuted", telling=lambda size: size.width > 1), CONTEXT)
    assert verdict.counterexample.instance == Size(n=31)
    assert verdict.telling.instance.width > 1
    assert verdict.telling.relative_margin < verdict.counterexample.relative_margin
    assert judge(make("printed", "refuted", telling=lambda size: False), CONTEXT).telling is None


def test_instances_that_cannot_be_judged_are_counted_and_do_not_decide():
    """A typed reason leaves the other instances to decide; alone it is inconclusive, never vacuous."""

    def only_even(size: Size, context) -> Evidence:
        """Even sizes

        n ≥ 0
        """
        if size.n % 2:
            raise CannotJudgeError("odd")
        return Evidence.at_most(-size.n, bound=0, tolerance=0.0)

    verdict = judge(make("printed", "holds", only_even), CONTEXT)
    assert verdict.outcome is Outcome.HOLDS
    assert 0 < verdict.unjudged < verdict.examples
    assert f"{verdict.unjudged} of {verdict.examples} instances cannot be judged" in verdict.message
    odd = make("printed", "holds", only_even, draw=None, examples=(Size(n=1),))
    assert judge(odd, CONTEXT).outcome is Outcome.INCONCLUSIVE


def test_controls_of_assumptions_are_run():
    """An instance that must be vacuous and one just inside: each wrong way round is reported."""
    from_five = {
        "assume": lambda size: (Assumption("n >= 5", size.n - 4.5), Assumption("thin", 3 - size.width))
    }
    statement = make("printed", "holds", draw=st.builds(Size, n=st.integers(5, 30)), **from_five)
    statement.excludes("four", Size(n=4), "n >= 5")
    statement.includes("five", Size(n=5))
    assert judge(statement, CONTEXT).controls == {"four": True, "five": True}
    wrong = dataclasses.replace(statement, assumption_controls=())
    wrong.excludes("six", Size(n=6), "n >= 5")
    wrong.excludes("wide for another reason", Size(n=6, width=4.0), "n >= 5")
    wrong.includes("three", Size(n=3))
    verdict = judge(wrong, CONTEXT)
    assert not any(verdict.controls.values())
    assert "'six' does not fail 'n >= 5'" in verdict.message


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"n": 0}, "Size.n: expected an integer >= 1, got 0"),
        ({"n": 1.5}, "Size.n: expected an integer >= 1, got 1.5"),
        ({"n": True}, "Size.n: expected an integer >= 1, got True"),
        ({"width": 0.0}, "Size.width: expected a finite number > 0, got 0.0"),
        ({"width": float("nan")}, "Size.width: expected a finite number > 0, got nan"),
        ({"width": 1e3}, "Size: expected a width below 100 n, got Size(n=1, width=1000.0)"),
    ],
)
def test_outside_its_domain_an_instance_cannot_be_made(fields, named):
    """Field, domain and value are named, from Python and from JSON alike."""
    with pytest.raises(ValueError, match="expected") as error:
        Size(**fields)
    assert str(error.value) == named


def test_json_names_the_domain():
    """A counterexample from the command line is refused by field."""
    with pytest.raises(ValueError, match=r"Size.n: expected an integer >= 1, got -3"):
        instance_from_json(make("printed", "holds"), '{"n": -3}')


def test_a_confirmation_says_what_it_is():
    """Other formulas and fresh seeds are not the same kind of confirmation."""
    statement = make("printed", "refuted")

    @statement.confirmed_precisely(digits=30)
    def again(size: Size, *, bound: float = 30) -> Evidence:
        return Evidence.at_most(size.n, bound=bound, tolerance=0.0)

    assert str(statement.confirm) == "other formulas, 30 digits"
    assert statement.confirm(Size(n=40), bound=50).holds
    statement.replicated(seeds=8)(again)
    assert isinstance(statement.confirm, Replication)
    assert str(statement.confirm) == "replicated on 8 fresh seeds"


def test_a_necessity_is_listed_between_reading_and_correction():
    """The order of forms is the order in which they are read."""
    assert list(Form).index(Form.NECESSITY) == 2


def test_assumptions_may_find_that_an_instance_cannot_be_judged():
    """Where they break down for a reason of the instance's own it is counted, never a crash, and ``show`` goes on."""

    def even(size: Size) -> tuple[Assumption, ...]:
        """The size is even."""
        if size.n % 2:
            raise CannotJudgeError("odd")
        return (Assumption.at_least("n", size.n, 0),)

    statement = make("printed", "holds", at_most_forty, assume=even)
    verdict = judge(statement, CONTEXT)
    assert verdict.outcome is Outcome.HOLDS
    assert 0 < verdict.unjudged < verdict.examples
    assert "n ≥ 0: met by" in description(statement)
