"""A signal that comes while the command is being loaded, or while it leaves, ends it without a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.commands import command, environment
from tests.e2e.test_command_loses_nothing import wait_for

LOADING = """
import sys, time
from pathlib import Path

class Slow:
    def find_spec(self, name, path, target=None):
        if name == "verify.command.main":
            Path("met").touch()
            time.sleep(60)

sys.meta_path.insert(0, Slow())
from luckproof.__main__ import main
main()
"""

CONVERTED = """
import sys
from verify.command import surroundings

class Converting:
    def find_spec(self, name, path, target=None):
        if name == "verify.command.main":
            try:
                surroundings._end(15, None)
            except BaseException as error:
                raise ImportError("a library that could not be loaded") from error

sys.meta_path.insert(0, Converting())
from luckproof.__main__ import main
main()
"""

LEAVING = """
import atexit, sys, time
from pathlib import Path

def slow():
    Path("met").touch()
    time.sleep(60)

atexit.register(slow)
sys.argv = ["luckproof", "--version"]
from luckproof.__main__ import main
main()
"""


def ended(program: str, folder: Path, how: signal.Signals) -> tuple[int, str, str]:
    """Code, stdout and stderr of a program that got a signal once it was where it sleeps."""
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=folder, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:  # fmt: skip
        wait_for((folder / "met").exists)
        os.kill(process.pid, how)
        shown, said = process.communicate(timeout=30)
    return process.returncode, shown, said


@pytest.mark.parametrize(
    ("how", "code", "words"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 143, "ended by signal 15"),
        (signal.SIGHUP, 129, "ended by signal 1"),
    ],
)
def test_while_it_is_being_loaded(tmp_path: Path, how: signal.Signals, code: int, words: str) -> None:
    """Which takes seconds on a busy machine: one line and the code of the signal."""
    assert ended(LOADING, tmp_path, how) == (code, "", f"luckproof: {words}\n")


def test_what_a_library_made_of_a_signal_is_the_signal(tmp_path: Path) -> None:
    """Modules in C turn the exception into one of their own."""
    done = command(program=[sys.executable, "-c", CONVERTED])
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "luckproof: ended by signal 15\n")


def test_other_errors_while_loading_are_errors() -> None:
    """Control: a library that is broken is told as such."""
    done = command(program=[sys.executable, "-c", CONVERTED.replace("surroundings._end(15, None)", "1 / 0")])
    assert done.returncode == 1
    assert "ImportError: a library that could not be loaded" in done.stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_while_it_leaves(tmp_path: Path, how: signal.Signals) -> None:
    """What it had to say is said; the signal ends it at once and silently."""
    code, shown, said = ended(LEAVING, tmp_path, how)
    assert (code, said) == (-how, "")
    assert shown.startswith("luckproof ")
