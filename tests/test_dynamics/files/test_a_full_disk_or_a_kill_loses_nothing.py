"""Where a write cannot be finished the old file stays, and nothing else is left for long."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dynamics.files import temporaries
from dynamics.files.temporaries import temporary_in
from dynamics.files.writing import write_atomically
from luckproof import Trajectory
from tests.test_dynamics.files.small_runs import small_run

SAVE_TOO_MUCH = """
import resource, sys
from tests.test_dynamics.files.test_a_full_disk_or_a_kill_loses_nothing import large_run
if len(sys.argv) > 2:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for _ in range(2):
    try:
        large_run().save(sys.argv[1])
    except OSError as error:
        print(error)
"""


def large_run() -> Trajectory:
    """About 3 MB."""
    t = np.arange(1000.0)
    return Trajectory(t=t, state={"y": np.random.default_rng(0).normal(size=(1000, 400))}, time_counts="time")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("file systems cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def saved_in_a_process(path: Path, *words: str) -> str:
    """What a process says that saves a run twice; it must end as usual, at its very end too."""
    done = subprocess.run(
        [sys.executable, "-c", SAVE_TOO_MUCH, str(path), *words],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_a_full_disk_keeps_the_old_file(small_disk: Path) -> None:
    """An OSError that names path and reason; no temporary file takes the room; the process ends as usual."""
    path = small_disk / "run.nc"
    small_run().save(path)
    before = path.read_bytes()
    said = saved_in_a_process(path)
    assert said.count("No space left on device; nothing was written, the older file is as it was") == 2
    assert str(path) in said
    assert path.read_bytes() == before
    assert os.listdir(small_disk) == ["run.nc"]


def test_a_limit_on_file_sizes_keeps_the_old_file(tmp_path: Path) -> None:
    """The same where a quota or ``ulimit -f`` stops the write."""
    path = tmp_path / "run.nc"
    small_run().save(path)
    before = path.read_bytes()
    said = saved_in_a_process(path, "limited")
    assert said.count("File too large; nothing was written") == 2
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["run.nc"]


STOP_BEFORE_RENAMING = """
import os, sys, time
from tests.test_dynamics.files.small_runs import small_run
os.replace = lambda *paths: (print("written", flush=True), time.sleep(60))
small_run().save(sys.argv[1])
"""


def writer_before_its_rename(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", STOP_BEFORE_RENAMING, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    return process


def test_what_a_killed_writer_leaves_is_swept_by_the_next(tmp_path: Path) -> None:
    """Of any target in the folder; the file of a writer that is at work stays until it is gone too."""
    path = tmp_path / "run.nc"
    small_run().save(path)
    before = path.read_bytes()
    with writer_before_its_rename(path) as dead, writer_before_its_rename(path) as alive:
        dead.send_signal(signal.SIGKILL)
        dead.wait(timeout=20)
        assert path.read_bytes() == before
        assert len(os.listdir(tmp_path)) == 3
        write_atomically(tmp_path / "other", "text")
        assert len(os.listdir(tmp_path)) == 3  # run.nc, other, and the one that is being written
        alive.kill()
    small_run().save(path)
    assert sorted(os.listdir(tmp_path)) == ["other", "run.nc"]


def test_full_folders_are_looked_through_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundredth of the time at most; a small one at every write."""
    looked = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: looked.append(folder) or scandir(folder))
    for _ in range(3):
        write_atomically(tmp_path / "file", "text")
    assert len(looked) == 3
    monkeypatch.setattr(temporaries, "FULL_FOLDER", 0)
    monkeypatch.setattr(temporaries, "SWEEPING_SHARE", 1e-9)
    for _ in range(3):
        write_atomically(tmp_path / "file", "text")
    assert len(looked) == 4


def test_other_files_are_never_swept(tmp_path: Path) -> None:
    """Names that only look alike, links and folders with the very names included."""
    target = tmp_path / "target"
    target.write_text("kept")
    others = [".luckproof-x", "x.tmp", ".luckproof.tmp", "luckproof-0123.tmp"]
    for name in others:
        (tmp_path / name).write_text("kept")
    (tmp_path / ".luckproof-0123456789abcdef.tmp").symlink_to(target)
    (tmp_path / ".luckproof-0123456789abcde0.tmp").mkdir()
    write_atomically(tmp_path / "new", "text")
    assert all((tmp_path / name).read_text() == "kept" for name in (*others, "target"))


def test_a_temporary_file_swept_at_birth_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its making and its lock another process may take it for a leftover."""
    hold, stolen = temporaries._hold, []

    def steal_first(descriptor: int) -> bool:
        if not stolen:
            (entry,) = tmp_path.iterdir()
            stolen.append(entry)
            entry.unlink()
        return hold(descriptor)

    monkeypatch.setattr(temporaries, "_hold", steal_first)
    with temporary_in(tmp_path) as (_, path):
        assert path.exists()
        assert path != stolen[0]
    assert list(tmp_path.iterdir()) == []


def test_the_data_reach_the_disk_before_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the machine stops in between there is the old file, and not a new one of zeros; then the name follows."""
    order: list[tuple[str, str]] = []
    sync, replace = os.fsync, os.replace

    def synchronised(descriptor: int) -> None:
        order.append(("sync", os.readlink(f"/proc/self/fd/{descriptor}")))
        sync(descriptor)

    def renamed(source: Path, target: Path) -> None:
        order.append(("rename", str(source)))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", synchronised)
    monkeypatch.setattr(os, "replace", renamed)
    write_atomically(tmp_path / "run.nc", b"new")
    (what, temporary), *rest = order
    assert what == "sync"
    assert rest == [("rename", temporary), ("sync", str(tmp_path))]
