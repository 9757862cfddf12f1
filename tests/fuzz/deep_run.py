"""Draw many cases and write every fault down, instead of stopping at the first: what the figures on record come from.

    python -m tests.fuzz.deep_run FOLDER --seed 7

Each call has a line in ``FOLDER/SEED.jsonl`` once its cases are done (cases, seconds, faults); run again, it goes on
from there. At the end the faults are shown by kind and call, and the exit status is 1 where there are any. The same
seed draws the same cases.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from dynamics.memory import GIB
from tests.fuzz.judging import came_out, fuzzed
from tests.fuzz.methods import CALLS
from tests.fuzz.shares import cases_of

MOST_MEMORY = 6 * GIB
"""Bytes that the process may take: several times what a call is told that there is."""

LONGEST_WRITTEN = 500
"""Characters of a value that are kept."""


def run_call(name: str, cases: int, of_seed: int) -> dict[str, Any]:
    """So many cases of one call; what was drawn and what was wrong of each fault."""
    call, faults, drawn, start = CALLS[name], [], 0, time.monotonic()

    @seed(of_seed ^ zlib.crc32(name.encode()))
    @settings(
        max_examples=cases,
        database=None,
        phases=[Phase.generate],  # nothing is shrunk: no case fails
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(odd=fuzzed(call))
    def take_down(odd: Mapping[str, Any]) -> None:
        nonlocal drawn
        drawn += 1
        fault = came_out(call, odd)
        if fault is not None:
            value = {key: written(part) for key, part in odd.items()}
            faults.append({"odd": value, "kind": fault.kind, "detail": fault.detail})

    take_down()
    return {"call": name, "cases": drawn, "seconds": round(time.monotonic() - start, 2), "faults": faults}


def written(value: Any) -> str:
    try:
        return repr(value)[:LONGEST_WRITTEN].encode("ascii", "backslashreplace").decode()
    except Exception as error:
        return f"{type(value).__name__} that cannot be written out ({type(error).__name__})"


def summary(lines: list[dict[str, Any]]) -> str:
    """Faults by kind and call with one case each, then the totals."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for line in lines:
        for fault in line["faults"]:
            groups.setdefault((fault["kind"], line["call"]), []).append(fault)
    told = [
        f"{kind}, {call}: {len(faults)}, as {faults[0]['odd']}: {faults[0]['detail']}"
        for (kind, call), faults in sorted(groups.items())
    ]
    cases, seconds = sum(line["cases"] for line in lines), sum(line["seconds"] for line in lines)
    count = sum(map(len, groups.values()))
    return "\n".join([*told, f"{cases} cases of {len(lines)} calls, {count} faults, {seconds:.0f} s"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--calls", nargs="*", help="these only, by the beginning of their names")
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="begin no further call after so long"
    )
    chosen = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))  # what takes more is a fault
    chosen.folder.mkdir(parents=True, exist_ok=True)
    kept, end = chosen.folder.resolve() / f"{chosen.seed}.jsonl", time.monotonic() + 60 * chosen.minutes
    lines = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    done = {line["call"] for line in lines}
    wanted = tuple(chosen.calls) if chosen.calls else ("",)
    for name in CALLS:
        if name in done or not name.startswith(wanted) or time.monotonic() > end:
            continue
        lines.append(run_call(name, cases_of(name), chosen.seed))
        with kept.open("a") as file:
            file.write(json.dumps(lines[-1]) + "\n")
    print(summary(lines))
    return int(any(line["faults"] for line in lines))


if __name__ == "__main__":
    sys.exit(main())
