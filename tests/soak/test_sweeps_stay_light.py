"""A sweep costs little beside its runs, and its driver's memory does not grow with it."""

from __future__ import annotations

import resource
import tracemalloc

import pytest

from dynamics.two_layer.simulation import TwoLayerSimulation
from luckproof import sweep
from verify.sweeps.configuration import from_mapping
from verify.sweeps.driver import drive
from verify.sweeps.shards import ALL
from verify.sweeps.store import Store
from verify.sweeps.work import DONE, Result

pytestmark = pytest.mark.soak

BASE = {"d": 4, "m": 2, "t_end": 5.0, "points": 11}
POINTS = 1000


def instant(tasks):
    """An engine that has done everything already."""
    for number in range(len(tasks)):
        yield number, Result(tasks[number].key, DONE, seconds=1e-3)


def peak(points, folder):
    """Bytes that a driver of so many points holds at most."""
    folder.mkdir()
    configuration = from_mapping(
        {"command": "simulate", "grid": {"seed": f"0:{points // 100}", "d": "10:110"}}
    )
    tracemalloc.start()
    tally = drive(Store(folder), configuration, instant, ALL, workers_write=True)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert tally.done == points
    return found


def test_the_drivers_memory_is_flat(tmp_path):
    """At 10⁵ points within 4 MiB of that at 10³: some bytes a point for its number."""
    peak(100, tmp_path / "warm")
    assert peak(100_000, tmp_path / "many") < peak(1000, tmp_path / "few") + 4 * 2**20


def processor_seconds():
    """Of this process and of those that it has ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def loss_at_the_end(seed):
    """One run, as anybody would write it for joblib."""
    simulation = TwoLayerSimulation(seed=seed, **BASE)
    return simulation.run(simulation.build()).observables["loss"][-1]


def test_a_point_costs_20_ms_beyond_its_run(tmp_path):
    """Processor time of 1,000 small simulations, beside joblib's, which keeps one number of each and no file."""
    joblib = pytest.importorskip("joblib")
    from joblib.externals.loky import get_reusable_executor

    sweep({"command": "simulate", "base": BASE}, tmp_path / "warm", jobs=1)
    before = processor_seconds()
    joblib.Parallel(n_jobs=2)(joblib.delayed(loss_at_the_end)(seed) for seed in range(POINTS))
    get_reusable_executor().shutdown(wait=True)
    between = processor_seconds()
    found = sweep(
        {"command": "simulate", "base": BASE, "grid": {"seed": f"0:{POINTS}"}}, tmp_path / "all", jobs=2
    )
    after = processor_seconds()
    assert found.status().complete
    overhead = ((after - between) - (between - before)) / POINTS
    print(f"joblib {(between - before) / POINTS:.4f} s a point, sweep {(after - between) / POINTS:.4f} s")
    assert overhead < 0.020
