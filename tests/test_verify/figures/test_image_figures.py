"""Figures on real images: made in small on the digits and on synthetic CIFAR-10 files, and their checks can fail."""

from __future__ import annotations

import functools
import hashlib
import json

import numpy as np
import pytest
import xarray as xr

from luckproof import load_cifar10, norm_layers, read_state_dict
from nets.images.cifar10 import OFFICIAL, Edition
from verify.command.main import run
from verify.figures import luckmatters_bn_bias, luckmatters_real_data
from verify.figures.claims import ClaimCheck
from verify.mathematics.studies import image_study
from verify.mathematics.studies.real_data_study import KINDS, NORMALISATIONS, TEACHERS, RealData

SMALL = ("networks=3", "images=64", "teacher_epochs=1")
BIASES = (*SMALL, "widths=3,4", "weight_decays=0,0.01")
STUDENTS = (*SMALL, "conv=4,4", "dense=4,4", "tuned_epochs=1", "epochs=2", "factors=1,2")


def figure(name, settings, *words):
    options = [word for change in settings for word in ("--set", change)]
    return run(["figure", f"luckmatters.{name}", *options, *map(str, words)])


def opened(path):
    with xr.open_dataset(path, engine="h5netcdf") as data:
        return data.load()


def test_bias_figure_leaves_networks_that_bn_bias_reads(tmp_path, capsys):
    """One checkpoint for each weight decay, with the shares that the data has for the first network."""
    assert figure("bn-bias", BIASES, "--out", tmp_path) in (0, 1)  # after one epoch no claim need hold
    names = [f"luckmatters.bn-bias{end}" for end in
             (".decay-0.01.safetensors", ".decay-0.safetensors", ".nc", ".png")]  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    data = opened(tmp_path / names[2])
    for decay in (0.0, 0.01):
        layers = norm_layers(read_state_dict(tmp_path / f"luckmatters.bn-bias.decay-{decay:g}.safetensors"))
        assert [layer.nodes for layer in layers] == [3, 4]
        expected = data.share_negative.sel(weight_decay=decay, network=0)
        np.testing.assert_array_equal([layer.share_negative for layer in layers], expected)
    assert len(json.loads(data.attrs["checks"])) == 4
    assert "99% interval" in capsys.readouterr().out


@pytest.fixture(scope="module")
def students(tmp_path_factory):
    """The real-data figure, with a folder for its runs."""
    out = tmp_path_factory.mktemp("students")
    assert figure("real-data", STUDENTS, "--out", out / "a", "--runs", out / "runs") in (0, 1)
    return out


def test_students_are_measured_in_every_case(students):
    data = opened(students / "a" / "luckmatters.real-data.nc")
    sizes = {"kind": 2, "teacher": 2, "normalisation": 2, "factor": 2, "epoch": 3, "layer": 2, "network": 3}
    assert dict(data.rho_bar.sizes) == sizes
    assert data.rho_bar.notnull().all()
    assert all(((data[name] >= 0) & (data[name] <= 1)).all() for name in ("mean_rank", "accuracy"))
    assert dict(data.teacher_accuracy.sizes) == {"kind": 2, "teacher": 2, "network": 3}
    assert len(json.loads(data.attrs["checks"])) == 16


def test_kept_runs_give_the_same_figure(students):
    """Sixteen students are kept; from them the same numbers come again."""
    kept = {path: path.stat().st_mtime_ns for path in (students / "runs").iterdir()}
    assert len(kept) == 16
    assert figure("real-data", STUDENTS, "--out", students / "b", "--runs", students / "runs") in (0, 1)
    first, again = (opened(students / place / "luckmatters.real-data.nc") for place in "ab")
    xr.testing.assert_equal(first, again)
    assert {path: path.stat().st_mtime_ns for path in (students / "runs").iterdir()} == kept


