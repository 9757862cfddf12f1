"""One statement judged for a test: nothing where its verdict is the expected one, else what there is to say."""

from __future__ import annotations

from collections.abc import Sequence

from verify.judging.evidence import Context
from verify.judging.statement import AnyStatement
from verify.judging.trials.runner import judge
from verify.judging.verdict import Verdict
from verify.report.records import judging_command, reproducing_command
from verify.report.run_info import RunInfo


class UnexpectedVerdictError(AssertionError):
    """A verdict is not the one on record, or a control did not come out as it must."""


def judge_as_test(statement: AnyStatement, context: Context) -> Verdict:
    """The verdict; raises UnexpectedVerdictError, with everything that is known, where it is not the expected one."""
    verdict = judge(statement, context)
    if not verdict.as_expected:
        raise UnexpectedVerdictError("\n".join(complaint_of(verdict, RunInfo.of(context))))
    return verdict


def complaint_of(verdict: Verdict, run: RunInfo) -> Sequence[str]:
    """Claim, outcome, controls that failed, counterexample and the command that repeats it, line by line."""
    statement, worst = verdict.statement, verdict.worst
    lines = [
        f"{statement.name}: expected {statement.expected}, got {verdict.outcome}",
        *(f"    {line}" for line in statement.claim.splitlines()),
        f"source: {statement.source}",
    ]
    if verdict.message:
        lines.append(f"message: {verdict.message}")
    if verdict.counterexample is not None and verdict.counterexample.evidence is not None:
        evidence = verdict.counterexample.evidence
        lines += [
            f"counterexample: {verdict.counterexample.instance}",
            f"{statement.measured_name}: {evidence.measured:.6g}, {statement.predicted_name}: {evidence.predicted:.6g},"
            f" margin {evidence.margin:.3g}",
        ]
    command = judging_command(statement) if worst is None else reproducing_command(verdict, worst, run)
    return [*lines, f"again: {command}"]
