"""One statement judged for a test: nothing where its verdict is the expected one, else what there is to say."""

from __future__ import annotations

from collections.abc import Sequence

from verify.judging.evidence import Context
from verify.judging.statement import AnyStatement
from verify.judging.trials.runner import judge
from verify.judging.verdict import Verdict
from verify.report.records import repeating_command
from verify.report.run_info import RunInfo
from verify.testing.sceptic import complaint_of_script


class UnexpectedVerdictError(AssertionError):
    """A verdict is not the one on record, a control did not come out as it must, or a script failed."""


def judge_as_test(statement: AnyStatement, context: Context) -> Verdict:
    """The verdict; raises UnexpectedVerdictError, with everything that is known, where it is not the expected one.

    So it does where the statement has a sceptic's script that does not show what it must.
    """
    verdict = judge(statement, context)
    lines = [] if verdict.as_expected else [*complaint_of(verdict, RunInfo.of(context))]
    script = complaint_of_script(statement)
    if script:
        lines.append(f"sceptic's script: {script}")
    if lines:
        raise UnexpectedVerdictError("\n".join(lines))
    return verdict


def complaint_of(verdict: Verdict, run: RunInfo) -> Sequence[str]:
    """Claim, outcome, controls that failed, counterexample and the command that repeats it, line by line."""
    statement = verdict.statement
    lines = [
        f"{statement.name}: {verdict.in_a_word}",
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
    return [*lines, f"again: {repeating_command(verdict, run)}"]
