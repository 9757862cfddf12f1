"""No command looks up a name or opens a connection, and none writes anything but what it was asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.commands import REAL, environment

REFUSAL = '''
"""Put on the path of every process, children included: sockets to anywhere but this machine's own files are refused."""

import os
import socket
import sys


def refuse(event, arguments):
    asked = event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
    if event in ("socket.connect", "socket.bind", "socket.sendto"):
        asked = arguments[0].family != socket.AF_UNIX
    if asked:
        with open(os.environ["ASKED"], "a") as file:
            file.write(f"{event} {arguments[1:] if event != 'socket.getaddrinfo' else arguments}\\n")
        raise PermissionError(f"the network was asked: {event}")


sys.addaudithook(refuse)
'''

SWEEP = """
command = "simulate"
[base]
d = 4
t_end = 1.0
points = 3
[grid]
m = [1, 2]
"""

OUTPUTS = {
    "verify": {"r.html", "r.json"},
    "simulate": {"run.nc", "run.png"},
    "figure": {"specialization.9.png", "specialization.9.nc"},
    "sweep": {"points"},
}
"""What each command leaves where it was started."""

COMMANDS = {
    "verify": ["verify", "luckmatters.lemma6", "--jobs", "2", "--report", "r.html", "--json", "r.json"],
    "simulate": ["simulate", "--d", "4", "--m", "2", "--t-end", "1", "--out", "run.nc", "--plot", "run.png"],
    "figure": [
        "figure", "specialization.9", "--set", "networks=3", "--set", "epochs=0.2", "--set", "eval_samples=50",
        "--set", "polarities=0,1", "--set", "over_realisations=1", "--out", ".",
    ],
    "sweep": ["sweep", "sweep.toml", "--out", "points", "--jobs", "2"],
}  # fmt: skip


def without_network(folder: Path, words: list[str]) -> tuple[subprocess.CompletedProcess[str], str]:
    """What a command ends with, and what it asked the network for."""
    refusal, asked = folder / "refusal", folder / "asked.txt"
    refusal.mkdir(exist_ok=True)
    (refusal / "sitecustomize.py").write_text(REFUSAL)
    (folder / "sweep.toml").write_text(SWEEP)
    surroundings = environment(ASKED=str(asked))
    surroundings["PYTHONPATH"] = os.pathsep.join([str(refusal), surroundings["PYTHONPATH"]])
    done = subprocess.run(
        words, cwd=folder, env=surroundings, capture_output=True, text=True, check=False, timeout=300
    )
    return done, asked.read_text() if asked.exists() else ""


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_ask_for_nothing(name: str, tmp_path: Path) -> None:
    """Neither the command nor the processes that it starts; the run ends as it should, with its own files."""
    done, asked = without_network(tmp_path, [*REAL, *COMMANDS[name]])
    assert asked == ""
    assert done.returncode in ((0, 1) if name == "figure" else (0,)), (
        done.stderr
    )  # claims of so small a figure may fail
    left = {path.name for path in tmp_path.iterdir()} - {"refusal", "sweep.toml"}
    assert left == OUTPUTS[name]


def test_a_question_would_be_seen(tmp_path: Path) -> None:
    """Control: a connection, and one by a process that was started."""
    ask = "import socket; socket.create_connection(('127.0.0.1', 9))"
    done, asked = without_network(tmp_path, [sys.executable, "-c", ask])
    assert done.returncode == 1
    assert "PermissionError: the network was asked" in done.stderr
    child = f"import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', {ask!r}]).returncode)"
    done, again = without_network(tmp_path, [sys.executable, "-c", child])
    assert done.returncode == 1
    assert len(again) == 2 * len(asked) > 0
