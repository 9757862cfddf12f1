"""Whatever ends ``luckproof verify``: finished verdicts are kept and shown, no process stays, the next run goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import REAL, TOYS, command, environment
from tests.process_family import family, left

OTHERS = ("toy.bound.printed", "toy.bound.sharp", "toy.never.corrected")
TRAPPED = "toy.squares.corrected"


def records(path: Path) -> dict[str, Any]:
    """What a run wrote, but for the time, and for the toys' confirmation, whose kind is the address of a function."""
    data = json.loads(path.read_text(encoding="utf-8"))
    del data["created"]
    for record in data["statements"]:
        del record["seconds"]
        if record["confirmation"] is not None:
            del record["confirmation"]["kind"]
    return data


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("whole") / "verdicts.json"
    assert command("verify", "--device", "cpu", "--json", path).returncode == 0
    return records(path)


def wait_for(condition: Any, seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("how", "jobs", "code"),
    [
        (signal.SIGKILL, 1, -9),
        (signal.SIGKILL, 2, -9),
        (signal.SIGTERM, 1, 143),
        (signal.SIGTERM, 2, 143),
        (signal.SIGHUP, 2, 129),
        (signal.SIGINT, 1, 130),
        (signal.SIGINT, 2, 130),
    ],
)
def test_a_run_that_is_ended_goes_on(
    tmp_path: Path, how: signal.Signals, jobs: int, code: int, uninterrupted: dict[str, Any]
) -> None:
    """Verdicts so far on disk and on screen; the next run has the very records of one in one go."""
    kept, trap = tmp_path / "kept", tmp_path / "trap"
    words = ["verify", "--device", "cpu", "--jobs", str(jobs), "--resume", str(kept)]
    with subprocess.Popen(
        [*TOYS, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env=environment(TOY_TRAP=str(trap)),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:  # fmt: skip
        wait_for(lambda: (tmp_path / "trap.met").exists() and len(list(kept.glob("*.json"))) == 3)
        time.sleep(0.5)  # the line about a verdict follows its file
        members = family(process.pid)
        assert len(members) >= jobs
        if how == signal.SIGINT:
            os.killpg(process.pid, how)  # as a terminal does: to all of them
        else:
            process.send_signal(how)
        shown, said = process.communicate(timeout=30)
    assert process.returncode == code
    assert left(members, 10) == set()
    assert "Traceback" not in said + shown
    assert all(f"{name}: " in said for name in OTHERS)
    if how != signal.SIGKILL:
        assert all(name in shown for name in OTHERS)
        assert shown.splitlines()[-1].startswith(
            "The run was ended: 3 of 4 statements finished, of these all as expected, "
        )
        assert said.splitlines()[-1] == {130: "luckproof: interrupted"}.get(
            code, f"luckproof: ended by signal {int(how)}"
        )
    assert sorted(path.name.rpartition("-")[0] for path in kept.iterdir()) == sorted(OTHERS)
    trap.touch()
    done = command(*words, "--json", tmp_path / "v.json", TOY_TRAP=str(trap))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") == 1  # one line: the statement that was still to be judged
    assert records(tmp_path / "v.json") == uninterrupted


@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_no_process_stays_where_a_server_forked_them(how: signal.Signals, code: int) -> None:
    """The papers' statements are judged by forks of a process that has imported them; it goes too, without a word."""
    words = ["verify", "luckmatters.theorem4.sharp", "luckmatters.theorem5.sharp", "--jobs", "2"]
    with subprocess.Popen(
        [*REAL, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env=environment(), preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:  # fmt: skip
        wait_for(
            lambda: len(family(process.pid)) == 5
        )  # itself, a tracker of resources, the server, two forks
        members = family(process.pid)
        os.killpg(process.pid, how) if how == signal.SIGINT else process.send_signal(how)
        _, said = process.communicate(timeout=30)
    assert process.returncode == code
    assert left(members, 10) == set()
    assert "Traceback" not in said


def test_a_process_that_dies_costs_its_statement_alone(tmp_path: Path, uninterrupted: dict[str, Any]) -> None:
    """A line that names it, a code and a place in the JSON of its own; the rest is judged, and the next run goes on."""
    kept, trap, data = tmp_path / "kept", tmp_path / "trap", tmp_path / "v.json"
    words = ["verify", "--device", "cpu", "--jobs", 2, "--json", data]
    done = command(*words, TOY_TRAP=str(trap), TOY_FATE="dies")
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"luckproof: {TRAPPED}: its process was killed (signal 9")
    assert all(name in done.stdout for name in OTHERS)
    assert "\n3 of 4 statements finished, of these all as expected, " in done.stdout
    found = json.loads(data.read_text(encoding="utf-8"))
    assert list(found["lost"]) == [TRAPPED]
    assert [record["name"] for record in found["statements"]] == list(OTHERS)
    done = command(*words, "--resume", kept, TOY_TRAP=str(trap), TOY_FATE="dies")
    assert done.returncode == 4
    assert f"luckproof verify --resume {kept} goes on" in done.stderr
    trap.touch()
    assert command(*words, "--resume", kept, TOY_TRAP=str(trap)).returncode == 0
    assert records(data) == uninterrupted


def test_a_report_that_cannot_be_written_costs_nothing_else(tmp_path: Path) -> None:
    """The table is shown and the JSON written; one line and code 2."""
    data = tmp_path / "v.json"
    done = command("verify", "--device", "cpu", "toy.squares", "--report", "/dev/full", "--json", data)
    assert done.returncode == 2
    assert done.stderr == "luckproof: --report: [Errno 28] No space left on device: '/dev/full'\n"
    assert TRAPPED in done.stdout
    assert json.loads(data.read_text(encoding="utf-8"))["statements"][0]["outcome"] == "holds"


def test_a_damaged_verdict_is_refused_by_name(tmp_path: Path) -> None:
    """One bit of it; once the file is removed the statement is judged again."""
    kept = tmp_path / "kept"
    words = ["verify", "--device", "cpu", "toy.squares", "--jobs", 1, "--resume", kept]
    assert command(*words).returncode == 0
    (path,) = kept.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"margin": ', b'"margin":-', 1))
    done = command(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"luckproof: --resume: '{path}' is damaged: ")
    assert "remove it, and the statement is judged again" in done.stderr
    path.unlink()
    assert command(*words).returncode == 0


def test_other_settings_are_other_verdicts(tmp_path: Path) -> None:
    """Another seed does not take the verdicts of this one."""
    words = ["verify", "--device", "cpu", "toy.squares", "--jobs", 1, "--resume", tmp_path]
    for seed, count in ((0, 1), (1, 2), (0, 2)):
        assert command(*words, "--seed", seed).returncode == 0
        assert len(list(tmp_path.iterdir())) == count
