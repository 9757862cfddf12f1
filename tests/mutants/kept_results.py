"""Results in a file: a run that was stopped goes on where it was, and mutants of unchanged code are not tried again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tests.mutants.mutant import ROOT, Mutant
from tests.mutants.trial import Result


class KeptResults:
    """Results by what they rest on: the fault in its file, and the files of the tests that were run."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        there = path is not None and path.exists()
        self._held: dict[str, list[object]] = (
            json.loads(path.read_text(encoding="utf-8")) if there and path else {}
        )

    def find(self, mutant: Mutant) -> Result | None:
        """The result of this very fault under these very tests; None where there is none."""
        held = self._held.get(_key(mutant, ROOT))
        return None if held is None else Result(mutant, str(held[0]), float(str(held[1])), str(held[2]))

    def keep(self, result: Result, tried_in: Path = ROOT) -> None:
        """Write it at once; nothing where no file was named. ``tried_in``: the copy, since the checkout may change."""
        self._held[_key(result.mutant, tried_in)] = [result.status, result.seconds, result.detail]
        if self._path is not None:
            self._path.write_text(json.dumps(self._held, indent=0), encoding="utf-8")


def _key(mutant: Mutant, root: Path) -> str:
    found = hashlib.sha256(f"{mutant.old}\0{mutant.new}\0{mutant.tests}".encode())
    for name in (mutant.file, *(argument.partition("::")[0] for argument in mutant.tests)):
        path = root / name
        for part in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            found.update(part.read_bytes() if part.exists() else b"")
    return found.hexdigest()