def test_a_damaged_kept_run_is_named(students, tmp_path, capsys):
    """One line and exit 2; nothing is written."""
    runs = tmp_path / "runs"
    runs.mkdir()
    for path in (students / "runs").iterdir():
        (runs / path.name).write_bytes(path.read_bytes()[:100])
    assert figure("real-data", STUDENTS, "--out", tmp_path / "out", "--runs", runs) == 2
    assert "runs: checkpoint: cannot read" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []


def test_estimate_grows_with_the_work(monkeypatch):
    """Ten times the epochs take about ten times as long at the same rate; the start's record is the rest."""
    monkeypatch.setattr("nets.deep.training.cost_estimate.product_rate", lambda *_: 1e9)
    short, long = (RealData(epochs=epochs).estimate("cpu") for epochs in (5, 50))
    assert long.seconds / short.seconds == pytest.approx(10, rel=0.05)
    assert (long.rate, short.rate) == (5e8, 5e8)


@pytest.fixture
def cifar10(tmp_path, monkeypatch):
    """A folder of six small batches that passes for CIFAR-10."""
    rng = np.random.default_rng(0)
    folder, md5 = tmp_path / "cifar", {}
    folder.mkdir()
    for name in OFFICIAL.md5:
        records = rng.integers(0, 256, (20, 3073), dtype=np.uint8)
        records[:, 0] = rng.permutation(np.repeat(np.arange(10), 2))
        (folder / name).write_bytes(records.tobytes())
        md5[name] = hashlib.md5(records.tobytes()).hexdigest()
    small = functools.partial(load_cifar10, edition=Edition(md5, 0, "", images=20))
    monkeypatch.setattr(image_study, "load_cifar10", small)
    image_study._task.cache_clear()
    return folder


def test_cifar10_takes_the_place_of_the_digits(cifar10, tmp_path):
    """Colour images of 32 x 32 pixels, and as many weights."""
    assert figure("bn-bias", BIASES, "--cifar10", cifar10, "--out", tmp_path / "out") in (0, 1)
    data = opened(tmp_path / "out" / "luckmatters.bn-bias.nc")
    assert data.attrs["images"] == "cifar10"
    assert json.loads(data.attrs["settings"])["cifar10"] == str(cifar10)
    state = read_state_dict(tmp_path / "out" / "luckmatters.bn-bias.decay-0.safetensors")
    assert tuple(state["features.0.weight"].shape) == (3, 3, 3, 3)
    assert tuple(state["classifier.0.weight"].shape) == (10, 4 * 28 * 28)


