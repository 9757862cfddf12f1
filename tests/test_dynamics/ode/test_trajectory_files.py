"""A trajectory read back from its file is the one that was written; a failed write leaves no trace."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import example, given
from hypothesis import strategies as st

from luckproof import LotkaVolterraFlow, Status, Trajectory, UncheckedFileWarning, integrate

T = 5
DIMENSIONS = {"W": ("input", "node"), "V": ("node", "output"), "sin_theta": ("node",), "loss": ()}


def trajectory(ensemble: tuple[int, ...] = (2, 3), dtype: Any = np.float64, **changes: Any) -> Trajectory:
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> Any:
        return (1e3 * rng.normal(size=(T, *ensemble, *shape))).astype(dtype)

    fields: dict[str, Any] = {
        "t": np.linspace(0.0, 1.0, T) / 3,
        "state": {"W": draw(4, 3), "V": draw(3, 2)},
        "observables": {"sin_theta": draw(3), "loss": draw()},
        "time_counts": "steps × lr",
        "nfev": 17,
        "n_steps": 4,
        "status": Status.CONVERGED,
        "message": "converged at t = 0.1: θ ≤ 1e-12",
        "dimensions": DIMENSIONS,
        "coordinates": {"node": ("node", [1, 2, 3]), "kind": ("node", ["u", "u", "r"])},
        "problem": {
            "teacher_W": np.arange(6.0).reshape(2, 3) / 7,
            "scale": np.array(2.0),
            "kind": "toy",
            "seed": 3,
        },
        "attributes": {"seed": 3, "lr": 0.1, "note": "β ≡ 1", "configuration": {"m": [1, 2], "std": 0.3}},
        "events": {"converged": (1 / 3,)},
    }
    return Trajectory(**{**fields, **changes})


def same(one: Trajectory, other: Trajectory) -> bool:
    """Equality bit for bit, of types too."""
    arrays = one.arrays.keys() == other.arrays.keys() and all(
        a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        for a, b in ((one.arrays[name], other.arrays[name]) for name in one.arrays)
    )
    plain = ("nfev", "n_steps", "status", "message", "dimensions", "attributes", "events", "success")
    plain = (*plain, "time_counts", "coordinates")
    return (
        arrays
        and same_problem(one.problem, other.problem)
        and one.state.keys() == other.state.keys()
        and one.t.tobytes() == other.t.tobytes()
        and all(repr(getattr(one, name)) == repr(getattr(other, name)) for name in plain)
    )


def same_problem(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Equality bit for bit of what two runs ran on."""

    def bits(part: Any) -> Any:
        return (part.dtype, part.shape, part.tobytes()) if isinstance(part, np.ndarray) else repr(part)

    return {name: bits(part) for name, part in one.items()} == {
        name: bits(part) for name, part in other.items()
    }


def reread(one: Trajectory, folder: Path) -> Trajectory:
    one.save(folder / "run.nc")
    return Trajectory.load(folder / "run.nc")


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int32])
@pytest.mark.parametrize("ensemble", [(), (1,), (6,), (2, 3), (2, 1, 3)])
def test_round_trip(tmp_path: Path, ensemble: tuple[int, ...], dtype: Any) -> None:
    """Save and load is the identity, for any number of ensemble axes and any dtype."""
    one = trajectory(ensemble, dtype)
    assert same(one, reread(one, tmp_path))


@pytest.mark.parametrize(
    "field",
    [
        "nfev",
        "n_steps",
        "message",
        "status",
        "events",
        "t",
        "attributes",
        "state",
        "time_counts",
        "coordinates",
    ],
)
def test_the_comparison_sees_every_field(field: str) -> None:
    """Control: a change of any one field is noticed."""
    change = {
        "nfev": 18,
        "n_steps": 5,
        "message": "",
        "status": Status.EVENT,
        "events": {},
        "t": np.linspace(0.0, 1.0, T) / 3 * (1 + 2**-52),
        "attributes": {"seed": 3.0, "lr": 0.1, "note": "β ≡ 1", "configuration": {"m": [1, 2], "std": 0.3}},
        "time_counts": "epochs",
        "coordinates": {"node": ("node", [1, 2, 4]), "kind": ("node", ["u", "u", "r"])},
        "state": {"V": trajectory().state["V"], "W": -trajectory().state["W"]},
    }
    assert not same(trajectory(), trajectory(**{field: change[field]}))


