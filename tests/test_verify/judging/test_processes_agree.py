"""Several processes give the verdicts of one."""

from __future__ import annotations

import dataclasses
import multiprocessing

import pytest

from luckproof import Verdict, make_context
from verify.judging import registry
from verify.judging.trials.processes import check_jobs, default_jobs, judge_in_processes, judge_one

NAMES = (
    "luckmatters.assumption2.printed",
    "luckmatters.theorem4.printed",
    "luckmatters.assumption3.sharp",
)


def _outcome(verdict: Verdict) -> str:
    return str(verdict.outcome)


def test_two_processes_judge_as_one() -> None:
    """Records, counterexamples, controls and what is made of a verdict agree, but for the time; no process is left."""
    chosen = [registry.single(name) for name in NAMES]
    context = make_context("quick", "cpu", 3)
    together = {
        judged.statement.name: judged for judged in judge_in_processes(chosen, context, 2, extra=_outcome)
    }
    assert len(together) == 3
    for statement in chosen:
        one, made_here = judge_one(statement, context, _outcome)
        judged = together[statement.name]
        assert judged.verdict is not None
        assert made_here == judged.extra == str(one.outcome)
        assert dataclasses.replace(judged.verdict, seconds=one.seconds) == one
        assert judged.lost == ""
    assert multiprocessing.active_children() == []


def test_an_error_of_a_worker_costs_its_statement_alone() -> None:
    """It is named with what the worker raised; the other is judged."""
    known = registry.single(NAMES[0])
    unknown = dataclasses.replace(known, key="luckmatters.nowhere")
    context = make_context("quick", "cpu", 0)
    found = {judged.statement.key: judged for judged in judge_in_processes([unknown, known], context, 1)}
    assert "luckmatters.nowhere" in found["luckmatters.nowhere"].lost
    assert found["luckmatters.nowhere"].verdict is None
    assert found[known.key].verdict is not None
    assert multiprocessing.active_children() == []


def test_leaving_early_ends_the_processes() -> None:
    """As an interrupt does."""
    judging = judge_in_processes(
        [registry.single(name) for name in NAMES], make_context("quick", "cpu", 0), 2
    )
    assert next(judging).verdict is not None
    judging.close()
    assert multiprocessing.active_children() == []


def test_too_many_processes_are_refused_with_what_they_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not where few of them are started."""
    monkeypatch.setattr("verify.judging.trials.processes.available_memory", lambda: 4 * 2**30)
    with pytest.raises(ValueError, match=r"^--jobs: 4294967296 processes take 1.68e\+09 GiB, and 4 GiB are"):
        check_jobs("--jobs", 2**32, 3)
    with pytest.raises(ValueError, match=r"^--jobs: 100 processes take 39\.1 GiB"):
        check_jobs("--jobs", 100, 150)
    with pytest.raises(ValueError, match=r"^--jobs: expected a number of processes >= 0, got -1"):
        check_jobs("--jobs", -1, 3)
    check_jobs("--jobs", 100, 3)
    check_jobs("--jobs", 0, 150)


@pytest.mark.parametrize(
    ("device", "gib", "statements", "jobs"),
    [
        ("cpu", 100, 200, 48),
        ("cpu", 20, 200, 20),
        ("cpu", 100, 12, 12),
        ("cpu", 0.01, 200, 1),
        ("cuda", 100, 50, 1),
    ],
)
def test_processes_are_for_the_cores_that_have_memory(
    device: str, gib: float, statements: int, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 48 cores: never more than there are statements, one where there is hardly memory, and one on a GPU."""
    monkeypatch.setattr("verify.judging.trials.processes.available_cores", lambda: 48)
    monkeypatch.setattr("verify.judging.trials.processes.available_memory", lambda: int(gib * 2**30))
    assert default_jobs(device, statements) == jobs
