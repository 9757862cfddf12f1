"""Finds, for each contestant, the loosest tolerance whose true error reaches a target, and keeps them as data.

Usage: python -m tests.benchmarks.contest.calibrate [--cases ...] [--only ...]   (rewrites tolerances.json beside it)

The ladder has four rungs a decade, rtol = atol. A contestant starts at the rung of the case before (or of the target)
and moves from there: looser while the target is still reached, tighter until it is. ``--tighten`` keeps the first rung
that reaches it, and ``--inherit`` takes, without a run, one rung below that of the most alike case before: at the
largest sizes a run takes minutes, and the work of methods at their stability limit does not depend on the tolerance.
The benchmarks assert the error anew.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

from tests.benchmarks.contest.contestants import CONTESTANTS, timed
from tests.benchmarks.contest.exclusions import impossible
from tests.benchmarks.contest.stiff_cases import CASES, TARGETS, error

TABLE = Path(__file__).with_name("tolerances.json")
FIRST, LAST = 2, 40
"""Rungs: rtol = 10^(-rung/4)."""

Table = dict[str, dict[str, dict[str, float]]]


def load() -> Table:
    """{case: {target: {contestant: rtol}}}."""
    return json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.exists() else {}


def reaches(case: str, name: str, rung: int, target: float) -> bool:
    solution = timed(CONTESTANTS[name](case, 10 ** (-rung / 4)))
    found = error(case, solution.end)
    print(
        f"{case} {name} rtol {10 ** (-rung / 4):.2e}: error {found:.2e}, {solution.nfev} evaluations, "
        f"{solution.processor_seconds:.2f} s",
        flush=True,
    )
    return found <= target


def loosest(case: str, name: str, target: float, start: int, *, tighten: bool) -> int:
    """The loosest rung around ``start`` that reaches the target."""
    rung = start
    if reaches(case, name, rung, target):
        while not tighten and rung > FIRST and reaches(case, name, rung - 1, target):
            rung -= 1
        return rung
    while rung < LAST:
        rung += 1
        if reaches(case, name, rung, target):
            return rung
    raise RuntimeError(f"{name} on {case}: no tolerance reaches {target:g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", nargs="*", default=list(CASES), choices=CASES)
    parser.add_argument("--only", nargs="*", default=list(CONTESTANTS), choices=CONTESTANTS)
    parser.add_argument("--tighten", action="store_true")
    parser.add_argument("--inherit", action="store_true")
    parser.add_argument("--table", type=Path, default=TABLE)
    options = parser.parse_args()
    table = load()
    for case in options.cases:
        for target in TARGETS:
            family = case.rpartition("-")[0]
            alike = sorted(table, key=lambda other: other.startswith(family))  # most alike last
            known = [table[other].get(f"{target:g}", {}) for other in alike]
            chosen = table.setdefault(case, {}).setdefault(f"{target:g}", {})
            for name in options.only:
                if impossible(case, name, target):
                    continue
                guess = next((k[name] for k in [chosen, *reversed(known)] if name in k), target)
                rung = round(-4 * math.log10(guess))
                if not options.inherit:
                    rung = loosest(case, name, target, rung, tighten=options.tighten)
                elif name not in chosen:
                    rung += 1
                chosen[name] = 10 ** (-rung / 4)
                options.table.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