@pytest.mark.parametrize("part", ["teacher_W", "scale", "kind", "seed"])
def test_runs_on_other_problems_are_told_apart(part: str) -> None:
    """Control of the same kind: one bit of one array, one word of the problem."""
    problem = dict(trajectory().problem)
    other = {"kind": "other", "seed": 4}.get(part)
    changed = {**problem, part: np.nextafter(problem[part], 9.0) if other is None else other}
    assert not same(trajectory(), trajectory(problem=changed))
    assert not same(trajectory(), trajectory(problem={k: v for k, v in problem.items() if k != part}))


def test_non_finite_numbers_and_no_dimensions_survive(tmp_path: Path) -> None:
    """NaN, infinities and minus zero, booleans, and arrays whose axes nobody named."""
    values = np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324])
    one = trajectory(
        state={"y": np.stack([values] * T)},
        observables={"flag": np.arange(T) > 2},
        dimensions={},
        coordinates={},
        problem={},
    )
    assert same(one, reread(one, tmp_path))
    assert not one.success


def test_the_last_record_is_the_final_one() -> None:
    """``final`` by name; ``final_state`` as a flow takes it, and an error where no state was kept."""
    flow = LotkaVolterraFlow(np.ones(3), np.eye(3), np.full((2, 3), 0.5))
    run = integrate(flow, (0.0, 1.0))
    assert np.array_equal(run.final_state, run.state["x"][-1].ravel())
    assert flow(0.0, run.final_state).shape == (6,)
    assert np.array_equal(flow.unpack(run.final_state)["x"], run.final["x"])
    assert np.array_equal(run.final["share"], run.observables["share"][-1])
    both = trajectory()
    assert np.array_equal(both.final_state, np.concatenate([both.state[name][-1].ravel() for name in "WV"]))
    with pytest.raises(ValueError, match=r"^final_state: .* observables alone"):
        _ = trajectory(state={}, coordinates={}).final_state


def test_parts_are_chosen_by_coordinates() -> None:
    """The axis goes where the coordinate is its own, and keeps the places of a group; unknown ones are named."""
    one = trajectory()
    assert np.array_equal(one.at("sin_theta", node=3), one.observables["sin_theta"][..., 2])
    assert np.array_equal(one.at("W", node=2), one.state["W"][..., 1])
    assert np.array_equal(one.at("V", kind="u"), one.state["V"][..., :2, :])
    assert np.array_equal(one.at("V", kind="u", node=1), one.state["V"][..., 0, :])
    assert one.at("loss") is one.observables["loss"]
    for wrong in ({"node": 4}, {"layer": 1}):
        with pytest.raises(ValueError, match=f"^{next(iter(wrong))}: expected a coordinate of V"):
            one.at("V", **wrong)
    with pytest.raises(ValueError, match=r"^node: expected a coordinate of loss"):
        one.at("loss", node=1)
    with pytest.raises(ValueError, match=r"^name: expected one of W, V, sin_theta, loss, got 'v'"):
        one.at("v")


def test_what_the_time_axis_counts_must_be_said() -> None:
    """A maker that says nothing gets no trajectory."""
    fields = {"t": np.zeros(1), "state": {"y": np.zeros((1, 2))}}
    with pytest.raises(TypeError, match="time_counts"):
        Trajectory(**fields)  # type: ignore[arg-type]
    assert Trajectory(**fields, time_counts="days").time_counts == "days"  # type: ignore[arg-type]
    assert "(days)" in repr(Trajectory(**fields, time_counts="days"))  # type: ignore[arg-type]


def test_files_from_before_the_problem_was_stored_are_read(tmp_path: Path) -> None:
    """They say neither what time counts nor what was run on: the loaded run says so, and is the same otherwise."""
    one = trajectory(coordinates={}, problem={})
    old = one.to_xarray()
    del old["time"].attrs["long_name"], old.attrs["time_counts"], old.attrs["problem"]
    encoded = [name for name in json.loads(old.attrs["json_attributes"]) if name != "problem"]
    old.attrs |= {"format": "luckproof trajectory 1", "json_attributes": json.dumps(encoded)}
    old.to_netcdf(tmp_path / "old.nc", engine="h5netcdf")
    with pytest.warns(UncheckedFileWarning, match=r"old\.nc carries no checksum"):
        loaded = Trajectory.load(tmp_path / "old.nc")
    assert loaded.time_counts == "not recorded"
    assert loaded.problem == {}
    assert same(loaded, trajectory(coordinates={}, problem={}, time_counts="not recorded"))
    newer = one.to_xarray()
    newer.attrs["format"] = "luckproof trajectory 3"
    newer.to_netcdf(tmp_path / "newer.nc", engine="h5netcdf")
    with (
        pytest.warns(UncheckedFileWarning),
        pytest.raises(
            ValueError,
            match=r"^path: .*newer\.nc' is no trajectory file: expected format '.* 2', got '.* 3'$",
        ),
    ):
        Trajectory.load(tmp_path / "newer.nc")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@example(value="")
