"""Attacks on record: how many evaluations each statement that holds has survived, and when.

``python -m verify.judging.recorded_attacks [KEYS] [--evaluations N] [--seconds S]`` attacks the statements that are
expected to hold and writes what came of it beside this file; an attack of 500 evaluations on all of them takes hours.
"""

from __future__ import annotations

import argparse
import datetime
import functools
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify.judging.vocabulary import Outcome

FILE = Path(__file__).with_name("recorded_attacks.json")

ATTACKED = (Outcome.HOLDS, Outcome.NOT_NEEDED)
"""Outcomes that an attack could overturn: claims about every instance of which none failed."""


@dataclass(frozen=True)
class RecordedAttack:
    """One attack on record: evaluations, the smallest relative margin met, instances without judgement, and the day."""

    evaluations: int
    smallest_margin: float | None
    unjudged: int
    survivors: int
    day: str

    def __str__(self) -> str:
        if self.survivors:
            return f"fell in an attack of {self.evaluations} evaluations ({self.day})"
        aside = f", {self.unjudged} more could not be judged" if self.unjudged else ""
        return f"survived {self.evaluations} evaluations{aside} ({self.day})"


@functools.cache
def recorded() -> Mapping[str, RecordedAttack]:
    """The attacks on record, by the statement's name."""
    if not FILE.exists():
        return {}
    entries: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return {name: RecordedAttack(**entry) for name, entry in entries.items()}


def record(keys: Sequence[str], evaluations: int, seconds: float, seed: int) -> int:
    """Attack the selected statements and write the record after each; the number that fell."""
    from verify.judging.attack import attack
    from verify.judging.registry import select
    from verify.judging.runner import make_context

    context, fell = make_context("full", "cpu", 0), 0
    for statement in select(keys):
        if statement.expected not in ATTACKED:
            continue
        found = attack(statement, context, evaluations, seconds=seconds, seed=seed)
        fell += bool(found.survivors)
        entry: dict[str, Any] = {
            "evaluations": found.evaluations,
            "smallest_margin": found.smallest_margin,
            "unjudged": sum(found.unjudged.values()),
            "survivors": len(found.survivors),
            "day": datetime.date.today().isoformat(),
        }
        entries = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
        FILE.write_text(
            json.dumps(dict(sorted((entries | {statement.name: entry}).items())), indent=1) + "\n"
        )
        print(f"{statement.name}: {RecordedAttack(**entry)}", flush=True)
        for survivor in found.survivors[:1]:
            print(f"    {survivor.instance}: {survivor.evidence}", flush=True)
        for reason, count in found.unjudged.items():
            print(f"    cannot be judged, {count} times: {reason}", flush=True)
    return fell


def main(arguments: Sequence[str] | None = None) -> int:
    """The command of the module; exit status 1 when a statement fell."""
    parser = argparse.ArgumentParser(
        description="Attack the statements that hold and record what came of it."
    )
    parser.add_argument("keys", nargs="*")
    parser.add_argument("--evaluations", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=600.0, help="at most so long for each statement")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    return int(record(options.keys, options.evaluations, options.seconds, options.seed) > 0)


if __name__ == "__main__":
    sys.exit(main())
