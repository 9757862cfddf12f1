"""``luckproof figure``: every figure gives a picture, its data and its checks; bad input is one line and exit 2."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import xarray as xr
from scipy.stats import spearmanr

from nets.specialization.processes import LostTrainingError
from verify.command.main import run
from verify.figures import figures
from verify.figures.claims import ClaimCheck
from verify.figures.overrides import overridden
from verify.figures.specialization11 import shifted
from verify.mathematics.studies.coverage import (
    first_covered,
    lead_of_the_strong,
    rank_correlation,
)
from verify.mathematics.studies.specialization_study import SpecializationStudy

TINY = ["--set", "networks=3", "--set", "epochs=0.06", "--set", "eval_samples=200"]
TWO_LAYER = [f"specialization.{number}" for number in (7, 9, 10, 11, 12)]


def test_the_two_layer_figures_are_registered():
    """In the order of the paper, each with a source and settings for both budgets."""
    names = [name for name in figures() if name.startswith("specialization.")]
    assert [name for name in names if name in TWO_LAYER] == TWO_LAYER
    for figure in figures().values():
        assert figure.title
        assert figure.source.number
        assert {"quick", "full"} <= set(figure.settings)


@pytest.mark.parametrize("name", TWO_LAYER)
def test_figure_is_drawn_saved_and_checked(name, tmp_path, capsys):
    """A few steps suffice to go through all of it; the file holds settings, source and checks."""
    picture = "svg" if name.endswith("7") else "png"
    code = run(["figure", name, "--out", str(tmp_path / "new"), "--format", picture, "--seed", "5", *TINY])
    assert code in (0, 1)  # after 60 steps no claim need hold yet
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(
        [f"{name}.nc", f"{name}.{picture}"]
    )
    with xr.open_dataset(tmp_path / "new" / f"{name}.nc", engine="h5netcdf") as data:
        assert json.loads(data.attrs["settings"])["seed"] == 5
        assert data.attrs["figure"] == name
        assert all(check["networks"] == 3 for check in json.loads(data.attrs["checks"]))
        assert data.sizes["network"] == 3
    shown = capsys.readouterr()
    assert "99% interval" in shown.out
    assert shown.err == ""


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["specialization.99"], "figure: no figure is called 'specialization.99'"),
        (["specialization.9", "--budget", "huge"], "--budget: expected one of quick, full"),
        (["specialization.9", "--format", "pdf"], "--format: expected one of png, svg"),
        (["specialization.9", "--seed", "-1"], "seed"),
        (["specialization.9", "--device", "abacus"], "device"),
        (["specialization.9", "--set", "polarities=-1"], "polarity: expected a number >= 0, got -1.0"),
        (["specialization.9", "--set", "over_realisations=0.5"], "over_realisation: expected n/m >= 1"),
        (
            ["specialization.9", "--set", "over_realisations=1,1"],
            "over_realisations: expected one or more different",
        ),
        (["specialization.9", "--set", "m=0"], "m: expected a positive integer"),
        (["specialization.9", "--set", "m=2.5"], "m: expected a whole number"),
        (["specialization.9", "--set", "networks=2"], "networks: expected at least 3"),
        (["specialization.9", "--set", "epochs=0"], "epochs: expected at least one step"),
        (["specialization.9", "--set", "epochs=soon"], "epochs: expected a number"),
        (["specialization.9", "--set", "colour=red"], "--set: expected one of m, polarities"),
        (["specialization.9", "--set", "networks"], "--set: expected NAME=VALUE"),
        (["specialization.9", "--set", "m=2", "--set", "m=3"], "--set: m is given twice"),
        (["specialization.11", "--set", "polarities=1,2"], "exactly one"),
        (["specialization.12", "--set", "over_realisations=1,2"], "exactly one"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(words, named, tmp_path, capsys, monkeypatch):
    """Nothing is trained or written."""
    monkeypatch.chdir(tmp_path)
    assert run(["figure", *words]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.count("\n") == 1
    assert named in streams.err
    assert list(tmp_path.iterdir()) == []


def test_out_must_be_a_folder(tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    assert run(["figure", "specialization.9", "--out", str(tmp_path / "file")]) == 2
    assert "--out: expected a folder" in capsys.readouterr().err


def test_a_folder_of_runs_makes_the_figure_again_without_training(tmp_path, capsys, monkeypatch):
    """The same picture and claims from kept runs; another figure shares them; a damaged one is exit 2."""
    settings = [
        *TINY,
        "--set",
        "polarities=1",
        "--set",
        "over_realisations=1,2",
        "--runs",
        str(tmp_path / "runs"),
    ]
    run(["figure", "specialization.10", "--out", str(tmp_path), *settings])
    first = capsys.readouterr().out
    monkeypatch.setattr("nets.specialization.processes.in_processes", None)
    run(["figure", "specialization.10", "--out", str(tmp_path), *settings])
    assert capsys.readouterr().out == first
    assert run(["figure", "specialization.9", "--out", str(tmp_path), *settings]) in (0, 1)
    capsys.readouterr()
    for path in (tmp_path / "runs").iterdir():
        path.write_bytes(b"damaged")
    assert run(["figure", "specialization.9", "--out", str(tmp_path), *settings]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("runs", [True, False])
def test_a_process_that_dies_is_a_line_and_a_code_of_its_own(tmp_path, capsys, monkeypatch, runs):
    """With where to go on from."""

    def lost(groups, count, report, keep):
        raise LostTrainingError("group 1 of 2: its process was killed; the other groups were trained")
        yield

    monkeypatch.setattr("nets.specialization.training.trained_groups", lost)
    words = ["--runs", str(tmp_path / "runs")] if runs else []
    assert run(["figure", "specialization.9", "--out", str(tmp_path), *TINY, *words]) == 4
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "its process was killed" in said
    assert ("goes on from" if runs else "--runs DIR keeps finished runs") in said


def test_runs_that_cannot_be_kept_are_bad_output(tmp_path, capsys, monkeypatch):
    """A full disk is a line and code 2, and no defect of ours."""

    def full(descriptor, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.write", full)
    words = ["--runs", str(tmp_path / "runs"), "--set", "polarities=1", "--set", "over_realisations=1"]
    monkeypatch.setattr("verify.figures.specialization9.available_cores", lambda: 1)
    assert run(["figure", "specialization.9", "--out", str(tmp_path), *TINY, *words]) == 2
    said = capsys.readouterr().err
    assert said.startswith("luckproof: --runs: [Errno 28] No space left on device; nothing was written: ")
    assert said.count("\n") == 1
    assert list((tmp_path / "runs").iterdir()) == []


def test_figures_are_listed(capsys):
    assert run(["figure"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in TWO_LAYER)


def test_overrides_keep_types():
    """Tuples from commas, whole numbers stay whole, the rest as it was."""
    changed = overridden(SpecializationStudy(), ["polarities=0,1.5", "networks=4"], seed=9)
    assert changed == dataclasses.replace(SpecializationStudy(), polarities=(0.0, 1.5), networks=4, seed=9)


def test_claim_checks_can_fail():
    """Above, below and across the threshold; the interval is Student's."""
    assert ClaimCheck.exceeding("", [1.0, 1.1, 0.9]).outcome == "observed"
    assert ClaimCheck.exceeding("", [-1.0, -1.1, -0.9]).outcome == "not observed"
    wide = ClaimCheck.exceeding("", [1.0, -1.0, 0.5])
    assert wide.outcome == "inconclusive"
    exact = ClaimCheck.exceeding("", [0.0, 1.0, 2.0])
    assert exact.high == pytest.approx(1 + 9.92484320091807 / np.sqrt(3))  # t(2), 99.5 %, from tables
    with pytest.raises(ValueError, match="at least 3"):
        ClaimCheck.exceeding("", [1.0, 2.0])


class Run:
    """Just what the measures read of a trajectory."""

    def __init__(self, t, correlation):
        self.t, self.observables = np.asarray(t, float), {"correlation": np.asarray(correlation, float)}


def test_measures_of_the_order_of_coverage():
    """Two teachers, one student: teacher 1 is covered from t = 1 on, teacher 2 never."""
    one = Run([0, 1, 2], [[[[0.0], [0.0]]], [[[0.99], [0.0]]], [[[0.99], [0.5]]]])
    assert first_covered(one).tolist() == [[1.0, np.inf]]
    assert lead_of_the_strong(one).tolist() == [0.75]
    assert not shifted(one.observables["correlation"]).any()
    chasing = np.array([[[[0.9], [0.1]]], [[[0.1], [0.99]]]])
    assert shifted(chasing).tolist() == [[True]]


def test_rank_correlation_is_spearmans():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 4, 9)).round(1)
    expected = [spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(rank_correlation(a, b), expected, atol=1e-12)
    assert rank_correlation(np.ones(5), np.arange(5.0)) == 0