@example(value="\x00")
@example(value=2**63)
@example(value=[])
@example(value="µ\n")
@example(value="\ud800")
@example(value="x" * 100_000)  # above the 64 KiB of an HDF5 object header
@given(value=JSON)
def test_any_attribute_survives(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    """Whatever JSON can say comes back, of the same type."""
    one = trajectory((), attributes={"value": value}, message=value if isinstance(value, str) else "")
    assert same(one, reread(one, tmp_path_factory.mktemp("attributes")))


def test_numpy_values_and_tuples_become_plain() -> None:
    """The attributes in memory are those in the file: tuples are lists, NumPy scalars Python's."""
    one = trajectory(attributes={"a": (1, 2), "b": np.float32(0.5), "c": np.arange(2), "d": Status.EVENT})
    assert {name: one.attributes[name] for name in "abcd"} == {
        "a": [1, 2],
        "b": 0.5,
        "c": [0, 1],
        "d": "event",
    }


def test_the_data_set_is_labelled() -> None:
    """Dimensions time, instance, input, node, output; several ensemble axes flatten to one in C order."""
    one = trajectory((2, 3))
    data = one.to_xarray()
    sizes = {name: size for name, size in data.sizes.items() if not str(name).startswith("problem_")}
    assert sizes == {"time": T, "instance": 6, "input": 4, "node": 3, "output": 2}
    assert data["W"].dims == ("time", "instance", "input", "node")
    assert data["loss"].dims == ("time", "instance")
    assert (data["W"].isel(instance=4).to_numpy() == one.state["W"][:, 1, 1]).all()
    assert (data["time"].to_numpy() == one.t).all()
    assert data["time"].attrs["long_name"] == "steps × lr"
    assert data["node"].to_numpy().tolist() == [1, 2, 3]
    assert data["kind"].dims == ("node",)
    assert (data["problem_teacher_W"].to_numpy() == one.problem["teacher_W"]).all()
    assert data.attrs["status"] == "converged"
    assert data.attrs["nfev"] == 17
    assert data.attrs["seed"] == 3
    assert trajectory(()).to_xarray()["W"].dims == ("time", "input", "node")


def test_versions_are_recorded_and_kept(tmp_path: Path) -> None:
    """A trajectory carries the versions it was made with; loading does not replace them."""
    versions = trajectory().attributes["versions"]
    assert versions["numpy"] == np.__version__
    assert versions["xarray"] == xr.__version__
    assert set(versions) == {"luckproof", "numpy", "scipy", "xarray"}
    old = trajectory(attributes={"versions": {"numpy": "1.0"}})
    assert reread(old, tmp_path).attributes["versions"] == {"numpy": "1.0"}


def test_a_run_survives_its_file(tmp_path: Path) -> None:
    """The same for what ``integrate`` returns, and it overwrites an older file."""

    class Pair:
        instances = 2
        dimensions = {"W": ("input",), "norm": ()}  # noqa: RUF012

        def initial_state(self) -> Any:
            return np.arange(4.0)

        def __call__(self, t: float, y: Any) -> Any:
            return -y

        def unpack(self, y: Any) -> Any:
            return {"W": y.reshape(2, 2)}

        def observables(self, y: Any) -> Any:
            return {"norm": np.linalg.norm(y.reshape(2, 2), axis=1)}

        def configuration(self) -> Any:
            return {"kind": "pair", "shape": (2, 2)}

    trajectory().save(tmp_path / "run.nc")
    run = integrate(Pair(), (0.0, 1.0))
    assert run.observables["norm"].shape == (len(run.t), 2)
    assert same(run, reread(run, tmp_path))
    assert run.attributes["configuration"] == {"kind": "pair", "shape": [2, 2]}
    assert os.listdir(tmp_path) == ["run.nc"]


def break_replace(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*paths: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", refuse)


def break_midway(monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write

    def half(descriptor: int, data: Any) -> int:
        write(descriptor, data[: len(data) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "write", half)


@pytest.mark.parametrize("failure", [break_replace, break_midway])
@pytest.mark.parametrize("existing", [True, False])
def test_a_failed_write_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Any, existing: bool
) -> None:
    """The old file stays, byte for byte, and no temporary file is left; with the disk back it works (control)."""
    path = tmp_path / "run.nc"
    if existing:
        trajectory().save(path)
    before = path.read_bytes() if existing else None
    with monkeypatch.context() as patch:
        failure(patch)
        with pytest.raises((OSError, KeyboardInterrupt)):
            trajectory(nfev=99).save(path)
    assert os.listdir(tmp_path) == (["run.nc"] if existing else [])
    assert (path.read_bytes() if existing else None) == before
    trajectory(nfev=99).save(path)
    assert Trajectory.load(path).nfev == 99


def test_files_have_the_usual_permissions(tmp_path: Path) -> None:
    """As any file written here, not the private mode of a temporary one."""
    trajectory().save(tmp_path / "run.nc")
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "run.nc").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """As is a folder given for a file."""
    with pytest.raises(ValueError, match=r"path: the folder .*nowhere"):
        trajectory().save(tmp_path / "nowhere" / "run.nc")
    with pytest.raises(ValueError, match=r"path: expected a file to write, got the folder"):
        trajectory().save(tmp_path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    """Missing, empty, text, truncated, and NetCDF of someone else: one ValueError that names the path."""
    trajectory().save(tmp_path / "run.nc")
    whole = (tmp_path / "run.nc").read_bytes()
    (tmp_path / "empty.nc").write_bytes(b"")
    (tmp_path / "text.nc").write_text("hello")
    (tmp_path / "cut.nc").write_bytes(whole[: len(whole) // 2])
    xr.Dataset({"a": ("x", [1.0])}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    damaged = trajectory().to_xarray()
    del damaged["W"].attrs["trailing"]
    damaged.to_netcdf(tmp_path / "damaged.nc", engine="h5netcdf")
    for name in ("missing", "empty", "text", "cut"):
        with pytest.raises(ValueError, match=rf"path: .*{name}\.nc"):
            Trajectory.load(tmp_path / f"{name}.nc")
    for name in ("other", "damaged"):
        with pytest.warns(UncheckedFileWarning), pytest.raises(ValueError, match=rf"path: .*{name}\.nc"):
            Trajectory.load(tmp_path / f"{name}.nc")
    assert Trajectory.load(tmp_path / "run.nc").nfev == 17


BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"t": np.zeros((2, 2))}, ValueError, "^t: expected"),
    ({"t": np.zeros(T + 1)}, ValueError, "^W: expected shape"),
    ({"dimensions": {**DIMENSIONS, "loss": ("a", "b", "c")}}, ValueError, "^loss: expected shape"),
    (
        {"dimensions": {**DIMENSIONS, "V": ("output", "node")}},
        ValueError,
        "^V: dimension 'output'|^V: dimension 'node'",
    ),
    ({"observables": {"W": np.zeros(T)}}, ValueError, "^observables"),
    ({"observables": {"node": np.zeros(T)}}, ValueError, "name of a dimension"),
    ({"observables": {"time": np.zeros(T)}}, ValueError, "name of a dimension"),
    ({"observables": {"loss": np.zeros((T, 7))}}, ValueError, "dimension 'instance'"),
    ({"observables": {"kind": np.zeros(T)}}, ValueError, "name of a dimension or coordinate"),
    ({"coordinates": {"node": ("node", [1, 2])}}, ValueError, "^coordinates: .*'node' .*size 3, got"),
    ({"coordinates": {"layer": ("layer", [1])}}, ValueError, "^coordinates: .*'layer' .*size unknown, got"),
    ({"time_counts": ""}, ValueError, "^time_counts: expected"),
    ({"time_counts": 3}, ValueError, "^time_counts: expected"),
    ({"problem": {"f": object()}}, TypeError, r"problem\['f'\]"),
    ({"attributes": {"status": 1}}, ValueError, "'status' is reserved"),
    ({"attributes": {"problem": 1}}, ValueError, "'problem' is reserved"),
    ({"attributes": {"f": object()}}, TypeError, r"attributes\['f'\]"),
    ({"status": "fine"}, ValueError, "fine"),
]


@pytest.mark.parametrize(("change", "kind", "match"), BAD, ids=lambda value: str(value)[:30])
def test_inconsistent_trajectories_cannot_be_made(
    change: dict[str, Any], kind: type[Exception], match: str
) -> None:
    """Wrong shapes, clashing names and attributes without JSON form are errors at construction."""
    with pytest.raises(kind, match=match):
        trajectory(**change)


def test_success_is_never_non_finite() -> None:
    """Every status, with and without a NaN in the state."""
    for status in Status:
        good = trajectory(status=status)
        assert good.success is status.successful
        assert bool(status.remedy) is not status.successful
        state = {**good.state, "W": np.where(np.arange(3) == 1, np.nan, good.state["W"])}
        assert not trajectory(status=status, state=state).success
