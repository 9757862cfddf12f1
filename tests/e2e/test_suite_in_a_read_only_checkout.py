"""Plain ``pytest`` passes in a checkout that cannot be written to, as another user."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.commands import ROOT, environment

NOBODY = 65534


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """This checkout, mounted so that nobody can write to it."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root mounts folders and becomes another user")
    folder = tmp_path / "checkout"
    folder.mkdir()
    if subprocess.run(
        ["mount", "--bind", str(ROOT), str(folder)], capture_output=True, check=False
    ).returncode:
        pytest.skip("folders cannot be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_tests_pass_where_nothing_can_be_written(read_only: Path, tmp_path: Path) -> None:
    """Drawn instances, files, processes, and what pytest and Hypothesis keep for themselves."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.is_relative_to(tempfile.gettempdir()) and folder != Path(tempfile.gettempdir()):
            folder.chmod(0o755)  # pytest keeps its folders private
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    may_read = [
        "--inh-caps",
        "+dac_read_search",
        "--ambient-caps",
        "+dac_read_search",
    ]  # Python in root's home
    done = subprocess.run(
        [
            "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *may_read,
            sys.executable, "-m", "pytest", "-q", "tests/test_hypothesis_profile.py",
            "tests/test_dynamics/files/test_whatever_a_trajectory_accepts_comes_back.py",
            "tests/test_dynamics/files/test_one_place_writes_files.py",
        ],
        cwd=read_only, capture_output=True, text=True, check=False, timeout=300,
        env={**environment(HOME="/nonexistent", TMPDIR=str(home)), "PYTHONPATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert " passed" in done.stdout
