"""A Dask scheduler with its workers on loopback, each a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from tests.e2e.commands import environment


class Cluster:
    """A scheduler and two workers, each a process of its own; workers stand in ``folder``.

    ``preload``: a module that workers import first.
    """

    def __init__(self, folder: Path, preload: str | None = None) -> None:
        self.folder, self._preload = folder, preload
        self.processes = [self._dask("scheduler", "--host", "127.0.0.1", "--port", "0")]
        self.address = self._address()
        self.workers = [self.worker() for _ in range(2)]

    def _dask(self, *words: str) -> subprocess.Popen[bytes]:
        options = ["--no-dashboard", "--scheduler-file", str(self.folder / "scheduler.json")]
        arguments = [sys.executable, "-m", "dask", *words, *options]
        return subprocess.Popen(
            arguments,
            cwd=self.folder,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _address(self) -> str:
        end = time.monotonic() + 100
        while time.monotonic() < end:
            try:
                return str(json.loads((self.folder / "scheduler.json").read_text())["address"])
            except (OSError, ValueError):
                time.sleep(0.1)
        raise TimeoutError("no scheduler")

    def worker(self) -> subprocess.Popen[bytes]:
        """One more."""
        first = () if self._preload is None else ("--preload", self._preload)
        self.processes.append(self._dask("worker", "--nthreads", "1", "--no-nanny", *first))
        return self.processes[-1]

    def end(self) -> None:
        """Kill whatever still runs."""
        for process in self.processes:
            process.kill()
            process.wait()
