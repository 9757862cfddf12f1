"""What is done is not done again, what is damaged is; failures stay until they are tried again."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from luckproof import Sweep, Trajectory, sweep
from tests.test_verify.sweeps.small_sweeps import REFUSED, SMALL, STARVED, files
from verify.sweeps import drivers, points
from verify.sweeps.errors import BusyFolderError, EngineError
from verify.sweeps.shards import Shard
from verify.sweeps.store import Store
from verify.sweeps.work import Task, compute


class Counting(ThreadPoolExecutor):
    """One thread that counts the points handed to it."""

    def __init__(self):
        super().__init__(1)
        self.count = 0

    def submit(self, function, /, *arguments):
        self.count += 1
        return super().submit(function, *arguments)


@pytest.fixture
def executor():
    with Counting() as one:
        yield one


def test_every_point_is_a_run_with_its_options(tmp_path, executor):
    """A trajectory under the point's key, with options, versions and the code's version in it."""
    found = sweep(SMALL, tmp_path, executor=executor)
    assert len(found) == executor.count == 6
    runs = [Trajectory.load(path) for path in tmp_path.glob("points/*/*.nc")]
    chosen = {(run.attributes["simulation"]["m"], run.attributes["simulation"]["seed"]) for run in runs}
    assert chosen == {(m, seed) for m in (1, 2) for seed in (0, 1, 2)}
    assert all(run.success and run.attributes["code"] == points.code_version("simulate") for run in runs)
    assert found.status().complete


def test_files_are_those_of_a_single_run(tmp_path, executor):
    """A point's numbers are those of ``simulate`` with the same options, bit for bit."""
    from verify.sweeps.commands import run_options_of

    sweep(SMALL, tmp_path, executor=executor)
    path = next(iter(sorted(tmp_path.glob("points/*/*.nc"))))
    run = Trajectory.load(path)
    options = {name: value for name, value in run.attributes["simulation"].items() if value is not None}
    simulation = run_options_of("simulate", options)
    again = simulation.run(simulation.build())
    assert all(np.array_equal(array, again.arrays[name]) for name, array in run.arrays.items())


