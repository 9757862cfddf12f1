"""Every statement at the quick budget, spread over two processes."""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import Any

import pytest

COMMAND = [sys.executable, "-m", "luckproof", "verify", "--jobs", "2"]


@pytest.mark.bench
def test_all_statements_quickly(benchmark: Any, every_core: None) -> None:
    """The command ends with every verdict as expected; its time and its processor time are recorded."""
    benchmark.group = "verify: all statements, quick budget, two processes"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = benchmark.pedantic(
        subprocess.run, args=(COMMAND,), kwargs={"capture_output": True, "text": True}, rounds=1
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    benchmark.extra_info.update(
        verify="quick, --jobs 2",
        summary=run.stdout.strip().splitlines()[-1],
        cpu_seconds=after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime,
    )
