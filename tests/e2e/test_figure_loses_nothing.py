"""Whatever ends ``luckproof figure``: finished runs are kept, no process stays, the next figure is the same."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.commands import REAL, WAITING, command, environment
from tests.process_family import family, left

WORDS = [
    "figure", "specialization.9", "--set", "networks=4", "--set", "epochs=0.4", "--set", "eval_samples=200",
    "--set", "polarities=0,0.2,0.4,0.6,0.8,1", "--set", "over_realisations=1,2",
]  # fmt: skip
"""Twelve runs of a tenth of a second."""


def made(folder: Path, *more: object) -> tuple[bytes, bytes]:
    """The picture and the data of the figure."""
    done = command(*WORDS, "--out", folder, *more, program=REAL)
    assert done.returncode in (0, 1), done.stderr
    return (folder / "specialization.9.png").read_bytes(), (folder / "specialization.9.nc").read_bytes()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    return made(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_figure_that_is_ended_goes_on(
    tmp_path: Path, how: signal.Signals, code: int, uninterrupted: tuple[bytes, bytes]
) -> None:
    """The same bytes as in one go, from the runs that were finished.

    The signal comes at any moment of the runs after the first. The last of them waits for it: on a busy machine it
    came when all was done, once.
    """
    runs = tmp_path / "runs"
    with subprocess.Popen(
        [*WAITING, *WORDS, "--out", str(tmp_path), "--runs", str(runs)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(KEPT="11"),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:  # fmt: skip
        until = time.monotonic() + 90
        while not list(runs.glob("*.nc")):
            assert time.monotonic() < until
            time.sleep(0.01)
        members = family(process.pid)
        process.send_signal(how)
        shown, said = process.communicate(timeout=30)
    assert process.returncode == code, said
    assert "Traceback" not in shown + said
    assert left(members, 10) == set()
    assert not (tmp_path / "specialization.9.png").exists()
    before = {path: path.stat().st_mtime_ns for path in runs.glob("*.nc")}
    assert made(tmp_path, "--runs", runs) == uninterrupted
    assert {path: path.stat().st_mtime_ns for path in before} == before  # not made again
    assert list(runs.glob(".*")) == []
