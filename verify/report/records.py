"""Verdicts as plain data: a strict JSON object (no NaN or Infinity) of the run, its findings and its statements."""

from __future__ import annotations

import dataclasses
import json
import math
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dynamics.boundary import checked
from dynamics.files.writing import write_atomically
from verify.judging import AnyStatement, Control, Evidence, Precise, Record, Replication, Verdict
from verify.judging.assumption_counts import in_a_sentence
from verify.judging.instances import instance_to_json
from verify.judging.origin import file_of, options_of
from verify.judging.trials.recorded_attacks import attack_on_record, of_other_code
from verify.report.findings import findings
from verify.report.run_info import RunInfo

SCHEMA = 2
"""Version of the JSON's layout; 1 was a bare list of statements."""


@checked
def write_json(
    path: str | Path, verdicts: Sequence[Verdict], run: RunInfo, lost: Mapping[str, str] | None = None
) -> None:
    """Write :func:`as_data` to ``path``, in one step.

    Raises:
        OSError: the file cannot be written; an older one is then untouched.
    """
    write_atomically(Path(path), as_text(verdicts, run, lost))


def as_text(verdicts: Sequence[Verdict], run: RunInfo, lost: Mapping[str, str] | None = None) -> str:
    """:func:`as_data` as the text of a file."""
    return json.dumps(as_data(verdicts, run, lost), indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def as_data(
    verdicts: Sequence[Verdict], run: RunInfo, lost: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A run as strict JSON data: what it was, its findings, and one object per statement.

    ``lost``: statements without verdict, because their process died, with how.
    """
    return {
        "schema": SCHEMA,
        "luckproof": run.versions.get("luckproof", "unknown"),
        "created": run.started.isoformat(timespec="seconds"),
        "versions": dict(run.versions),
        "seed": run.seed,
        "budget": run.budget,
        "device": run.device,
        "threads": run.threads,
        "findings": plain(findings(verdicts).as_data()),
        "statements": as_records(verdicts, run),
        "lost": dict(lost or {}),
    }


def as_records(verdicts: Sequence[Verdict], run: RunInfo) -> list[dict[str, Any]]:
    """One dictionary of JSON values per verdict; what is not finite is None."""
    return [_record(verdict, run) for verdict in verdicts]


def judging_command(statement: AnyStatement) -> str:
    """The shell command that judges a statement: of one's own with the file it is from."""
    own = options_of(statement.origin.file if statement.origin else file_of(statement.evidence))
    return " ".join(part for part in ("luckproof verify", own, statement.name) if part)


def reproducing_command(verdict: Verdict, record: Record, run: RunInfo) -> str:
    """The shell command that evaluates ``record``'s instance again under the same settings."""
    instance = shlex.quote(instance_to_json(record.instance))
    command = f"{judging_command(verdict.statement)} --instance {instance}"
    return f"{command} {run.options}".rstrip()


def repeating_command(verdict: Verdict, run: RunInfo) -> str:
    """The shell command that evaluates the counterexample again; without one, that comes to the verdict again."""
    if verdict.counterexample is not None:
        return reproducing_command(verdict, verdict.counterexample, run)
    return f"{judging_command(verdict.statement)} {run.options}".rstrip()


def replaying_command(statement: AnyStatement, control: Control, run: RunInfo) -> str:
    """The shell command that evaluates a control again; empty where the altered claim cannot be typed there.

    It can where the claim is altered by plain arguments of the statement's own evidence function.
    """
    if control.evidence is not statement.evidence or control.moved:
        return ""
    try:
        altered = json.dumps(dict(control.altered), ensure_ascii=False, allow_nan=False)
        instance = instance_to_json(control.instance)
    except (TypeError, ValueError):
        return ""
    command = f"{judging_command(statement)} --instance {shlex.quote(instance)}"
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
    data = {
        "name": statement.name,
        "key": statement.key,
        "form": str(statement.form),
        "title": statement.title,
        "claim": statement.claim,
        "remark": statement.remark,
        "place": vars(statement.source) | {"text": str(statement.source)},
        "impact": str(statement.erratum.impact) if statement.erratum else None,
        "outcome": str(verdict.outcome),
        "expected": str(statement.expected),
        "as_expected": verdict.as_expected,
        "measured_name": statement.measured_name,
        "relation": statement.relation,
        "predicted_name": statement.predicted_name,
        "strength": verdict.strength,
        "scope": verdict.scope,
        "exact": _exact(verdict),
        "attack": _attack(verdict),
        "assumptions": {
            "words": in_a_sentence(statement.assumptions) if verdict.assumptions else "",
            "each": [dataclasses.asdict(count) for count in verdict.assumptions],
        },
        "population": statement.population or None,
        "examples": verdict.examples,
        "nonvacuous": verdict.nonvacuous,
        "unjudged": verdict.unjudged,
        "worst": _case(verdict, worst, run),
        "worst_margin": verdict.worst_margin,
        "tightness": verdict.tightness,
        "counterexamples": {
            "smallest": _case(verdict, verdict.counterexample, run),
            "telling": _case(verdict, verdict.telling, run),
        },
        "confirmation": _confirmation(verdict),
        "controls": _controls(verdict, run),
        "seconds": verdict.seconds,
        "message": verdict.message,
    }
    return {name: plain(value) for name, value in data.items()}


def _case(verdict: Verdict, record: Record | None, run: RunInfo) -> dict[str, Any] | None:
    """One judged instance with its numbers and the command that repeats it."""
    if record is None or record.evidence is None:
        return None
    return {
        "instance": dataclasses.asdict(record.instance),
        **_numbers(record.evidence),
        "details": dict(record.evidence.details),
        "enclosed": None if record.enclosed is None else dataclasses.asdict(record.enclosed),
        "command": reproducing_command(verdict, record, run),
    }


def _confirmation(verdict: Verdict) -> dict[str, Any] | None:
    if verdict.confirmation is None:
        return None
    how = verdict.statement.confirm
    return {
        "kind": "replication"
        if isinstance(how, Replication)
        else "precise"
        if isinstance(how, Precise)
        else "other",
        "words": str(how) if isinstance(how, Precise | Replication) else "re-evaluation",
        "digits": how.digits if isinstance(how, Precise) else None,
        "seeds": how.seeds if isinstance(how, Replication) else None,
        **_numbers(verdict.confirmation),
    }


def _controls(verdict: Verdict, run: RunInfo) -> list[dict[str, Any]]:
    statement = verdict.statement
    of_the_claim = [
        {
            "name": control.name,
            "must": "hold" if control.must_hold else "be rejected",
            "passed": verdict.controls.get(control.name),
            "tolerance_factor": verdict.tolerance_factors.get(control.name),
            "instance": dataclasses.asdict(control.instance),
            "altered": dict(control.altered),
            "moved": control.moved,
            "variant": _variant(statement, control),
            "command": replaying_command(statement, control, run) or None,
        }
        for control in statement.controls
    ]
    of_assumptions = [
        {
            "name": control.name,
            "must": f"be vacuous by {control.assumption!r}" if control.assumption else "be inside",
            "passed": verdict.controls.get(control.name),
            "instance": dataclasses.asdict(control.instance),
        }
        for control in statement.assumption_controls
    ]
    of_the_proof = [
        {
            "name": control.name,
            "must": "not be proved",
            "passed": verdict.controls.get(control.name),
            "instance": None,  # it is about all of them
            "altered": dict(control.altered),
        }
        for control in statement.proof_controls
    ]
    return of_the_claim + of_assumptions + of_the_proof


def _variant(statement: AnyStatement, control: Control) -> str | None:
    """The name of the other claim that a control evaluates; None where it is the statement's own."""
    if control.evidence is statement.evidence:
        return None
    return str(
        getattr(control.evidence, "name", "") or getattr(control.evidence, "__name__", "another claim")
    )


def _exact(verdict: Verdict) -> dict[str, Any] | None:
    """What exact arithmetic says of the judged instances and of all; None for statements without an exact margin."""
    statement = verdict.statement
    if statement.enclose is None and statement.prove is None:
        return None
    return {
        "available": verdict.exact,
        "instances": None if verdict.enclosure is None else dataclasses.asdict(verdict.enclosure),
        "all_instances": None if verdict.proof is None else dataclasses.asdict(verdict.proof),
    }


def _attack(verdict: Verdict) -> dict[str, Any] | None:
    """The attack of this run, else the one on record."""
    if verdict.attack is not None:
        found = verdict.attack
        return {
            "evaluations": found.evaluations,
            "smallest_margin": found.smallest_margin,
            "survivors": [dataclasses.asdict(record.instance) for record in found.survivors],
            "unjudged": dict(found.unjudged),
            "recorded": False,
        }
    known = attack_on_record(verdict.statement)
    if known is None:
        return None
    return dataclasses.asdict(known) | {"recorded": True, "stale": of_other_code(verdict.statement, known)}


def _numbers(evidence: Evidence) -> dict[str, Any]:
    return {
        "predicted": evidence.predicted,
        "measured": evidence.measured,
        "margin": evidence.margin,
        "tolerance": evidence.tolerance,
        "standard_error": evidence.standard_error,
    }
