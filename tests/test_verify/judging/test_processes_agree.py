"""Several processes give the verdicts of one."""

from __future__ import annotations

import dataclasses
import multiprocessing

import pytest

from luckproof import Verdict, make_context
from verify.judging import registry
from verify.judging.trials.processes import default_jobs, judge_in_processes, judge_one

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
    counts: list[int] = []
    together = judge_in_processes(chosen, context, 2, extra=_outcome, finished=counts.append)
    alone = [judge_one(statement, context, _outcome) for statement in chosen]
    for (one, made_here), (other, made_there) in zip(alone, together, strict=True):
        assert made_here == made_there == str(one.outcome)
        assert dataclasses.replace(other, seconds=one.seconds) == one
    assert counts[-1] == 3
    assert multiprocessing.active_children() == []


def test_an_error_of_a_worker_ends_the_run() -> None:
    """What a worker raises is raised here, and the others are stopped."""
    unknown = dataclasses.replace(registry.single(NAMES[0]), key="luckmatters.nowhere")
    with pytest.raises(ValueError, match=r"luckmatters\.nowhere"):
        judge_in_processes([unknown], make_context("quick", "cpu", 0), 1)
    assert multiprocessing.active_children() == []


def test_a_gpu_is_not_shared() -> None:
    """One process on a GPU; elsewhere never more than there are statements."""
    assert default_jobs("cuda", 50) == 1
    assert default_jobs("cpu", 1) == 1
