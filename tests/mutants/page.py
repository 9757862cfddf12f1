"""The page of mutants: how many are noticed in each room, every one of them, and why some are not."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Sequence
from importlib.metadata import version

from tests.mutants.trial import HUNG, STALE, SURVIVED, Result

LEAST_SHARE = 0.95
"""Share of the mutants that the tests must notice, those that cannot be noticed by any left out."""

HEADER = """# Mutants

Made by `tox run -e mutants`; nothing here is typed by hand. Single faults (`tests/mutants/*.toml`) are put into a copy
of the code one at a time, and the few tests named beside each must fail. It is a check of the tests, not of the code: a
fault that no test notices is a hole in them. The list was begun by a reader of the code who looked for what tests might
miss, and grows with every hole that is found; how often a fault drawn at random would be noticed it does not say.
"""


def counted(results: Sequence[Result]) -> list[Result]:
    """Those that count: a mutant with an excuse counts only where it is noticed all the same."""
    return [result for result in results if not result.mutant.excuse or result.noticed]


def share(results: Sequence[Result]) -> float:
    """Share noticed among those that count."""
    relevant = counted(results)
    return sum(result.noticed for result in relevant) / max(len(relevant), 1)


def page(results: Sequence[Result], known: int | None = None) -> str:
    """The page as Markdown; ``known``: how many mutants there are, where not all were tried."""
    excused = [result for result in results if result.mutant.excuse and not result.noticed]
    software = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "torch", "hypothesis"))
    parts = [
        HEADER,
        f"{sum(result.noticed for result in results)} of {len(results)} noticed, {len(excused)} cannot be (below): "
        f"{share(results):.1%} of the others.{_untried(len(results), known)} Python "
        f"{platform.python_version()}, {software}; {datetime.date.today().isoformat()}.\n",
        _rooms(results),
    ]
    lost = [result for result in results if not result.noticed]
    if lost:
        parts.append("## Not noticed\n\n" + "\n".join(_not_noticed(result) for result in lost) + "\n")
    parts.append("## All of them\n\n| room | mutant | file | noticed | s |\n|---|---|---|---|---|")
    parts.append("\n".join(_row(result) for result in results) + "\n")
    return "\n".join(parts)


def _untried(tried: int, known: int | None) -> str:
    left = (known or tried) - tried
    return f" {left} more on the lists were not tried on this state of code and tests." if left else ""


def _rooms(results: Sequence[Result]) -> str:
    lines = ["| room | mutants | noticed | of these by the time limit | cannot be |", "|---|---|---|---|---|"]
    for room in dict.fromkeys(result.mutant.room for result in results):
        mine = [result for result in results if result.mutant.room == room]
        noticed = sum(result.noticed for result in mine)
        hung = sum(result.status == HUNG for result in mine)
        excused = sum(bool(result.mutant.excuse) and not result.noticed for result in mine)
        lines.append(f"| {room} | {len(mine)} | {noticed} | {hung} | {excused} |")
    return "\n".join(lines) + "\n"


def _not_noticed(result: Result) -> str:
    why = result.mutant.excuse or {SURVIVED: "a hole in the tests", STALE: result.detail}[result.status]
    return f"- `{result.mutant.file}`, {result.mutant.name}: {why}."


def _row(result: Result) -> str:
    mutant, seconds = result.mutant, f"{result.seconds:.0f}"
    return f"| {mutant.room} | {mutant.name} | `{mutant.file}` | {result.status} | {seconds} |"
