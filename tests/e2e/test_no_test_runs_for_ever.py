"""A test that hangs fails at the suite's time limit, and the others of its process go on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.commands import ROOT, environment

HANGING = """
import signal, threading, time

def test_hangs():
    while True:
        time.sleep(0.01)

def test_goes_on():
    assert threading.current_thread() is threading.main_thread()
    assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
"""


@pytest.mark.parametrize("processes", ["0", "1"])
def test_a_hanging_test_fails_alone(tmp_path: Path, processes: str) -> None:
    """In this process and in a worker of pytest-xdist: one fails by name, one passes under a limit of its own."""
    (tmp_path / "test_two.py").write_text(HANGING)
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path), "-q",
            "-p", "no:cacheprovider", "-p", "no:benchmark", "-n", processes, "-o", "timeout=2", str(tmp_path),
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120, env=environment(),
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout
    assert "test_hangs - Failed: Timeout" in done.stdout


def test_the_limit_is_in_force(request: pytest.FixtureRequest) -> None:
    """The configured one, by signal, which ends the test and not its process."""
    timeout = pytest.importorskip("pytest_timeout")
    settings = timeout._get_item_settings(request.node)
    assert 60 <= settings.timeout <= 3600
    assert settings.method == "signal"


def test_without_the_plugin_tests_run_without_a_limit(tmp_path: Path) -> None:
    """The setting is known all the same, though pytest is strict about what it does not know."""
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-p", "no:timeout", "-p", "no:cacheprovider", "-p", "no:benchmark",
            "tests/test_folders_hide_no_package.py",
        ],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120, env=environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
