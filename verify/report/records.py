"""Verdicts as plain data: a strict JSON list (no NaN or Infinity), one object per statement."""

from __future__ import annotations

import dataclasses
import json
import math
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from verify.judging import AnyStatement, Control, Evidence, Record, Verdict
from verify.judging.instances import instance_to_json
from verify.report.run_info import RunInfo
from verify.report.writing import write_atomically


def write_json(path: str | Path, verdicts: Sequence[Verdict], run: RunInfo) -> None:
    """Write :func:`as_records` to ``path``, in one step.

    Raises:
        OSError: the file cannot be written; an older one is then untouched.
    """
    text = json.dumps(as_records(verdicts, run), indent=2, allow_nan=False, ensure_ascii=False)
    write_atomically(Path(path), text + "\n")


def as_records(verdicts: Sequence[Verdict], run: RunInfo) -> list[dict[str, Any]]:
    """One dictionary of JSON values per verdict; what is not finite is None."""
    return [_record(verdict, run) for verdict in verdicts]


def reproducing_command(verdict: Verdict, record: Record, run: RunInfo) -> str:
    """The shell command that evaluates ``record``'s instance again under the same settings."""
    instance = shlex.quote(instance_to_json(record.instance))
    command = f"luckproof verify {verdict.statement.name} --instance {instance}"
    return f"{command} {run.options}".rstrip()


def replaying_command(statement: AnyStatement, control: Control, run: RunInfo) -> str:
    """The shell command that evaluates a control again; empty where the altered claim cannot be typed there.

    It can where the claim is altered by plain arguments of the statement's own evidence function.
    """
    if control.evidence is not statement.evidence:
        return ""
    try:
        altered = json.dumps(dict(control.altered), ensure_ascii=False, allow_nan=False)
        instance = instance_to_json(control.instance)
    except (TypeError, ValueError):
        return ""
    command = f"luckproof verify {statement.name} --instance {shlex.quote(instance)}"
    if control.altered:
        command += f" --alter {shlex.quote(altered)}"
    return f"{command} {run.options}".rstrip()


def plain(value: Any) -> Any:
    """``value`` as strict JSON data: numbers not finite become None, anything unknown its text."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else str(value)


def _record(verdict: Verdict, run: RunInfo) -> dict[str, Any]:
    statement, worst = verdict.statement, verdict.worst
    evidence = worst.evidence if worst is not None else None
    data = {
        "key": statement.key,
        "form": str(statement.form),
        "name": statement.name,
        "title": statement.title,
        "claim": statement.claim,
        "source": str(statement.source),
        "verdict": str(verdict.outcome),
        "expected": str(statement.expected),
        "as_expected": verdict.as_expected,
        "examples": verdict.examples,
        "nonvacuous": verdict.nonvacuous,
        "worst_margin": verdict.worst_margin,
        "predicted": evidence.predicted if evidence else None,
        "measured": evidence.measured if evidence else None,
        "tolerance": evidence.tolerance if evidence else None,
        "standard_error": evidence.standard_error if evidence else None,
        "worst_instance": dataclasses.asdict(worst.instance) if worst is not None else None,
        "tightness": verdict.tightness,
        "counterexample": _counterexample(verdict, run),
        "controls": verdict.controls,
        "seconds": verdict.seconds,
        "message": verdict.message,
        "seed": run.seed,
        "budget": run.budget,
        "device": run.device,
    }
    return {name: plain(value) for name, value in data.items()}


def _counterexample(verdict: Verdict, run: RunInfo) -> dict[str, Any] | None:
    record = verdict.counterexample
    if record is None or record.evidence is None:
        return None
    return {
        "instance": dataclasses.asdict(record.instance),
        **_numbers(record.evidence),
        "confirmation": _numbers(verdict.confirmation) if verdict.confirmation else None,
        "command": reproducing_command(verdict, record, run),
    }


def _numbers(evidence: Evidence) -> dict[str, Any]:
    return {
        "predicted": evidence.predicted,
        "measured": evidence.measured,
        "margin": evidence.margin,
        "tolerance": evidence.tolerance,
    }
