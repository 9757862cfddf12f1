"""Attack the statements that are expected to hold and write what came of it into the record.

``python -m verify.judging.trials.record_attacks [KEYS] [--evaluations N] [--seconds S] [--stale]``; the record is
written after each statement. ``--stale`` leaves out those that survived a full attack on the code their file has now.
Cost: 500 evaluations of all of them take hours of one core.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from dynamics.files.writing import write_atomically
from verify.judging.registry import select
from verify.judging.statement import AnyStatement
from verify.judging.trials.attack import attack
from verify.judging.trials.recorded_attacks import (
    ATTACKED,
    FILE,
    FULL_ATTACK,
    RecordedAttack,
    code_of,
    recorded,
)
from verify.judging.trials.runner import make_context
from verify.judging.verdict import Attack


def record(statements: Sequence[AnyStatement], evaluations: int, seconds: float, seed: int) -> int:
    """Attack the statements and write the record after each; the number that fell."""
    context, fell = make_context("full", "cpu", 0), 0
    for statement in statements:
        started = time.monotonic()
        found = attack(statement, context, evaluations, seconds=seconds, seed=seed)
        spent = time.monotonic() - started
        fell += bool(found.survivors)
        entry: dict[str, Any] = {
            "evaluations": found.evaluations,
            "smallest_margin": found.smallest_margin,
            "unjudged": sum(found.unjudged.values()),
            "survivors": len(found.survivors),
            "day": datetime.date.today().isoformat(),
            "code": code_of(statement),
        }
        reason = why_fewer(found, evaluations, seconds, spent)
        if reason and not found.survivors:
            entry["reason"] = reason
        entries = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
        held = dict(sorted((entries | {statement.name: entry}).items()))
        write_atomically(FILE, json.dumps(held, indent=1) + "\n")
        print(f"{statement.name}: {RecordedAttack(**entry)}", flush=True)
        for survivor in found.survivors[:1]:
            print(f"    {survivor.instance}: {survivor.evidence}", flush=True)
        for reason, count in found.unjudged.items():
            print(f"    cannot be judged, {count} times: {reason}", flush=True)
    return fell


def is_stale(statement: AnyStatement) -> bool:
    """Whether no full attack on the present code of the statement's file is on record."""
    known = recorded().get(statement.name)
    return known is None or known.evaluations < FULL_ATTACK or known.code != code_of(statement)


def why_fewer(found: Attack, evaluations: int, seconds: float, spent: float) -> str:
    """Why an attack without survivors made fewer evaluations than were asked for, as it follows a "because"."""
    if found.evaluations >= min(evaluations, FULL_ATTACK):
        return ""
    if spent >= seconds:
        return f"one takes {spent / max(found.tried, 1):.2g} s and the time was {seconds:.0f} s"
    return f"the others of {found.tried} tried were outside domain or assumptions, or the same again"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command of the module; exit status 1 when a statement fell."""
    parser = argparse.ArgumentParser(
        description="Attack the statements that hold and record what came of it."
    )
    parser.add_argument("keys", nargs="*")
    parser.add_argument("--evaluations", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=600.0, help="at most so long for each statement")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--stale", action="store_true", help="only where the record is short or of other code"
    )
    options = parser.parse_args(arguments)
    chosen = [
        s for s in select(options.keys) if s.expected in ATTACKED and (not options.stale or is_stale(s))
    ]
    return int(record(chosen, options.evaluations, options.seconds, options.seed) > 0)


if __name__ == "__main__":
    sys.exit(main())
