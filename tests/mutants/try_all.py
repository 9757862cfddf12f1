"""Try the mutants.

Usage: python -m tests.mutants.try_all [--room ROOM] [--name WORDS] [--keep FILE [--no-new]] [--page docs/mutants.md]

Exit code 0 where at least 95 % are noticed, 1 where fewer are, 2 where a mutant is stale or the tests fail without any.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from pathlib import Path

from tests.mutants.kept_results import KeptResults
from tests.mutants.mutant import Mutant, known_mutants
from tests.mutants.page import LEAST_SHARE, counted, page, share
from tests.mutants.trial import PASSED, STALE, Copy, Result

LIMIT = 300.0
"""Seconds for the tests of one mutant, a hundred times what most take."""

BEFORE = 20.0
"""Times that limit for all tests without any mutant."""


def chosen(room: str, name: str) -> list[Mutant]:
    return [m for m in known_mutants() if room in ("", m.room) and name in m.name]


def tried(mutants: list[Mutant], kept: KeptResults, limit: float) -> list[Result] | None:
    """The results of all; None, once it is told why, where the tests fail without any mutant."""
    ahead = [mutant for mutant in mutants if kept.find(mutant) is None]
    if ahead:
        with tempfile.TemporaryDirectory(prefix="luckproof-mutants-") as folder:
            copy = Copy(Path(folder), BEFORE * limit)
            tests = sorted(set(itertools.chain.from_iterable(mutant.tests for mutant in ahead)))
            if (code := copy.run(tests)) != PASSED:
                print(copy.output.read_text(encoding="utf-8", errors="replace")[-5000:])
                print(f"the tests fail without any mutant: pytest ended with {code}")
                return None
            copy.limit = limit
            for result in copy.results(ahead):
                kept.keep(result, copy.folder)
                words = (
                    f"{result.status:9}{result.seconds:6.0f} s  {result.mutant.room}: {result.mutant.name}"
                )
                print(words, result.detail, flush=True)
    found = [kept.find(mutant) for mutant in mutants]
    return [result for result in found if result is not None]  # what changed on the way is to be tried again


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--room", default="", help="one list only")
    parser.add_argument("--name", default="", help="mutants whose name contains this")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds for the tests of one mutant")
    parser.add_argument("--keep", type=Path, help="results in a file: what stands there is not tried again")
    parser.add_argument("--no-new", action="store_true", help="nothing is tried: what is kept alone counts")
    parser.add_argument("--page", type=Path, help="write the results here")
    options = parser.parse_args()
    mutants, kept = chosen(options.room, options.name), KeptResults(options.keep)
    known = [mutant for mutant in mutants if kept.find(mutant) is not None]
    results = tried(known if options.no_new else mutants, kept, options.limit)
    if results is None:
        return 2
    print(f"{share(results):.1%} of {len(counted(results))} noticed")
    if options.page:
        options.page.write_text(page(results, len(mutants)), encoding="utf-8")
    if any(result.status == STALE for result in results):
        return 2
    return 0 if share(results) >= LEAST_SHARE else 1


if __name__ == "__main__":
    sys.exit(main())