def test_only_what_is_missing_or_damaged_is_computed(tmp_path, executor):
    """A deleted file, a flipped bit and a file cut short: three points, and the folder is as it was."""
    sweep(SMALL, tmp_path, executor=executor)
    before = files(tmp_path)
    executor.count = 0
    sweep(SMALL, tmp_path, executor=executor)
    assert executor.count == 0
    deleted, flipped, cut, *_ = sorted(tmp_path.glob("points/*/*.nc"))
    deleted.unlink()
    content = bytearray(flipped.read_bytes())
    content[len(content) // 2] ^= 1
    flipped.write_bytes(content)
    cut.write_bytes(cut.read_bytes()[:-10])
    status = Sweep(tmp_path).status()
    assert (status.done, status.damaged, status.pending) == (3, 2, 3)
    sweep(SMALL, tmp_path, executor=executor)
    assert executor.count == 3
    assert files(tmp_path) == before


def test_a_larger_grid_keeps_what_is_done(tmp_path, executor):
    """Points are known by their options, not by their number."""
    sweep(SMALL, tmp_path, executor=executor)
    executor.count = 0
    larger = {**SMALL, "grid": {"seed": "0:4", "m": [1, 2]}}
    assert sweep(larger, tmp_path, executor=executor).status().done == 8
    assert executor.count == 2


def test_a_failure_that_is_over_leaves_no_trace(tmp_path, executor):
    """A point that failed for want of memory, say, is done when it is tried again: its record goes."""
    sweep(SMALL, tmp_path, executor=executor)
    (path, *_), store = sorted(tmp_path.glob("points/*/*.nc")), Store(tmp_path)
    path.unlink()
    store.fail(path.stem, {"status": "memory", "reason": "too large", "details": "", "options": {}})
    assert Sweep(tmp_path).status().failed == {"memory": 1}
    Sweep(tmp_path).retry(executor=executor)
    assert Sweep(tmp_path).status().complete
    assert store.failure(path.stem) is None


@pytest.mark.parametrize(("given", "status"), [(STARVED, "step_limit"), (REFUSED, "refused")])
def test_failures_are_kept_with_their_reason_until_tried_again(tmp_path, executor, given, status):
    """One point fails, the other is done; the next run leaves it alone, a retry does not."""
    found = sweep(given, tmp_path, executor=executor).status()
    assert (found.done, found.failed, found.pending) == (1, {status: 1}, 0)
    (record,) = found.failures
    assert record["reason"]
    assert record["options"]["d"] == 4
    assert f": {status}: {record['reason']}" in str(found)
    executor.count = 0
    sweep(given, tmp_path, executor=executor)
    assert executor.count == 0
    assert Sweep(tmp_path).retry(executor=executor).status().failed == {status: 1}
    assert executor.count == 1


def test_retry_and_other_code_do_not_mix(tmp_path, executor, monkeypatch):
    """A folder of another version is refused by retry; the configuration fills it anew."""
    sweep(SMALL, tmp_path, executor=executor)
    for module in ("driver", "sweep", "work"):
        monkeypatch.setattr(f"verify.sweeps.{module}.code_version", lambda command: "next")
    with pytest.raises(ValueError, match=r"was filled by version .* of the code, and this is next"):
        Sweep(tmp_path).retry(executor=executor)
    executor.count = 0
    assert sweep(SMALL, tmp_path, executor=executor).code == "next"
    assert executor.count == 6


def test_a_worker_of_other_code_computes_nothing():
    """It may be an older checkout on another machine: the point is refused, naming both versions."""
    given = {**SMALL["base"], "m": 2}
    result = compute(Task("0" * 24, given, "1.2.3+other"))
    assert (result.status, result.content) == ("refused", None)
    assert "1.2.3+other" in result.reason
    assert points.code_version("simulate") in result.reason
    assert compute(Task("0" * 24, given, points.code_version("simulate"))).status == "done"


def test_shards_have_every_point_once(tmp_path, executor):
    """Three of three make the whole; in between the rest is pending."""
    for number in (1, 2, 3):
        found = sweep(SMALL, tmp_path, executor=executor, shard=f"{number}/3").status()
        assert found.done == 2 * number
    assert executor.count == 6
    for text in ("0/3", "4/3", "1", "a/b", "1/0", "-1/3"):
        with pytest.raises(ValueError, match=r"shard: expected i/n with i from 1 to n, such as 1/4, got"):
            sweep(SMALL, tmp_path, executor=executor, shard=text)


def test_a_second_driver_is_refused_while_one_is_at_work(tmp_path):
    """By process and machine; another shard of the same division is not, and a driver that is gone is no obstacle."""
    store = Store(tmp_path)
    with drivers.at_work(store, Shard(1, 2)):
        who = f"process {os.getpid()} on {socket.gethostname()}, shard 1/2 is at work"
        for shard in (Shard(1, 2), Shard(1, 1), Shard(2, 3)):
            with pytest.raises(BusyFolderError, match=who), drivers.at_work(store, shard):
                pass
        with drivers.at_work(store, Shard(2, 2)):
            assert [driver.shard for driver in drivers.drivers_at_work(store)] == [Shard(1, 2), Shard(2, 2)]
    assert drivers.drivers_at_work(store) == []
    assert list(store.drivers.iterdir()) == []
    left = store.drivers / "1-of-1.json"
    left.write_text(json.dumps({"pid": 1, "host": socket.gethostname(), "shard": "1/1", "started": 0}))
    with drivers.at_work(store, Shard(1, 1)):
        assert drivers.drivers_at_work(store)[0].pid == os.getpid()


def test_whoever_looks_at_a_lock_does_not_hold_it(tmp_path, monkeypatch):
    """Shards that start together look at each other's files, left by a kill: none is refused for that."""
    store = Store(tmp_path)
    store.drivers.mkdir()
    left = store.drivers / "1-of-2.json"
    left.write_text(json.dumps({"pid": 1, "host": socket.gethostname(), "shard": "1/2", "started": 0}))
    with left.open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        assert drivers.drivers_at_work(store) == []  # one who looks is not taken for a driver by another
        monkeypatch.setattr(drivers, "PATIENCE", 0.0)
        with pytest.raises(BusyFolderError), drivers.at_work(store, Shard(1, 2)):
            pass  # control: the look is in the way as long as it lasts
        monkeypatch.setattr(drivers, "PATIENCE", 60.0)
        threading.Timer(0.05, fcntl.flock, (looking, fcntl.LOCK_UN)).start()
        with drivers.at_work(store, Shard(1, 2)):
            assert [driver.pid for driver in drivers.drivers_at_work(store)] == [os.getpid()]


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo, lambda path: os.symlink(os.path.basename(path), path)])
def test_what_is_no_file_in_a_points_place_is_refused_before_any_run(tmp_path, executor, make):
    """A folder, a pipe (which was waited for without end) and a circle of links; collecting refuses them too."""
    swept = sweep(SMALL, tmp_path, executor=executor)
    first, second = sorted(tmp_path.glob("points/*/*.nc"))[:2]
    first.unlink()
    second.unlink()
    make(str(first))
    for attempt in (lambda: sweep(SMALL, tmp_path, executor=executor), swept.collect):
        with pytest.raises(ValueError, match=rf"--out: .*{first.name}.* (folder|pipe|circle of links)"):
            attempt()
    assert executor.count == 6
    assert not second.exists()


