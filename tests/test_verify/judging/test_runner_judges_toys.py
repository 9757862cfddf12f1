"""The runner comes to the right verdict, for the right reason, on statements whose truth is known."""

from __future__ import annotations

import dataclasses
import importlib
import math

import hypothesis.strategies as st
import pytest
from hypothesis import assume

from luckproof import Assumption, Control, Cost, Evidence, Outcome, Record, Verdict, judge, make_context
from tests.test_verify.judging.toy_statements import HOLDS, REFUTED, VACUOUS, Point, below_fifty, points
from verify.judging.trials.trial import INCONCLUSIVE_SHARE, planned_examples

CONTEXT = make_context("quick", "cpu", 0)


def variant(statement, **changes):
    return dataclasses.replace(statement, **changes)


def test_true_claim_holds_and_counts_its_instances():
    """Examples and drawn instances are all recorded; those outside the assumptions are counted as vacuous."""
    verdict = judge(HOLDS, CONTEXT)
    assert verdict.outcome is Outcome.HOLDS
    assert verdict.as_expected
    assert verdict.records[0].instance == Point(a=3)
    assert verdict.examples == planned_examples(HOLDS, CONTEXT)
    vacuous = sum(record.instance.a <= 0 for record in verdict.records)
    assert 0 < vacuous == verdict.examples - verdict.nonvacuous


def test_false_claim_is_refuted_by_its_simplest_counterexample():
    """b <= 50 fails first at b = 51 with every other field at its simplest, and mpmath agrees."""
    verdict = judge(REFUTED, CONTEXT)
    assert verdict.outcome is Outcome.REFUTED
    assert verdict.counterexample.instance == Point(a=0, b=51, scale=1.0)
    assert verdict.confirmation.margin == -1
    assert verdict.worst is verdict.counterexample
    assert verdict.as_expected


def test_instances_tried_while_shrinking_are_not_recorded():
    """The records end at the first failure; nothing after it was drawn from the family."""
    records = judge(REFUTED, CONTEXT).records
    assert [record.failed for record in records] == [False] * (len(records) - 1) + [True]


def test_failing_example_is_shrunk_through_the_strategy():
    """A pinned failure outside the strategy's reach stands as it is; within it, the shrunk one is reported."""
    pinned = variant(REFUTED, examples=(Point(a=7, b=900),))
    assert judge(pinned, CONTEXT).counterexample.instance == Point(a=0, b=51)
    unreachable = variant(pinned, instances=lambda budget: st.builds(Point, b=st.integers(0, 50)))
    assert judge(unreachable, CONTEXT).counterexample.instance == Point(a=7, b=900)
    assert judge(variant(pinned, instances=None), CONTEXT).counterexample.instance == Point(a=7, b=900)


def test_refutation_needs_its_confirmation():
    """A failure that the independent evaluation does not share, or cannot check, decides nothing."""
    accepts = variant(REFUTED, confirm=lambda point: Evidence.at_most(0.0, bound=1.0, tolerance=0.0))
    undecided = variant(
        REFUTED, confirm=lambda point: Evidence(predicted=50, measured=math.nan, margin=math.nan)
    )
    unresolved = variant(
        REFUTED, confirm=lambda point: Evidence(predicted=50, measured=51, margin=-1.0, inconclusive=True)
    )
    for statement in (
        accepts,
        undecided,
        unresolved,
        variant(HOLDS, evidence=below_fifty.evidence, assumptions=lambda p: ()),
    ):
        verdict = judge(statement, CONTEXT)
        assert verdict.outcome is Outcome.INCONCLUSIVE
        assert verdict.counterexample.instance.b == 51
        assert "confirm" in verdict.message


def test_confirmation_falls_back_on_the_instance_first_found():
    """When the shrunk instance is within rounding of the edge, the one found before shrinking decides."""
    statement = variant(REFUTED, confirm=lambda point: Evidence.at_most(point.b, bound=52, tolerance=0.0))
    verdict = judge(statement, CONTEXT)
    assert verdict.outcome is Outcome.REFUTED
    assert verdict.counterexample.instance.b > 52


def test_unmet_assumptions_make_a_statement_vacuous():
    """Never 'holds' without a single instance on which the claim was put to the test."""
    verdict = judge(VACUOUS, CONTEXT)
    assert verdict.outcome is Outcome.VACUOUS
    assert verdict.nonvacuous == 0
    assert verdict.worst is None
    assert verdict.worst_margin is None


