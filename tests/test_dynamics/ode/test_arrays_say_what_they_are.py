"""Data sets and files tell each quantity in words and its unit, so that pictures by xarray have right axes."""

from __future__ import annotations

import numpy as np
import pytest

from dynamics.ode.results.meanings import MEANINGS, attributes_of, label_of
from luckproof import ProjectedFlow, TeacherStudent, Trajectory, TwoLayerFlow, integrate, teachers


@pytest.fixture(scope="module")
def run() -> Trajectory:
    problem = TeacherStudent.near_teacher(teachers.orthonormal(4, 2, 0), np.eye(2), 3, 0)
    return integrate(TwoLayerFlow(problem), (0.0, 1.0), t_eval=[0.0, 1.0])


def test_every_variable_of_a_run_is_told(run: Trajectory) -> None:
    """States, observables and the problem's arrays; angles are in radians, everything else is a plain number."""
    data = run.to_xarray()
    for name, variable in data.data_vars.items():
        assert variable.attrs["long_name"], name
        assert variable.attrs["units"] == ("rad" if name == "angle" else "1"), name
    assert data["time"].attrs["long_name"] == run.time_counts


def test_names_and_units_come_back_from_a_file(run: Trajectory, tmp_path) -> None:
    """And the trajectory read again is the one that was written."""
    import xarray as xr

    run.save(tmp_path / "run.nc")
    data = xr.load_dataset(tmp_path / "run.nc", engine="h5netcdf")
    assert data["angle"].attrs["units"] == "rad"
    assert data["loss"].attrs["long_name"] == "population loss"
    again = Trajectory.load(tmp_path / "run.nc")
    assert again.state.keys() == run.state.keys()
    assert np.array_equal(again.observables["angle"], run.observables["angle"])


def test_a_quantity_of_ones_own_keeps_its_name() -> None:
    """Nothing is told about what is not known; the loss of deep networks is that on their samples."""
    assert attributes_of("mine") == {}
    assert label_of("mine") == "mine"
    assert label_of("loss", ["rho_bar"]) == "loss on the evaluation samples"


def test_labels_tell_units_that_are_not_one() -> None:
    """As they stand at an axis."""
    assert MEANINGS["angle"].label == "angle of each student to its teacher (radians)"
    assert MEANINGS["loss"].label == "population loss"


def test_observables_of_flows_are_all_known() -> None:
    """Of the projected flow as well."""
    problem = TeacherStudent.at_angle(teachers.orthonormal(4, 2, 0), 0.3, 0)
    assert set(integrate(ProjectedFlow(problem), (0.0, 1.0)).arrays) <= set(MEANINGS)