def test_damaged_cifar10_is_refused_before_anything_is_done(cifar10, tmp_path, capsys):
    path = cifar10 / "data_batch_5.bin"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    assert figure("real-data", STUDENTS, "--cifar10", cifar10, "--out", tmp_path / "out") == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.count("\n") == 1
    assert "data_batch_5.bin: expected MD5" in streams.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "words", "named"),
    [
        ("real-data", ["--cifar10", "nowhere"], "--cifar10: expected a folder with cifar-10-binary.tar.gz"),
        ("specialization.9", ["--cifar10", "."], "--cifar10: specialization.9 has nothing to do with images"),
        ("real-data", ["--set", "networks=2"], "networks: expected at least 3"),
        ("real-data", ["--set", "conv=4,4"], "conv, dense: expected equally many hidden layers"),
        (
            "real-data",
            ["--set", "conv=4,4,4,4", "--set", "dense=4,4,4,4"],
            "expected at least 9 pixels a side",
        ),
        ("real-data", ["--set", "factors=4,1"], "factors: expected different whole numbers in order"),
        ("real-data", ["--set", "keep=0"], "keep: expected a share in (0, 1]"),
        ("real-data", ["--set", "images=5"], "images: expected 0 for all, or at least one batch of 32"),
        ("real-data", ["--set", "images=1500"], "images: expected at most 1442"),
        ("bn-bias", ["--set", "widths=4"], "widths: expected at least two hidden layers"),
        ("bn-bias", ["--set", "weight_decays=0.1,0"], "weight_decays: expected numbers >= 0 in order"),
        ("bn-bias", ["--runs", "kept"], "--runs: luckmatters.bn-bias has no runs to keep"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(name, words, named, tmp_path, capsys, monkeypatch):
    """Nothing is trained or written."""
    monkeypatch.chdir(tmp_path)
    name = name if name.startswith("specialization") else f"luckmatters.{name}"
    assert run(["figure", name, *words, "--out", "new"]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.count("\n") == 1
    assert named in streams.err
    assert list(tmp_path.iterdir()) == []


def test_diverged_students_end_in_exit_3(tmp_path, capsys):
    assert figure("real-data", (*STUDENTS, "rate=1e6"), "--out", tmp_path) == 3
    assert "training diverged: a student (ConvNet, full, " in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def made_up(sign: float) -> xr.Dataset:
    """Measurements in which every effect has the sign asked for, clearly."""
    rng = np.random.default_rng(0)
    axes = {
        "kind": list(KINDS),
        "teacher": list(TEACHERS),
        "normalisation": list(NORMALISATIONS),
        "factor": [1, 4],
    }
    rest = {"epoch": [0, 1, 2], "network": range(5), "layer": [1, 2]}
    zeros = xr.DataArray(0.0, axes | rest, [*axes, *rest])
    is_with, is_pruned = (zeros.normalisation == NORMALISATIONS[0]), (zeros.teacher == "pruned")
    better = is_with * 0.05 + is_pruned * 0.05 + (zeros.factor == 4) * 0.05 + zeros.epoch * 0.05
    noise = xr.DataArray(1e-3 * rng.standard_normal(zeros.shape), zeros.coords, zeros.dims)
    score = 0.5 + sign * better + zeros + noise
    accuracy = score.isel(epoch=-1, layer=0, drop=True) + (0 if sign > 0 else -1)
    return xr.Dataset(
        {
            "rho_bar": score,
            "mean_rank": 1 - score,
            "accuracy": accuracy,
            "teacher_accuracy": accuracy.isel(normalisation=0, factor=1, drop=True) * 0 + 0.5,
        }
    )


def test_checks_of_students_can_hold_and_fail():
    for sign, outcome in ((1.0, "observed"), (-1.0, "not observed")):
        checks = luckmatters_real_data.checks(made_up(sign))
        assert len(checks) == 16
        assert {check.outcome for check in checks} == {outcome}


def test_checks_of_biases_can_hold_and_fail():
    """Shares by weight decay and layer, with a little noise over networks."""
    noise = 1e-3 * np.random.default_rng(0).standard_normal((2, 5, 3))

    def outcomes(shares):
        axes = ("weight_decay", "network", "layer")
        values = np.array(shares)[:, None, :] + noise
        data = xr.Dataset({"share_negative": (axes, values)}, {"width": ("layer", [4, 4, 8])})
        return [check.outcome for check in luckmatters_bn_bias.checks(data)]

    assert outcomes([[0.5, 0.5, 0.5], [0.7, 0.7, 0.9]]) == ["observed"] * 4
    assert outcomes([[0.5, 0.5, 0.5], [0.4, 0.4, 0.1]]) == ["not observed"] * 4
    assert outcomes([[0.5, 0.5, 0.5], [0.9, 0.9, 0.0]]) == [
        "not observed",
        "observed",
        "not observed",
        "observed",
    ]  # by nodes


def test_an_expected_refutation_is_no_surprise():
    known = ClaimCheck.exceeding("a", [-1.0, -1.1, -0.9], expected="not observed")
    assert (known.outcome, known.unexpected) == ("not observed", False)
    assert ": not observed, as expected (effect" in str(known)
    assert ClaimCheck.exceeding("a", [1.0, 1.1, 0.9], expected="not observed").unexpected
    assert ClaimCheck.exceeding("a", [-1.0, -1.1, -0.9]).unexpected
    assert not ClaimCheck.exceeding("a", [1.0, -1.1, 0.1], expected="not observed").unexpected