def test_search_climbs_towards_the_assumptions():
    """A region that uniform draws miss (one in a million) is reached by following the assumption's margin."""
    narrow = variant(
        HOLDS,
        instances=lambda budget: st.builds(Point, a=st.integers(1, 10**6)),
        assumptions=lambda point: (Assumption("a near 654321", 2.0 - abs(point.a - 654_321)),),
        examples=(),
        cost=Cost(1000, 1000, 1000),
    )
    assert judge(narrow, CONTEXT).nonvacuous > 0


def test_nan_margin_supports_nothing():
    """An evaluation that broke down is a failure, and no refutation either."""
    verdict = judge(
        variant(HOLDS, evidence=lambda p, context: Evidence(predicted=0.0, measured=0.0, margin=math.nan)),
        CONTEXT,
    )
    assert verdict.outcome is Outcome.INCONCLUSIVE


def test_the_worst_record_is_one_without_a_margin():
    """What broke down is worse than any margin: it is what the report shows."""
    evidence = [Evidence(predicted=0.0, measured=0.0, margin=margin) for margin in (1.0, math.nan, -1.0)]
    records = tuple(Record(Point(a=n), (), each) for n, each in enumerate(evidence))
    verdict = Verdict(HOLDS, Outcome.INCONCLUSIVE, records, {})
    assert verdict.worst is records[1]
    assert math.isnan(verdict.worst_margin)


def test_exception_is_named_and_does_not_end_the_run():
    """The message names the simplest instance and the exception; the controls still ran."""

    def breaks(point, context):
        return Evidence.at_most(1.0 / max(0, 10 - point.b), bound=10, tolerance=0.0)

    verdict = judge(variant(HOLDS, evidence=breaks, assumptions=lambda p: ()), CONTEXT)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "ZeroDivisionError" in verdict.message
    assert '"b": 10' in verdict.message
    assert verdict.controls == {"b = 60 is above 50": True}


def test_exception_on_an_example_leaves_the_rest_to_be_judged():
    """One broken example is inconclusive even when all drawn instances hold."""

    def breaks(point, context):
        if point.a == 3 and point.b == 0:
            raise RuntimeError("no luck")
        return Evidence.at_most(0.0, bound=1.0, tolerance=0.0)

    verdict = judge(variant(HOLDS, evidence=breaks), CONTEXT)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "RuntimeError: no luck" in verdict.message
    assert verdict.examples == planned_examples(HOLDS, CONTEXT) - 1


def test_interrupt_passes_through():
    """Ctrl-C ends the run, wherever the evaluation stands."""

    def interrupted(point, context):
        raise KeyboardInterrupt

    for statement in (
        variant(HOLDS, evidence=interrupted),
        variant(HOLDS, evidence=interrupted, examples=()),
    ):
        with pytest.raises(KeyboardInterrupt):
            judge(variant(statement, assumptions=lambda p: ()), CONTEXT)


@pytest.mark.parametrize(
    "control",
    [
        Control(
            "accepts what it must not",
            lambda point, context: Evidence.at_most(0.0, bound=1.0, tolerance=0.0),
            Point(),
        ),
        Control(
            "rejects what it must not",
            lambda point, context: Evidence.at_most(2.0, bound=1.0, tolerance=0.0),
            Point(),
            must_hold=True,
        ),
        Control(
            "breaks down",
            lambda point, context: Evidence(predicted=0.0, measured=0.0, margin=math.nan),
            Point(),
        ),
        Control("raises", lambda point, context: below_fifty(None, context), Point()),
    ],
    ids=lambda control: control.name,
)
def test_wrong_control_makes_the_verdict_unexpected(control):
    """A check that cannot fail, or cannot pass, is reported however well the instances do."""
    verdict = judge(variant(HOLDS, controls=(control,)), CONTEXT)
    assert verdict.outcome is Outcome.HOLDS
    assert not verdict.as_expected
    assert control.name in verdict.message


