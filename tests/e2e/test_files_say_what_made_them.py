"""Every file that holds results says with which versions, on what device and with how many threads they were made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from safetensors import safe_open
from threadpoolctl import threadpool_limits

from dynamics.ode.results.attributes import software_versions
from luckproof import (
    SGD,
    Architecture,
    FreshGaussian,
    ProjectedFlow,
    SpecializationSetting,
    TeacherStudent,
    Trajectory,
    TwoLayerStudents,
    deep_teachers,
    integrate,
    population_descent,
    train,
    train_deep,
    train_specialization,
)
from nets.deep.training.batches import gaussian_inputs
from verify.command.main import run
from verify.sweeps.configuration import from_mapping
from verify.sweeps.points import code_version
from verify.sweeps.store import Store, read_sealed
from verify.sweeps.work import Task, compute


def check(facts: Any, *, torch_too: bool = False, threads: int | None = None) -> None:
    """The three facts, where they belong."""
    versions = facts["versions"] if isinstance(facts["versions"], dict) else json.loads(facts["versions"])
    assert versions["numpy"] == np.__version__
    assert {"luckproof", "scipy"} <= set(versions)
    assert ("torch" in versions) >= torch_too
    assert facts["device"] == "cpu"
    assert facts["threads"] >= 1 if threads is None else facts["threads"] == threads


def reread(trajectory: Trajectory, folder: Path) -> dict[str, Any]:
    trajectory.save(folder / "run.nc")
    return dict(Trajectory.load(folder / "run.nc").attributes)


def problem() -> TeacherStudent:
    return TeacherStudent.at_angle(np.eye(4, 2), 0.3, 0)


def test_flows_and_descents(tmp_path: Path) -> None:
    """Of an integrated flow, with the threads of its own time, and of descent along the population gradient."""
    flow = ProjectedFlow(problem())
    for threads in (1, 2):
        with threadpool_limits(threads):
            check(reread(integrate(flow, (0, 1)), tmp_path), threads=threads)
    check(reread(population_descent(flow, lr=0.1, steps=3), tmp_path))


def test_trained_networks(tmp_path: Path) -> None:
    """Two-layer, deep with its checkpoint, and those of the second paper."""
    students = TwoLayerStudents.from_problem(problem(), "cpu")
    check(reread(train(students, lr=0.1, batch_size=4, steps=3, seed=0), tmp_path), torch_too=True)
    setting = SpecializationSetting(2, 2, d=5, c=3, train_samples=20, eval_samples=10)
    small = train_specialization(setting, seed=0, steps=10, record_every=10, device="cpu")
    check(reread(small, tmp_path), torch_too=True)
    shape, file = Architecture((5,), (4,), 2), tmp_path / "net.safetensors"
    deep = train_deep(
        deep_teachers.random_start(shape, [0]), deep_teachers.separated_teacher(shape, [0]),
        FreshGaussian((5,), (0,), 8, 16), sgd=SGD(0.01), epochs=1,
        evaluation=gaussian_inputs((5,), [0], 10), checkpoint=file,
    )  # fmt: skip
    check(reread(deep, tmp_path), torch_too=True)
    with safe_open(file, framework="pt") as found:
        facts = found.metadata()
    assert json.loads(facts["versions"])["torch"] == torch.__version__
    assert json.loads(facts["settings"])["device"] == "cpu"


def test_points_of_a_sweep_are_computed_on_one_thread(tmp_path: Path) -> None:
    """However many there are where it runs: the same sums on every machine, and the file says so."""
    options = {"d": 4, "m": 2, "t_end": 1.0, "points": 3}
    with threadpool_limits(2):
        content = compute(Task("0" * 24, options, code_version("simulate"))).content
    path = tmp_path / "point.nc"
    path.write_bytes(content or b"")
    check(Trajectory.load(path).attributes, threads=1)


def test_the_manifest_of_a_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions and threads of its points; a driver with other versions says so in its place."""
    configuration = from_mapping({"command": "simulate", "grid": {"m": [1, 2]}})
    store = Store(tmp_path)
    for numpy_version in (np.__version__, "99.0"):
        monkeypatch.setitem(software_versions(), "numpy", numpy_version)
        with threadpool_limits(2):
            store.write_manifest(configuration, "0" * 12)
        found = read_sealed(store.manifest_path)
        assert found["versions"]["numpy"] == numpy_version
        assert (found["device"], found["threads"]) == ("cpu", 1)
        assert store.manifest("out") == (configuration, "0" * 12)


def test_what_the_commands_write(tmp_path: Path) -> None:
    """Verdicts as data, a figure's numbers, and the biases of a checkpoint."""
    verdicts, biases, weights = (tmp_path / name for name in ("v.json", "b.json", "net.pth"))
    assert run(["verify", "luckmatters.lemma6.printed", "--json", str(verdicts)]) == 0
    check(json.loads(verdicts.read_text()), torch_too=True)
    torch.save(
        {f"1.{name}": torch.ones(3) for name in ("weight", "bias", "running_mean", "running_var")}, weights
    )
    assert run(["bn-bias", str(weights), "--json", str(biases)]) == 0
    check(json.loads(biases.read_text()))
    changes = {"networks": 3, "epochs": 0.2, "eval_samples": 50, "polarities": "0,1", "over_realisations": 1}
    words = [word for name, value in changes.items() for word in ("--set", f"{name}={value}")]
    assert run(["figure", "specialization.9", *words, "--out", str(tmp_path)]) in (0, 1)
    with xr.open_dataset(tmp_path / "specialization.9.nc", engine="h5netcdf") as data:
        check(data.attrs)


def test_a_certificate(tmp_path: Path) -> None:
    """Who produced it; what it proves depends on its checker alone."""
    pytest.importorskip("flint")
    path = tmp_path / "cert.json"
    assert run(["certify", "--m", "2", "--d", "3", "--theta0", "0.5", "--out", str(path)]) == 0
    assert json.loads(path.read_text())["versions"]["numpy"] == np.__version__
    assert run(["certify", "--check", str(path)]) == 0
