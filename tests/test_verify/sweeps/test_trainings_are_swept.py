"""``command = "train"``: networks at every point, resumed, on any engine, with the same bits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from luckproof import Trajectory, sweep
from nets.products import PRODUCTS
from nets.two_layer.training_options import TwoLayerTraining
from tests.test_verify.sweeps.small_sweeps import files
from verify.sweeps.configuration import from_mapping
from verify.sweeps.estimate import estimate
from verify.sweeps.points import Points, code_version
from verify.sweeps.shards import ALL

TRAINED = {
    "command": "train",
    "base": {"d": 4, "m": 2, "steps": 6, "points": 3, "networks": 2},
    "grid": {"lr": [0.1, 0.2], "batch_size": [4, 8]},
}
"""Four points of two networks."""

DIVERGING = {**TRAINED, "base": {**TRAINED["base"], "flow": "gradient"}, "grid": {"lr": [0.1, 1e8]}}
"""Two points, the second of which diverges."""


@pytest.fixture
def executor():
    with ThreadPoolExecutor(1) as one:
        yield one


def test_points_are_single_trainings_and_are_resumed(tmp_path, executor):
    """The bits of ``train`` with the same options; a damaged and a deleted file are computed again, the same."""
    found = sweep(TRAINED, tmp_path, executor=executor)
    assert found.status().complete
    before = files(tmp_path)
    for path in tmp_path.glob("points/*/*.nc"):
        run = Trajectory.load(path)
        options = {
            name: run.attributes["training"][name] for name in ("lr", "batch_size", "steps", "networks")
        }
        training = TwoLayerTraining(d=4, m=2, points=3, **options)
        again = training.run(training.build())
        assert all(np.array_equal(array, again.arrays[name]) for name, array in run.arrays.items())
    deleted, damaged, *_ = sorted(tmp_path.glob("points/*/*.nc"))
    deleted.unlink()
    damaged.write_bytes(damaged.read_bytes()[:-3])
    tallies = []
    sweep(TRAINED, tmp_path, executor=executor, progress=tallies.append)
    assert (tallies[-1].computed, tallies[-1].damaged) == (2, 1)
    assert files(tmp_path) == before


def test_number_formats_of_products_are_an_axis(tmp_path, executor):
    """From the same starts; every format its own numbers."""
    found = sweep({**TRAINED, "grid": {"products": list(PRODUCTS)}}, tmp_path, executor=executor)
    losses = found.collect()["loss"]
    assert list(losses["products"].values) == list(PRODUCTS)
    own, *others = (losses.sel(products=word).values for word in PRODUCTS)
    assert all(not np.array_equal(other, own) for other in others)
    np.testing.assert_allclose(others, np.broadcast_to(own, (2, *own.shape)), rtol=1e-4)


def test_processes_make_the_same_files(tmp_path, executor):
    """Two fresh processes, and this one."""
    sweep(TRAINED, tmp_path / "here", executor=executor)
    sweep(TRAINED, tmp_path / "there", jobs=2)
    assert files(tmp_path / "here") == files(tmp_path / "there")


def test_results_are_collected_along_the_axes(tmp_path, executor):
    """Learning rate and batch are coordinates; the networks stand on their own axis."""
    data = sweep(TRAINED, tmp_path, executor=executor).collect()
    assert data["lr"].values.tolist() == [0.1, 0.2]
    assert data["loss"].dims[:2] == ("lr", "batch_size")
    assert data["loss"].sizes["instance"] == 2
    assert np.isfinite(data["loss"]).all()


def test_diverged_trainings_are_kept_as_failures(tmp_path, executor):
    """With the status and the reason of the training."""
    found = sweep(DIVERGING, tmp_path, executor=executor).status()
    assert (found.done, found.failed) == (1, {"diverged": 1})
    assert "lower lr" in found.failures[0]["reason"]


def test_points_of_both_commands_never_share_a_file():
    """The version of a training covers the networks' source, and the command is part of the key."""
    assert code_version("train") != code_version("simulate")
    base = {"base": {"d": 4, "m": 2}, "grid": {"seed": [0]}}
    keys = {
        Points(from_mapping({"command": command, **base}), "one code")[0].key
        for command in ("simulate", "train")
    }
    assert len(keys) == 2


def test_a_sweep_of_trainings_is_estimated():
    """A few points are run, and nothing fails."""
    found = estimate(from_mapping(TRAINED), None, ALL, jobs=1)
    assert (found.points, found.pending, len(found.timed)) == (4, 4, 3)
    assert all(result.status == "done" for result in found.timed)
    assert found.seconds < 10
