"""Sweeps on a real Dask scheduler with two workers on loopback: the same bits, whoever dies."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from luckproof import sweep
from tests.e2e.commands import REAL, command
from tests.e2e.dask_cluster import Cluster
from tests.e2e.test_command_loses_nothing import records
from tests.e2e.test_command_sweeps import started, until
from tests.test_verify.sweeps.small_sweeps import files

CONFIGURATION = """
command = "simulate"
[base]
d = 5
t_end = 20
points = 11
[grid]
m = [2, 4]
seed = "0:30"
"""


@pytest.fixture(scope="module")
def configuration(tmp_path_factory):
    path = tmp_path_factory.mktemp("sweep") / "c.toml"
    path.write_text(CONFIGURATION)
    return path


@pytest.fixture(scope="module")
def expected(configuration, tmp_path_factory):
    """The files of a sweep in this process."""
    out = tmp_path_factory.mktemp("reference")
    with ThreadPoolExecutor(1) as executor:
        sweep(configuration, out, executor=executor)
    return files(out)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """The cluster, ended for certain."""
    # Workers know the toy statements, as the driver does.
    made = Cluster(tmp_path_factory.mktemp("cluster"), preload="tests.e2e.toy_command")
    yield made
    made.end()


@pytest.mark.soak
def test_verdicts_are_those_of_this_machine(cluster, tmp_path):
    """``verify --scheduler`` on the toy statements: the records of local processes, but for the seconds."""
    words = ["verify", "--device", "cpu"]
    here = command(*words, "--jobs", 2, "--json", tmp_path / "here.json")
    there = command(*words, "--scheduler", cluster.address, "--json", tmp_path / "there.json")
    assert (there.returncode, there.stderr) == (here.returncode, here.stderr) == (0, "")
    assert records(tmp_path / "there.json") == records(tmp_path / "here.json")


@pytest.mark.soak
def test_two_workers_make_the_same_files_and_one_may_die(configuration, expected, cluster, tmp_path):
    """First both; then one is killed in the middle, and the other ends the sweep without a failure."""
    out = tmp_path / "out"
    done = command("sweep", configuration, "--out", out, "--scheduler", cluster.address, program=REAL)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "60 points: 60 done, 0 failed; 60 computed now\n"
    assert files(out) == expected
    driver = started(configuration, "--out", tmp_path / "again", "--scheduler", cluster.address)
    until(5, tmp_path / "again", driver)
    os.kill(cluster.workers[0].pid, signal.SIGKILL)
    told, complaint = driver.communicate(timeout=100)
    assert (driver.returncode, complaint) == (0, ""), complaint
    assert told == "60 points: 60 done, 0 failed; 60 computed now\n"
    assert files(tmp_path / "again") == expected


@pytest.mark.soak
def test_trainings_on_dask_make_the_files_of_this_machine(cluster, tmp_path):
    """Networks are trained on the workers, one thread each: the same bits."""
    (tmp_path / "c.toml").write_text(
        'command = "train"\n[base]\nm = 2\nd = 4\nsteps = 20\npoints = 3\n[grid]\nlr = [0.1, 0.2]\nseed = "0:4"\n'
    )
    with ThreadPoolExecutor(1) as executor:
        sweep(tmp_path / "c.toml", tmp_path / "here", executor=executor)
    words = (tmp_path / "c.toml", "--out", tmp_path / "there", "--scheduler", cluster.address)
    done = command("sweep", *words, program=REAL)
    assert (done.returncode, done.stderr) == (0, "")
    assert files(tmp_path / "there") == files(tmp_path / "here")


@pytest.mark.soak
def test_a_driver_or_scheduler_that_dies_loses_nothing(configuration, expected, cluster, tmp_path):
    """The driver is killed and run again; then the scheduler, which ends the driver in a line; others go on."""
    out = tmp_path / "out"
    driver = started(configuration, "--out", out, "--scheduler", cluster.address)
    until(5, out, driver)
    driver.kill()
    driver.communicate()
    kept = files(out)
    assert kept.items() <= expected.items()
    driver = started(configuration, "--out", out, "--scheduler", cluster.address)
    until(len(kept) + 5, out, driver)
    cluster.processes[0].kill()
    _, complaint = driver.communicate(timeout=100)
    assert driver.returncode == 4, complaint
    assert complaint.splitlines()[-1].startswith("luckproof: ")
    assert "what is finished is kept, the same line goes on" in complaint.splitlines()[-1]
    rest = command("sweep", configuration, "--out", out, "--jobs", 1, program=REAL)
    assert rest.returncode == 0, rest.stderr
    assert files(out) == expected


def test_a_scheduler_that_is_not_there_is_bad_input(configuration, tmp_path, monkeypatch, capsys):
    """One line, exit code 2, and no point is marked."""
    from dynamics.workers import dask_workers
    from verify.command.main import run

    monkeypatch.setattr(dask_workers, "PATIENCE", "1s")
    for address in ("tcp://127.0.0.1:9", "nonsense", "foo://x:1"):
        assert run(["sweep", str(configuration), "--out", str(tmp_path / "out"), "--scheduler", address]) == 2
        complaint = capsys.readouterr().err
        assert (
            f"luckproof: --scheduler: no Dask scheduler answers at {address!r}" in complaint.splitlines()[-1]
        )
        assert "Traceback" not in complaint
    assert files(tmp_path / "out") == {}
