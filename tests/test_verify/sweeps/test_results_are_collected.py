"""One data set of all points: axes as coordinates, gaps as NaN; in memory, lazily and as a file the same."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xarray as xr

from dynamics.files import netcdf
from luckproof import DamagedFileError, Sweep, Trajectory, sweep
from tests.test_verify.sweeps.small_sweeps import SMALL, STARVED
from verify.sweeps import collected_file


@pytest.fixture
def executor():
    with ThreadPoolExecutor(1) as one:
        yield one


def run_at(folder, **options):
    """The run of the point with these options."""
    runs = [Trajectory.load(path) for path in folder.glob("points/*/*.nc")]
    (found,) = [r for r in runs if all(r.attributes["simulation"][k] == v for k, v in options.items())]
    return found


def test_axes_are_coordinates_and_numbers_are_the_runs(tmp_path, executor):
    """Every point's arrays stand where its coordinates say; what only larger points have is NaN."""
    data = sweep(SMALL, tmp_path, executor=executor).collect()
    assert data["loss"].dims == ("m", "seed", "time")
    assert data["m"].values.tolist() == [1, 2]
    assert data["seed"].values.tolist() == [0, 1, 2]
    assert data["time"].values.tolist() == [0.0, 0.5, 1.0]
    assert (data["status"] == "done").all()
    for m in (1, 2):
        run, part = run_at(tmp_path, m=m, seed=2), data.sel(m=m, seed=2)
        assert np.array_equal(part["loss"], run.observables["loss"])
        assert np.array_equal(part["W"].values[..., :m], run.state["W"])
        assert np.isnan(part["W"].values[..., m:]).all()
        assert part["nfev"] == run.nfev


