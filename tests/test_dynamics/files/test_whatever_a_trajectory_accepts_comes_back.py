"""No name of an attribute costs a variable, and what a file cannot hold is refused when the run is put together."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from luckproof import Trajectory
from tests.test_dynamics.files.small_runs import small_run

READERS_NAMES = [
    "coordinates", "CLASS", "NAME", "REFERENCE_LIST", "DIMENSION_LIST", "_NCProperties", "_FillValue",
    "_Netcdf4Dimid", "_nc3_strict", "bounds", "grid_mapping", "units", "scale_factor", "luckproof_checksum",
    "a/b", "", " ", ".", "β", "class", "a" * 300, "\x00", "\ud800", "dtype", "W", "loss",
]  # fmt: skip
"""Names of attributes that HDF5, NetCDF or xarray takes for its own, and names that they cannot hold."""


def reread(run: Trajectory, folder: Any) -> Trajectory:
    run.save(folder / "run.nc")
    return Trajectory.load(folder / "run.nc")


def assert_same(one: Trajectory, other: Trajectory) -> None:
    assert one.arrays.keys() == other.arrays.keys()
    for name, array in one.arrays.items():
        assert array.dtype == other.arrays[name].dtype
        assert array.tobytes() == other.arrays[name].tobytes()
    assert one.state.keys() == other.state.keys()
    assert one.attributes == other.attributes
    assert one.dimensions == other.dimensions
    assert one.coordinates.keys() == other.coordinates.keys()
    for name, (axis, values) in one.coordinates.items():
        assert other.coordinates[name][0] == axis
        assert np.array_equal(other.coordinates[name][1], values)
    assert one.problem.keys() == other.problem.keys()
    assert all(np.array_equal(one.problem[name], other.problem[name]) for name in one.problem)


@pytest.mark.parametrize("value", ["W loss", [1, 2], 3], ids=str)
def test_attributes_of_any_name_come_back_with_all_arrays(tmp_path: Any, value: Any) -> None:
    """All of them at once. ``coordinates`` emptied the state; others failed only at ``save``, after the run."""
    run = small_run(attributes={"seed": 3, **dict.fromkeys(READERS_NAMES, value)})
    assert_same(run, reread(run, tmp_path))


def named(place: str, name: str) -> dict[str, Any]:
    """Changes to a run that give ``name`` to something in it."""
    return {
        "state": {"state": {name: np.ones((6, 2))}, "coordinates": {}},
        "observable": {"observables": {name: np.arange(6.0)}},
        "dimension": {"dimensions": {"W": (name, "node")}, "observables": {}},
        "coordinate": {"coordinates": {name: ("node", ["a", "b", "c"])}},
        "problem": {"problem": {name: np.ones((2, 2)), "kind": "toy"}},
        "words": {"problem": {name: "text"}, "time_counts": name or "x", "message": name},
    }[place]


@example(place="observable", name="problem_teacher_W")
@example(place="observable", name="problem_teacher_W_axis0")
@example(place="state", name="W_axis0")
@example(place="state", name="a/b")
@example(place="dimension", name="instance")
@example(place="coordinate", name="coordinates")
@example(place="coordinate", name="a\x85b")  # a blank to those who split names at blanks
@example(place="words", name="\ud800")
@given(
    place=st.sampled_from(["state", "observable", "dimension", "coordinate", "problem", "words"]),
    name=st.text(max_size=12) | st.sampled_from(READERS_NAMES),
)
def test_parts_of_any_name_come_back_or_cannot_be_made(
    tmp_path_factory: pytest.TempPathFactory, place: str, name: str
) -> None:
    """In the state, among the observables, as dimension, as coordinate, in the problem and in its words."""
    run = None
    with contextlib.suppress(ValueError):
        run = small_run(**named(place, name))
    assert run is not None or place != "words"  # words are not names: all of them can be kept
    if run is not None:
        assert_same(run, reread(run, tmp_path_factory.mktemp("names")))


@pytest.mark.parametrize(
    "values",
    [
        np.ones(6, dtype=complex),
        np.ones(6, dtype=np.float16),
        np.ones(6, dtype=np.longdouble),
        np.array(["a"] * 6),
        np.array([None] * 6),
        np.ma.masked_array(np.ones(6), mask=[True] + [False] * 5),
        np.array(["2020-01-01"] * 6, dtype="datetime64[D]"),
        np.zeros(6, dtype=[("a", "f8")]),
    ],
    ids=lambda values: type(values).__name__ + str(values.dtype),
)
@pytest.mark.parametrize("where", ["state", "observables"])
def test_arrays_of_other_kinds_cannot_be_made(where: str, values: Any) -> None:
    """They are refused by name when the run is put together, not when it is saved."""
    with pytest.raises(TypeError, match=r"^x: expected "):
        small_run(**{where: {"x": values}})


@pytest.mark.parametrize(
    "dtype", ["f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", ">f8", ">i4"]
)
def test_arrays_of_these_kinds_come_back(tmp_path: Any, dtype: str) -> None:
    """In this machine's order of bytes; without records and without places too."""
    for shape in [(6,), (6, 0), (6, 1, 2)]:
        run = small_run(observables={"x": np.ones(shape, dtype=dtype)})
        assert_same(run, reread(run, tmp_path))
    run = Trajectory(t=np.zeros(0), state={"x": np.zeros((0, 3), dtype=dtype)}, time_counts="time")
    assert_same(run, reread(run, tmp_path))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"t": [0.0, 1.0, 1.0, 2.0, 3.0, 4.0]}, "^t: expected finite times"),
        ({"t": [0.0, 1.0, np.nan, 2.0, 3.0, 4.0]}, "^t: expected finite times"),
        ({"state": {"a/b": np.ones(6)}, "coordinates": {}}, "^state: expected names without slashes.*'a/b'"),
        ({"observables": {"": np.ones(6)}}, "^observables: expected names"),
        ({"observables": {" x": np.ones(6)}}, "^observables: expected names .*outer blanks"),
        ({"observables": {"x" * 300: np.ones(6)}}, "^observables: expected names up to 200 bytes"),
        ({"dimensions": {"W": ("node", "node")}}, "node"),
        ({"dimensions": {"W": ("instance", "node")}}, "instance"),
        ({"coordinates": {"time": ("node", [1, 2, 3])}}, "time"),
        ({"coordinates": {"input": ("node", [1, 2, 3])}}, "'input' is the name of another dimension"),
        ({"coordinates": {"kind": ("node", ["a", "b\x00c", "d"])}}, "expected texts without NUL"),
        ({"observables": {"problem_teacher_W": np.ones(6)}}, r"^problem: the names \['problem_teacher_W'\]"),
    ],
)
def test_what_a_file_cannot_hold_is_refused_at_once(changes: dict[str, Any], words: str) -> None:
    """By the name of the field."""
    with pytest.raises(ValueError, match=words):
        small_run(**changes)


def test_a_backward_run_is_one(tmp_path: Any) -> None:
    """Control: times may fall."""
    run = small_run(t=np.linspace(1.0, 0.0, 6))
    assert_same(run, reread(run, tmp_path))
