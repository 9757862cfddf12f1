"""``luckproof sweep``: points on several processes, resumed after any death, with the same bits in the end."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dynamics.files import netcdf
from luckproof import sweep
from tests.e2e.commands import REAL, ROOT, WAITING, command, environment
from tests.process_family import family, left
from tests.test_verify.sweeps.small_sweeps import files
from verify.sweeps.configuration import read_configuration

CONFIGURATION = """
command = "simulate"
[base]
d = 5
t_end = 20
points = 11
[grid]
m = [2, 4]
theta0 = "0.1:1.0:4"
seed = "0:5"
"""
POINTS = 40


@pytest.fixture(scope="module")
def configuration(tmp_path_factory):
    path = tmp_path_factory.mktemp("sweep") / "c.toml"
    path.write_text(CONFIGURATION)
    return path


@pytest.fixture(scope="module")
def expected(configuration, tmp_path_factory):
    """The files of a sweep in one go, in this process."""
    out = tmp_path_factory.mktemp("reference")
    with ThreadPoolExecutor(1) as executor:
        sweep(configuration, out, executor=executor)
    return files(out)


def swept(*words):
    return command("sweep", *words, program=REAL)


def started(*words, program=REAL, cwd=ROOT, **more):
    arguments = [*program, "sweep", *map(str, words)]
    return subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(**more), text=True, cwd=cwd,
        start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def until(count, out, driver):
    """Wait until so many points are done."""
    end = time.monotonic() + 100
    while len(files(out)) < count:
        assert driver.poll() is None, driver.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_sweep_from_start_to_collection(configuration, expected, tmp_path):
    """A share, the rest, how it stands, all in one file; the same bits as in one process."""
    out = tmp_path / "out"
    share = swept(configuration, "--out", out, "--jobs", 2, "--shard", "1/2")
    assert (share.returncode, share.stderr) == (0, "")
    assert share.stdout == "20 points: 20 done, 0 failed; 20 computed now\n"
    assert "40 points: 20 done, 0 failed, 20 pending" in swept("--status", out).stdout
    rest = swept(configuration, "--out", out, "--jobs", 1)
    assert rest.stdout == "40 points: 40 done, 0 failed; 20 computed now\n"
    assert files(out) == expected
    collected = swept("--collect", out, "--to", tmp_path / "all.nc")
    assert collected.stdout == f"40 of 40 points written: {tmp_path / 'all.nc'}\n"
    data = netcdf.read(tmp_path / "all.nc")
    assert data["loss"].dims == ("m", "theta0", "seed", "time")
    assert np.isfinite(data["loss"].values).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.nc", "out"]


def test_a_dry_run_tells_and_leaves_nothing(configuration, tmp_path):
    """Points, hours and GB."""
    told = swept(configuration, "--out", tmp_path / "out", "--dry-run", "--jobs", 2)
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("40 points, 40 of them to compute\n")
    assert " hours with 2 process(es), " in told.stdout
    assert " GB (" in told.stdout
    assert list(tmp_path.iterdir()) == []


def test_failed_points_are_told_and_tried_again(tmp_path):
    """Exit code 3 for an integration that failed; the others are done; status and retry know it."""
    (tmp_path / "c.toml").write_text(
        'command = "simulate"\n[base]\nm = 2\nd = 3\nt_end = 50\n[grid]\nmax_steps = [1, 1000]\n'
    )
    done = swept(tmp_path / "c.toml", "--out", tmp_path / "out", "--jobs", 1)
    assert done.returncode == 3
    assert done.stdout.startswith("2 points: 1 done, 1 failed (1 step_limit); 2 computed now\n")
    assert ": step_limit: step_limit at t = " in swept("--status", tmp_path / "out").stdout
    again = swept("--retry", tmp_path / "out", "--jobs", 1)
    assert again.returncode == 3
    assert again.stdout.startswith("2 points: 1 done, 1 failed (1 step_limit); 1 computed now\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "sweep: expected one of CONFIG.toml, --status, --retry, --collect, got none"),
        (["c.toml"], "--out: expected a folder for the points, got none"),
        (["no.toml", "--out", "out"], "CONFIG: no.toml: no such file"),
        (
            ["c.toml", "--out", "out", "--shard", "0/4"],
            "--shard: expected i/n with i from 1 to n, such as 1/4, got '0/4'",
        ),
        (["c.toml", "--out", "out", "--jobs", "-1"], "--jobs: expected a number of processes >= 0, got -1"),
        (["--status", "."], "--status: expected the folder of a sweep, got ., which has no manifest.json"),
        (["--retry", "."], "--retry: expected the folder of a sweep, got ., which has no manifest.json"),
        (["--collect", "."], "--to: expected --collect DIR --to FILE.nc, got one of the two"),
        (["--collect", ".", "--to", "a.nc"], "--collect: expected the folder of a sweep, got ., which has"),
        (
            ["--status", ".", "--out", "out"],
            "--out: expected it with CONFIG.toml alone, got it with --status",
        ),
    ],
)
def test_bad_input_is_one_line(configuration, words, message, tmp_path, monkeypatch, capsys):
    """Exit code 2, and nothing is made but for the folder."""
    from verify.command.main import run

    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.toml").write_text(CONFIGURATION)
    assert run(["sweep", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"luckproof: {message}")
    assert {path.name for path in tmp_path.rglob("*")} <= {"c.toml", "out"}


def test_a_second_driver_is_refused(configuration, expected, tmp_path):
    """One line that names the first; which is not disturbed."""
    first = started(configuration, "--out", tmp_path / "out", "--jobs", 1)
    until(1, tmp_path / "out", first)
    os.kill(first.pid, signal.SIGSTOP)  # however fast it is, it is still at work when the second comes
    second = swept(configuration, "--out", tmp_path / "out")
    os.kill(first.pid, signal.SIGCONT)
    assert second.returncode == 2
    assert f"process {first.pid} on " in second.stderr
    assert "is at work" in second.stderr
    first.communicate(timeout=100)
    assert first.returncode == 0
    assert files(tmp_path / "out") == expected


def killed_and_resumed(configuration, out, draw):
    """Kill the driver or one of its workers at a random moment, then run it again to its end."""
    driver = started(configuration, "--out", out, "--jobs", 2)
    until(draw.randrange(0, POINTS - 5), out, driver)
    time.sleep(draw.random() * 0.3)
    members = family(driver.pid)
    workers = [pid for pid, _ in members if pid != driver.pid]
    victim = draw.choice([driver.pid, draw.choice(workers or [driver.pid])])
    os.kill(victim, signal.SIGKILL)
    driver.communicate(timeout=100)
    assert left(members, 10) == set()
    assert victim == driver.pid or driver.returncode == 0
    done = swept(configuration, "--out", out, "--jobs", 2)
    assert done.returncode == 0, done.stderr
    assert list(out.rglob("*.tmp")) == []


def test_kill_9_loses_nothing(configuration, expected, tmp_path):
    """Of the driver or of a worker, twice: the next run ends with the very same files."""
    for turn in range(2):
        killed_and_resumed(configuration, tmp_path / str(turn), random.Random(turn))
        assert files(tmp_path / str(turn)) == expected


@pytest.mark.soak
def test_kill_9_loses_nothing_at_20_moments(configuration, expected, tmp_path):
    """As above, at 20 other moments."""
    for turn in range(20):
        killed_and_resumed(configuration, tmp_path / str(turn), random.Random(100 + turn))
        assert files(tmp_path / str(turn)) == expected


@pytest.mark.parametrize(
    ("how", "jobs", "code", "words"),
    [
        (signal.SIGTERM, 2, 143, "ended by signal 15"),
        (signal.SIGHUP, 1, 129, "ended by signal 1"),
        (signal.SIGINT, 1, 130, "interrupted"),
        (signal.SIGINT, 2, 130, "interrupted"),
    ],
)
def test_a_signal_ends_a_sweep_in_order(configuration, expected, tmp_path, how, jobs, code, words):
    """One line, no process left, no lock, what is done stays, and the next run ends with the very same files."""
    out = tmp_path / "out"
    # All points are made in a second: on a busy machine the signal would find none to be made.
    driver = started(configuration, "--out", out, "--jobs", jobs, program=WAITING, KEPT=str(POINTS - 1))
    until(1, out, driver)
    members = family(driver.pid)
    if how == signal.SIGINT:
        os.killpg(driver.pid, how)  # as a terminal does: to all of them
    else:
        driver.send_signal(how)
    _, complaint = driver.communicate(timeout=60)
    assert (driver.returncode, complaint.strip()) == (code, f"luckproof: {words}")
    assert left(members, 10) == set()
    assert list((out / "drivers").iterdir()) == []
    kept = files(out)
    assert len(kept) < POINTS
    assert kept.items() <= expected.items()
    done = swept(configuration, "--out", out, "--jobs", 2)
    assert done.stdout == f"40 points: 40 done, 0 failed; {POINTS - len(kept)} computed now\n"
    assert files(out) == expected


def test_the_page_on_sweeps_is_true(tmp_path):
    """Its configurations are read, and its script runs as a program."""
    page = (ROOT / "docs" / "sweeps.md").read_text(encoding="utf-8")
    first, together, training = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "sweep.toml").write_text(first)
    assert read_configuration(tmp_path / "sweep.toml").dimensions == {"m": 2, "theta0": 4, "seed": 3}
    (tmp_path / "sweep.toml").write_text(f'command = "simulate"\n{together}')
    assert read_configuration(tmp_path / "sweep.toml").dimensions == {"zip": 3}
    (tmp_path / "sweep.toml").write_text(training)
    assert read_configuration(tmp_path / "sweep.toml").dimensions == {"lr": 3, "batch_size": 2}
    (script,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "script.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(
        "24 points: 24 done, 0 failed, 0 pending\n<xarray.DataArray 'loss' (m: 2, theta0: 4)>"
    )


def test_a_disk_that_is_full_ends_the_sweep_in_a_line(configuration, tmp_path):
    """Exit code 2; nothing that is cut short passes for done, and with room the sweep goes on."""
    limited = ["bash", "-c", 'ulimit -f 8; exec "$@"', "-", *REAL]
    done = command("sweep", configuration, "--out", tmp_path / "out", "--jobs", 1, program=limited)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "File too large" in line
    assert files(tmp_path / "out") == {}
    rest = swept(configuration, "--out", tmp_path / "out", "--shard", "1/20", "--jobs", 1)
    assert rest.returncode == 0, rest.stderr