def test_drivers_of_other_machines_count_as_long_as_they_show_life(tmp_path):
    """Where their locks cannot be seen: two minutes after the last touch they are gone."""
    store = Store(tmp_path)
    store.drivers.mkdir()
    path = store.drivers / "1-of-1.json"
    path.write_text('{"pid": 7, "host": "elsewhere", "shard": "1/1", "started": 0}')
    with (
        pytest.raises(BusyFolderError, match="process 7 on elsewhere is at work"),
        drivers.at_work(store, Shard()),
    ):
        pass
    os.utime(path, (0, 0))
    with drivers.at_work(store, Shard()):
        pass


def test_a_lost_point_is_tried_twice(tmp_path):
    """An engine that loses a point once costs nothing; one that loses it again leaves a failure."""

    class Losing(Counting):
        def __init__(self, times):
            super().__init__()
            self.left = times

        def submit(self, function, /, *arguments):
            self.count += 1
            self.left -= 1
            return ThreadPoolExecutor.submit(self, function if self.left < 0 else lose, *arguments)

    def lose(task):
        raise OSError("its machine is gone")

    with Losing(1) as once:
        assert sweep(SMALL, tmp_path / "a", executor=once).status().complete
        assert once.count == 7
    with Losing(12) as always:
        found = sweep(SMALL, tmp_path / "b", executor=always).status()
        assert found.failed == {"lost": 6}
        assert found.failures[0]["reason"] == "the engine lost it (OSError: its machine is gone)"
        assert Sweep(tmp_path / "b").retry(executor=always).status().complete


def test_an_executor_that_is_gone_ends_the_sweep_and_keeps_what_is_done(tmp_path, executor):
    """The error says so, and the next run goes on."""
    tallies = []

    def watch(tally):
        tallies.append(tally.done)
        if tally.done == 2:
            executor.shutdown(wait=False)

    with pytest.raises(EngineError, match="the executor takes no more points"):
        sweep(SMALL, tmp_path, executor=executor, progress=watch)
    assert Sweep(tmp_path).status().done >= 2
    with Counting() as another:
        assert sweep(SMALL, tmp_path, executor=another).status().complete
        assert another.count <= 4


def test_an_interrupted_sweep_goes_on(tmp_path, executor):
    """An interrupt in the middle leaves finished points, no lock and the same files in the end."""

    def stop(tally):
        if tally.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(SMALL, tmp_path / "a", executor=executor, progress=stop)
    status = Sweep(tmp_path / "a").status()
    assert (status.done, status.drivers) == (2, [])
    sweep(SMALL, tmp_path / "a", executor=executor)
    sweep(SMALL, tmp_path / "b", executor=executor)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert threading.active_count() < 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"jobs": 0}, "jobs: expected a positive integer, got 0"),
        ({"jobs": 2**32}, "jobs: 4294967296 processes take .* GiB are available"),
        ({"jobs": 2, "scheduler": "tcp://x:1"}, "scheduler: expected one of jobs, executor and scheduler"),
    ],
)
def test_engines_that_are_none_are_refused(tmp_path, arguments, message):
    """Before anything runs."""
    with pytest.raises(ValueError, match=message):
        sweep(SMALL, tmp_path, **arguments)


def test_folders_that_hold_no_sweep_are_refused(tmp_path):
    """An empty folder, a damaged manifest, a file in its place."""
    with pytest.raises(
        ValueError, match=r"out: expected the folder of a sweep, got .*, which has no manifest.json"
    ):
        Sweep(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(ValueError, match=r"manifest.json' is damaged: its checksum is gone"):
        Sweep(tmp_path)
    with pytest.raises(ValueError, match="out: expected a folder, got the file"):
        sweep(SMALL, tmp_path / "manifest.json")
    assert Path(tmp_path / "manifest.json").read_text() == "{}"
