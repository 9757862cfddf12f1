"""Branch coverage of each package by its own tests.

Usage: python -m tests.coverage_by_own_tests [PACKAGE ...] [--least PERCENT]

``dynamics`` by ``tests/test_dynamics``, ``nets`` by ``tests/test_nets``, ``verify`` by ``tests/test_verify`` and by
``tests/e2e``, where its command is tested (what that runs in processes of its own is not seen here). What others run
along the way is not tested by that: none of them need fail where it breaks. Exit code 1 below it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]

PACKAGES = ("dynamics", "nets", "verify")

OWN = {package: (f"tests/test_{package}",) for package in PACKAGES} | {
    "verify": ("tests/test_verify", "tests/e2e")
}

LEAST = 95.0
"""Percent of lines and branches of a package."""

LOWEST = 8
"""Files that are shown: those with the most lines and branches missed."""


def measured(package: str, folder: Path, words: list[str]) -> tuple[int, str]:
    """Exit code of a package's tests under coverage, and coverage's report of the package in JSON."""
    data = {**os.environ, "COVERAGE_FILE": str(folder / package)}
    run = ["run", "--branch", f"--source={package}", "-m", "pytest", "-q", "-p", "no:benchmark", *words]
    code = subprocess.run(
        [sys.executable, "-m", "coverage", *run, *OWN[package]], cwd=ROOT, env=data, check=False
    ).returncode
    report = subprocess.run(
        [sys.executable, "-m", "coverage", "json", "-q", "-o", "-"],
        cwd=ROOT, env=data, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return code, report.stdout


def share_of(report: dict[str, object]) -> float:
    """Percent covered, as coverage counts lines and branches together."""
    totals = report["totals"]
    assert isinstance(totals, dict)
    return float(totals["percent_covered"])


def lowest(report: dict[str, object]) -> list[str]:
    """The files that miss most, with what they miss."""
    files = report["files"]
    assert isinstance(files, dict)

    def missed(name: str) -> int:
        summary = files[name]["summary"]
        return int(summary["missing_lines"] + summary["missing_branches"])

    worst = sorted(files, key=missed, reverse=True)[:LOWEST]
    return [
        f"  {files[name]['summary']['percent_covered']:5.1f} %  {name}: lines {files[name]['missing_lines']}"
        for name in worst
        if missed(name)
    ]


def main() -> int:

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", nargs="*", default=PACKAGES, metavar="PACKAGE", help=", ".join(PACKAGES))
    parser.add_argument("--least", type=float, default=LEAST, help="percent")
    options, words = parser.parse_known_args()
    low = False
    with tempfile.TemporaryDirectory(prefix="luckproof-coverage-") as folder:
        for package in options.packages:
            code, text = measured(package, Path(folder), words)
            report = json.loads(text)
            share = share_of(report)
            print(f"{package}: {share:.1f} % of lines and branches, tests ended with {code}")
            print("\n".join(lowest(report)), flush=True)
            low = low or share < options.least or code != 0
    return int(low)


if __name__ == "__main__":
    sys.exit(main())
