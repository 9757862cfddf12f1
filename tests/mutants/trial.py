"""A copy of the checkout in which one mutant at a time is put and its tests are run."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import multiprocessing
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.mutant import ROOT, Mutant, StaleMutantError

CAUGHT, HUNG, SURVIVED, STALE = "caught", "hung", "survived", "stale"
"""How a mutant ends; one that makes its tests run on for ever is noticed too."""

PRELOADED = (
    "pytest",
    "hypothesis",
    "numpy",
    "scipy",
    "scipy.stats",
    "torch",
    "xarray",
    "h5netcdf",
    "matplotlib.pyplot",
)
"""Imported once: every trial is a fork of this process and pays for our own modules alone."""

LEFT_OUT = (
    ".git",
    ".tox",
    ".venv",
    ".*_cache",
    ".hypothesis",
    ".benchmarks",
    "__pycache__",
    "*.egg-info",
    "out",
)

PASSED, FAILED_TESTS = 0, 1
"""Exit codes of pytest; another one (a test that is not there, nothing collected) decides nothing."""


OPTIONS = (
    *("-x", "-q", "--device", "cpu", "-p", "no:cacheprovider", "-p", "no:benchmark"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # of plugins that are imported already
)


@dataclass(frozen=True)
class Result:
    """How one mutant ended, and after how many seconds."""

    mutant: Mutant
    status: str
    seconds: float
    detail: str = ""

    @property
    def noticed(self) -> bool:
        return self.status in (CAUGHT, HUNG)


class Copy:
    """A copy of the checkout in ``folder``; its tests run there, whatever is installed.

    ``limit``: seconds that the tests of one mutant may take.
    """

    def __init__(self, folder: Path, limit: float, root: Path = ROOT) -> None:
        self.folder, self.limit = folder / "checkout", limit
        self.output = folder / "output.txt"
        shutil.copytree(root, self.folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
        for name in PRELOADED:
            importlib.import_module(name)

    def results(self, mutants: Iterable[Mutant]) -> Iterator[Result]:
        """Every mutant by itself."""
        for mutant in mutants:
            started = time.monotonic()
            try:
                with self._in_place(mutant):
                    code = self.run(mutant.tests)
            except (StaleMutantError, FileNotFoundError) as error:
                yield Result(mutant, STALE, 0.0, str(error))
                continue
            seconds = time.monotonic() - started
            status = {None: HUNG, PASSED: SURVIVED, FAILED_TESTS: CAUGHT}.get(code, STALE)
            yield Result(mutant, status, seconds, f"pytest ended with {code}" if status == STALE else "")

    @contextmanager
    def _in_place(self, mutant: Mutant) -> Iterator[None]:
        path = self.folder / mutant.file
        whole = path.read_text(encoding="utf-8")
        changed = mutant.changed(whole)
        try:
            _put(path, changed)
            yield
        finally:
            _put(path, whole)

    def run(self, tests: Sequence[str]) -> int | None:
        """The exit code of pytest on some tests, in a process of their own; None where they took too long."""
        process = multiprocessing.get_context("fork").Process(
            target=_run_pytest, args=(self.folder, tests, self.output)
        )
        process.start()
        process.join(self.limit)
        hung = process.is_alive()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid or 0, signal.SIGKILL)  # and what the tests have started
        process.join()
        return None if hung else process.exitcode


def _put(path: Path, text: str) -> None:
    """Write a source file, and forget its compiled form: within a second the two have one time stamp."""
    path.write_text(text, encoding="utf-8")
    Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)


def _run_pytest(folder: Path, tests: Sequence[str], output: Path) -> None:
    """In the new process: pytest on the copy, with the instances of CI, which are the same every time."""
    os.setsid()
    os.chdir(folder)
    os.environ.update(PYTHONPATH=str(folder), LUCKPROOF_PROFILE="ci", MPLBACKEND="Agg")
    sys.path.insert(0, str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]
    told = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(told, 1)
    os.dup2(told, 2)
    import pytest

    code = pytest.main([*OPTIONS, *tests])
    sys.stdout.flush()
    os._exit(int(code))
