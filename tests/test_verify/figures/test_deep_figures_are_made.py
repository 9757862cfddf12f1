"""The deep experiments as figures: pictures, data, claims that can fail, runs that go on and are shared."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from luckproof import RunFolder, figure_named
from verify.command.main import run
from verify.figures import luckmatters_gaus, luckmatters_loss_rank
from verify.mathematics.studies.deep_study import Arm, DeepStudy

TINY = [
    word
    for change in ("networks=3", "epochs=2", "samples=128", "eval_samples=64", "factor=1", "outputs=3")
    for word in ("--set", change)
]
NAMES = ["luckmatters.gaus-fc", "luckmatters.gaus-cnn", "luckmatters.loss-rank"]


@pytest.mark.parametrize("name", NAMES)
def test_figure_is_drawn_saved_and_checked(name, tmp_path, capsys):
    """Four steps go through all of it; the file holds settings, source and checks."""
    code = run(["figure", name, "--out", str(tmp_path), "--seed", "5", "--set", "widths=4,3,3,3", *TINY])
    assert code in (0, 1)  # no claim need hold yet
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{name}.nc", f"{name}.png"]
    with xr.open_dataset(tmp_path / f"{name}.nc", engine="h5netcdf") as data:
        assert json.loads(data.attrs["settings"])["seed"] == 5
        assert data.rho_bar.dims == ("arm", "epoch", "network", "layer")
        assert data.epoch.values.tolist() == [0, 1, 2]
        assert all(check["networks"] == 3 for check in json.loads(data.attrs["checks"]))
    shown = capsys.readouterr()
    assert "99% interval" in shown.out
    assert shown.err == ""


def test_full_runs_say_what_they_take_and_are_shared(tmp_path, capsys):
    """The estimate comes first, on stderr; the kept runs serve the other figure of the same settings."""
    words = ["--budget", "full", "--runs", str(tmp_path / "runs"), "--set", "widths=4,3", *TINY]
    assert run(["figure", NAMES[0], "--out", str(tmp_path), *words]) in (0, 1)
    assert "GFLOP/s measured" in capsys.readouterr().err
    kept = sorted((tmp_path / "runs").iterdir())
    assert [path.name.rsplit("-", 1)[0] for path in kept] == [
        "fc-4-3-x1-after-0.05",
        "fc-4-3-x1-after-0.4",
        "fc-4-3-x1-none-0.05",
    ]
    before = [path.stat().st_mtime_ns for path in kept]
    assert run(["figure", NAMES[2], "--out", str(tmp_path), *words]) in (0, 1)
    assert [path.stat().st_mtime_ns for path in kept] == before
    with (
        xr.open_dataset(tmp_path / f"{NAMES[0]}.nc", engine="h5netcdf") as one,
        xr.open_dataset(tmp_path / f"{NAMES[2]}.nc", engine="h5netcdf") as two,
    ):
        xr.testing.assert_equal(one, two)
    capsys.readouterr()
    kept[0].write_bytes(kept[1].read_bytes())
    assert run(["figure", NAMES[2], "--out", str(tmp_path), *words]) == 2
    assert "is of another run" in capsys.readouterr().err


def test_runs_of_other_products_are_other_runs(tmp_path, capsys):
    """They are kept beside the others, whose names are as before there was the choice; the file says which."""
    words = [
        "--budget",
        "full",
        "--runs",
        str(tmp_path / "runs"),
        "--set",
        "widths=4,3",
        "--set",
        "bits=64",
        *TINY,
    ]
    for more in ([], ["--set", "products=float32"]):
        assert run(["figure", NAMES[0], "--out", str(tmp_path), *words, *more]) in (0, 1)
    assert len(list((tmp_path / "runs").iterdir())) == 6
    with xr.open_dataset(tmp_path / f"{NAMES[0]}.nc", engine="h5netcdf") as data:
        assert json.loads(data.attrs["settings"])["products"] == "float32"
    study, arm, store = DeepStudy(bits=64), Arm("none", 0.05), RunFolder(tmp_path / "runs")
    assert study.file(arm, "cpu", store).name == "fc-50-75-100-125-x10-none-0.05-caea47d34d6d.safetensors"


def test_divergence_ends_with_exit_3(tmp_path, capsys):
    code = run(["figure", NAMES[0], "--out", str(tmp_path), "--set", "rates=1e30", *TINY])
    assert code == 3
    assert "training diverged" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("networks=2", "networks: expected at least 3"),
        ("rates=0.05,0.05", "rates: expected one or more different"),
        ("bn_rates=0.05,-1", "bn_rates: expected a positive"),
        ("bits=16", "bits: expected 32 or 64"),
        ("products=float16", "products: expected one of own, float32, float32-backward"),
        ("products=float32", "products: expected 'own' for networks in float32"),
        ("widths=5", "widths: expected at least two hidden layers"),
        ("inputs=1,4,4", "inputs: expected at least 9 pixels"),
        ("samples=10", "samples: expected at least one batch"),
        ("eval_samples=1", "eval_samples: expected at least 2"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(change, named, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["figure", NAMES[0], "--set", change]) == 2
    streams = capsys.readouterr()
    assert streams.err.count("\n") == 1
    assert named in streams.err
    assert list(tmp_path.iterdir()) == []


def story(better: bool) -> xr.Dataset:
    """Three networks, three epochs, two layers that do as the paper says, or the opposite of it."""
    axes = ("arm", "epoch", "network", "layer")
    epoch, layer, arm = np.arange(3.0), np.arange(2.0), np.arange(2.0)
    jitter = 0.001 * np.arange(3)[:, None]
    sign = 1.0 if better else -1.0
    time = epoch[:, None, None]
    rho = 0.5 + sign * (0.1 * time - 0.05 * layer + 0.02 * arm[:, None, None, None] * (time > 0)) + jitter
    rank = (
        0.3
        - sign * (0.1 * np.minimum(time, 1) + 0.02 * arm[:, None, None, None] * (time > 0))
        + jitter
        + 0 * layer
    )
    loss = 10.0 ** -(sign * epoch[:, None] + np.arange(3) * 0.01) * np.ones((2, 1, 1))
    columns = {"rho_bar": (axes, rho), "mean_rank": (axes, rank), "loss": (axes[:3], loss)}
    columns["median_rank"] = (axes, rank - sign * 0.05 * (time > 0))
    arms = {"arm": ["without", "with"], "bn": ("arm", [False, True]), "rate": ("arm", [0.05, 0.4])}
    return xr.Dataset(columns, {**arms, "epoch": epoch, "layer": [0, 1]})


@pytest.mark.parametrize("checks", [luckmatters_gaus.checks, luckmatters_loss_rank.checks])
def test_claims_hold_in_the_papers_story_and_fail_in_its_opposite(checks):
    """Every check of a figure is decided by the data, either way."""
    told, opposite = checks(story(True)), checks(story(False))
    assert {check.outcome for check in told} == {"observed"}
    assert {check.outcome for check in opposite} == {"not observed"}


def test_settings_are_the_papers():
    """The full sizes, the authors' rate on the project's loss, and their affine rule."""
    dense, images = (figure_named(name).settings["full"] for name in NAMES[:2])
    assert dense.students("after").widths == (500, 750, 1000, 1250)
    assert dense.sgd(Arm("none", 0.05)).lr == pytest.approx(1e-3)
    assert not dense.students("after").affine
    assert images.students("after").affine
    assert images.students("after").widths == (640,) * 4
    assert images.students("none").weight_shape(4) == (640 * 8 * 8, 100)
    assert DeepStudy().source().steps == 1562