def test_undecided_instances_beyond_the_stated_share_are_inconclusive():
    """Sampling error too large on more than a tenth of the instances: no verdict; on fewer: it holds."""

    def sampled(every):
        def evidence(point, context):
            return Evidence(
                predicted=0.0,
                measured=0.0,
                margin=-1.0,
                standard_error=1.0,
                inconclusive=point.b % every == 0,
            )

        return variant(
            HOLDS,
            instances=None,
            examples=[Point(b=b) for b in range(1, 101) if every == 2 or b % every == 0 or b < 50],
            evidence=lambda p, c: dataclasses.replace(
                evidence(p, c), margin=-1.0 if p.b % every == 0 else 1.0
            ),
        )

    assert judge(sampled(2), CONTEXT).outcome is Outcome.INCONCLUSIVE
    few = judge(sampled(40), CONTEXT)
    assert few.outcome is Outcome.HOLDS
    assert 0 < 2 / few.nonvacuous < INCONCLUSIVE_SHARE


def test_seed_decides_the_instances():
    """The same seed draws the same instances, whatever was loaded or judged before; another seed others."""
    first, again, other = (
        [record.instance for record in judge(HOLDS, make_context("quick", "cpu", seed)).records]
        for seed in (3, 3, 4)
    )
    assert first == again
    assert first != other


def test_budget_sets_the_number_of_instances():
    """The number of instances is that of the budget."""
    assert judge(HOLDS, make_context("full", "cpu", 0)).examples == 81


def test_strategy_that_rejects_its_draws_is_reported():
    """Hypothesis' health checks are heard: rejecting instead of counting would hide a vacuous statement."""
    hopeless = variant(HOLDS, instances=lambda budget: points(budget).filter(lambda point: point.b > 998))
    verdict = judge(hopeless, CONTEXT)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "filter" in verdict.message


def test_rejection_inside_the_evidence_is_not_an_error():
    """``hypothesis.assume`` in a statement skips the draw."""

    def evidence(point, context):
        assume(point.b % 2 == 0)
        return Evidence.at_most(0.0, bound=1.0, tolerance=0.0)

    assert judge(variant(HOLDS, evidence=evidence, examples=()), CONTEXT).outcome is Outcome.HOLDS


def test_unrepeatable_evidence_is_reported():
    """An evaluation that depends on more than its instance and the seed decides nothing."""
    calls = iter(range(10**6))
    flaky = variant(
        REFUTED, evidence=lambda p, c: Evidence.at_most(float(next(calls) == 20), bound=0.5, tolerance=0.0)
    )
    verdict = judge(flaky, CONTEXT)
    assert verdict.outcome is not Outcome.HOLDS
    assert "Flaky" in verdict.message


def test_progress_counts_up_to_the_plan():
    """Each kept record is announced with the planned total."""
    seen = []
    judge(HOLDS, CONTEXT, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(i + 1, 41) for i in range(41)]


def test_records_of_a_long_run_stay_small(monkeypatch):
    """Beyond the stated number, records keep their numbers and drop their details."""
    monkeypatch.setattr("verify.judging.trials.trial.DETAILED_RECORDS", 10)
    detailed = variant(
        HOLDS, evidence=lambda p, c: Evidence.at_most(0.0, bound=1.0, tolerance=0.0, trace=[1.0] * 100)
    )
    details = [bool(record.evidence.details) for record in judge(detailed, CONTEXT).judged]
    assert details[0]
    assert not any(details[10:])


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("fast", "cpu", 0), "budget"),
        (("quick", "tpu", 0), "device"),
        (("quick", "cpu", -1), "seed"),
        (("quick", "cpu", 1.5), "seed"),
    ],
)
def test_bad_run_options_are_refused(arguments, named):
    """The error names the option and what came."""
    with pytest.raises(ValueError, match=named):
        make_context(*arguments)


def test_loaded_modules_do_not_change_the_instances(tmp_path, monkeypatch):
    """Hypothesis reads constants out of local source files; a run must not depend on which are loaded."""
    wide = variant(
        HOLDS, instances=lambda budget: st.builds(Point, b=st.integers(0, 10**9)), cost=Cost(400, 400, 400)
    )
    before = [record.instance for record in judge(wide, CONTEXT).records]
    (tmp_path / "constants_of_a_user.py").write_text("A = (123456789, 192837465, 918273645, 500000003)\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("constants_of_a_user")
    assert [record.instance for record in judge(wide, CONTEXT).records] == before