def test_lazy_memory_and_file_are_the_same(tmp_path, executor):
    """Dask's arrays, NumPy's and what a file gives back, whose checksum is right."""
    found = sweep(SMALL, tmp_path / "s", executor=executor)
    whole = found.collect(tmp_path / "all.nc", lazy=False)
    lazy = found.collect(lazy=True)
    assert lazy["loss"].chunks is not None
    xr.testing.assert_identical(lazy.compute(), whole)
    xr.testing.assert_identical(lazy["W"][1, ::2, -1, 1].compute(), whole["W"][1, ::2, -1, 1])
    read, sealed = netcdf.read_and_tell(tmp_path / "all.nc")
    assert sealed
    xr.testing.assert_identical(read, whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.nc", "s"]


def test_output_times_that_differ_are_a_variable(tmp_path, executor):
    """Along ``record``, filled up with NaN."""
    given = {**SMALL, "grid": {"t_end": [1.0, 2.0]}, "base": {"d": 3, "m": 2, "points": 3}}
    data = sweep(given, tmp_path, executor=executor).collect()
    assert data["time"].dims == ("t_end", "record")
    assert data["time"].values.tolist() == [[0.0, 0.5, 1.0], [0.0, 1.0, 2.0]]
    assert data["loss"].dims == ("t_end", "record")


def test_a_run_that_ends_early_has_no_value_later(tmp_path, executor):
    """Times that begin alike and end differently are a variable too: no run is labelled with times it did not see."""
    given = {"command": "simulate", "base": {"d": 3, "m": 2}, "zip": {"t_end": [1.0, 2.0], "points": [2, 3]}}
    data = sweep(given, tmp_path, executor=executor).collect()
    assert data["time"].dims[-1] == "record"
    np.testing.assert_array_equal(data["time"].values, [[0.0, 1.0, np.nan], [0.0, 1.0, 2.0]])
    assert np.isnan(data["loss"].values[0, 2]).all()


def test_ensembles_and_names_that_clash_keep_their_meaning(tmp_path, executor):
    """The axis ``teacher`` is the option, the arrays have ``run_teacher``; one run is an ensemble of one."""
    base = {**SMALL["base"], "m": 2}
    given = {**SMALL, "base": base, "grid": {"teacher": ["orthonormal", "random"], "instances": [1, 2]}}
    data = sweep(given, tmp_path, executor=executor).collect()
    assert data["teacher"].values.tolist() == ["orthonormal", "random"]
    assert data["angle"].dims == ("teacher", "instances", "time", "instance", "run_teacher")
    assert np.isnan(data["loss"].sel(instances=1).values[..., 1]).all()
    assert np.isfinite(data["loss"].sel(instances=1).values[..., 0]).all()


def test_deep_runs_are_collected_with_their_labels(tmp_path, executor):
    """Coordinates of the arrays stay; widths become texts, and zipped axes share a dimension."""
    base = {"flow": "deep", "samples": 20, "t_end": 0.1, "points": 2}
    given = {"command": "simulate", "base": base, "zip": {"widths": ["4-3-2", "4-2-3-2"], "seed": [0, 1]}}
    found = sweep(given, tmp_path / "s", executor=executor)
    data = found.collect(tmp_path / "all.nc")
    assert data["widths"].dims == data["seed"].dims == ("zip",)
    assert data["widths"].values.tolist() == ["4-3-2", "4-2-3-2"]
    assert np.isfinite(data["loss"].values).all()
    assert data["W0"].dims == ("zip", "time", "input", "node_1")
    assert data["W1"].dims == ("zip", "time", "node_1", "W1_axis2")
    xr.testing.assert_identical(netcdf.read(tmp_path / "all.nc"), data)


def test_points_that_are_not_done_are_nan_and_say_why(tmp_path, executor):
    """A failed one has its status; one that was never computed is pending."""
    data = sweep(STARVED, tmp_path / "a", executor=executor).collect()
    assert data["status"].values.tolist() == ["step_limit", "done"]
    assert np.isnan(data["loss"].values[0]).all()
    half = sweep(SMALL, tmp_path / "b", executor=executor, shard="1/2").collect()
    assert np.ravel(half["status"]).tolist() == ["done", "pending"] * 3


def test_damage_and_files_in_each_others_place_are_refused(tmp_path, executor):
    """By the path, and nothing is written."""
    found = sweep(SMALL, tmp_path / "s", executor=executor)
    one, other, *_ = sorted((tmp_path / "s").glob("points/*/*.nc"))
    kept = one.read_bytes()
    one.write_bytes(kept[:1000] + bytes(10) + kept[1010:])
    with pytest.raises(
        DamagedFileError, match=f"{one.name}' is damaged: its content does not fit its checksum"
    ):
        found.collect(tmp_path / "all.nc")
    one.write_bytes(other.read_bytes())
    with pytest.raises(DamagedFileError, match=f"{one.name}' holds another point than its name says"):
        found.collect(tmp_path / "all.nc")
    assert not (tmp_path / "all.nc").exists()


def test_nothing_done_and_no_room_are_refused(tmp_path, executor, monkeypatch):
    """With an older file at the path as it was."""
    (tmp_path / "all.nc").write_text("older")
    found = sweep(SMALL, tmp_path / "s", executor=executor)

    def no_room(descriptor, start, size):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(collected_file.os, "posix_fallocate", no_room)
        with pytest.raises(OSError, match=r"No space left on device: .* GB are needed; nothing was written"):
            found.collect(tmp_path / "all.nc")
    assert (tmp_path / "all.nc").read_text() == "older"
    for path in (tmp_path / "s").glob("points/*/*.nc"):
        path.unlink()
    with pytest.raises(ValueError, match="out: expected a sweep with a finished point"):
        Sweep(tmp_path / "s").collect()


def test_memory_decides_whether_arrays_are_lazy(tmp_path, executor, monkeypatch):
    """By default those beyond a quarter of the available memory stay in their files."""
    found = sweep(SMALL, tmp_path, executor=executor)
    assert found.collect()["loss"].chunks is None
    monkeypatch.setattr("verify.sweeps.collection.available_memory", lambda: 1000)
    assert found.collect()["loss"].chunks is not None
