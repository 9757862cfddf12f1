"""What came of attacks on statements of one's own, written beside their file."""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from dynamics.files.places import check_writable
from dynamics.files.writing import write_atomically
from verify.judging.origin import told
from verify.judging.own.files import load
from verify.judging.own.home import home_of
from verify.judging.own.sources import digest_of
from verify.judging.statement import AnyStatement
from verify.judging.trials.record_attacks import why_fewer
from verify.judging.trials.recorded_attacks import RecordedAttack, code_of, record_at, recorded_beside
from verify.judging.verdict import Attack, Verdict


def check_recordable(argument: str, statements: Sequence[AnyStatement]) -> None:
    """Raise ValueError unless attacks on all of the ``statements`` can be recorded beside their files."""
    for statement in statements:
        home = home_of(statement)
        if home is None:
            raise ValueError(
                f"{argument}: expected statements of one's own (--from FILE), got {statement.name}"
            )
        check_writable(argument, told(record_at(home)))
        recorded_beside(home)


def record_own(verdicts: Sequence[Verdict], evaluations: int) -> list[Path]:
    """Write the attacks of the verdicts beside the files of their statements; the records that were written.

    A record keeps what else it holds of statements that are still in the file.

    Args:
        verdicts: of statements of one's own; those without an attack are passed over.
        evaluations: that each attack was given.
    Raises:
        ValueError: a file is another than the one that was judged, or its record is none.
        OSError: it cannot be written; an older one is then untouched.
    """
    fresh: dict[Path, dict[str, RecordedAttack]] = {}
    named: dict[Path, Collection[str]] = {}
    for verdict in verdicts:
        home, origin, found = home_of(verdict.statement), verdict.statement.origin, verdict.attack
        if found is not None and found.evaluations and home is not None:
            fresh.setdefault(home, {})[verdict.statement.name] = _entry(verdict, found, evaluations, home)
            named[home] = load(home, "--from", {}) if origin is not None and origin.file else ()
    return [_write(home, entries, named[home]) for home, entries in fresh.items()]


def _entry(verdict: Verdict, found: Attack, evaluations: int, home: Path) -> RecordedAttack:
    origin = verdict.statement.origin
    if origin is not None and origin.file and origin.digest != digest_of(home):
        raise ValueError(f"{told(home)}: its code was changed while it was judged, so no attack is recorded")
    margin = found.smallest_margin
    return RecordedAttack(
        evaluations=found.evaluations,
        smallest_margin=margin if margin is not None and math.isfinite(margin) else None,
        unjudged=sum(found.unjudged.values()),
        survivors=len(found.survivors),
        day=datetime.date.today().isoformat(),
        reason="" if found.survivors else why_fewer(found, evaluations, math.inf, 0.0),
        code=code_of(verdict.statement),
    )


def _write(home: Path, fresh: dict[str, RecordedAttack], named: Collection[str]) -> Path:
    held = {**recorded_beside(home), **fresh}
    entries = {name: _plain(held[name]) for name in sorted(held) if name in named or not named}
    write_atomically(told(record_at(home)), json.dumps(entries, indent=1, allow_nan=False) + "\n", "--record")
    return record_at(home)


def _plain(entry: RecordedAttack) -> dict[str, Any]:
    return {name: value for name, value in dataclasses.asdict(entry).items() if name != "reason" or value}
