"""The figures of deep students: each is made whole, and its claims are refuted where the labels are swapped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from verify.command.main import run
from verify.figures import (
    luckmatters_finite_data,
    luckmatters_over_parameterisation,
    luckmatters_teacher_size,
    specialization8,
)
from verify.figures.claims import ClaimCheck
from verify.mathematics.studies.deep_cases import way_covered
from verify.mathematics.studies.deep_study import Arm

TINY = {
    "luckmatters.teacher-size": ["widths=5,6", "small_widths=3,4", "factor=2"],
    "luckmatters.finite-data": ["widths=3,2", "inputs=1,6,6", "bn_rates=0.05"],
    "luckmatters.over-parameterisation": [
        "widths=3,4", "factors=1,2,20", "cnn_widths=2,3", "cnn_factors=1,2", "cnn_pixels=6", "cnn_samples=64",
        "cnn_epochs=2", "cnn_eval_samples=20",
    ],
    "specialization.8": ["widths=4,5", "factor=3", "looks=1,2", "halved_at=2"],
}  # fmt: skip
SMALL = ["networks=3", "epochs=3", "samples=64", "eval_samples=40", "batch_size=16", "outputs=4"]


def made(name: str, folder: Path, *words: str, changes: tuple[str, ...] = ()) -> int:
    settings = [word for change in (*TINY[name], *SMALL, *changes) for word in ("--set", change)]
    return run(["figure", name, "--out", str(folder), *settings, *words])


def opened(name: str, folder: Path) -> xr.Dataset:
    with xr.open_dataset(folder / f"{name}.nc", engine="h5netcdf") as data:
        return data.load()


@pytest.mark.parametrize("name", TINY)
def test_figure_is_drawn_saved_and_checked(name, tmp_path, capsys):
    """Picture and data, with settings, source and an interval for every claim."""
    assert made(name, tmp_path) in (0, 1)  # so few steps need not bear out any claim
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([f"{name}.nc", f"{name}.png"])
    data = opened(name, tmp_path)
    assert data.sizes["network"] == 3
    assert json.loads(data.attrs["settings"])["networks"] == 3
    for check in json.loads(data.attrs["checks"]):
        assert check["networks"] == 3
        assert check["low"] <= check["effect"] <= check["high"]
    assert "99% interval" in capsys.readouterr().out


def test_kinds_are_compared_in_pairs(tmp_path):
    """Teacher and start are those of the other kind of data, only what is learnt from them differs."""
    made("luckmatters.finite-data", tmp_path)
    rho_bar = opened("luckmatters.finite-data", tmp_path).rho_bar
    fixed, fresh = rho_bar.sel(data="fixed"), rho_bar.sel(data="fresh")
    np.testing.assert_array_equal(fixed.isel(epoch=0), fresh.isel(epoch=0))
    assert (abs(fixed - fresh).isel(epoch=-1).max(("network", "layer")) > 1e-3).all()


def test_a_stopped_figure_goes_on(tmp_path, capsys):
    """A checkpoint for every kind; made again from them it is the same, bit for bit; a broken one is exit 2."""
    name, runs = "luckmatters.finite-data", tmp_path / "runs"
    made(name, tmp_path / "once", "--runs", str(runs))
    kept = sorted(runs.iterdir())
    assert len(kept) == 4
    kept[0].unlink()
    made(name, tmp_path / "again", "--runs", str(runs))
    xr.testing.assert_identical(opened(name, tmp_path / "once"), opened(name, tmp_path / "again"))
    kept[1].write_text("no checkpoint")
    capsys.readouterr()
    assert made(name, tmp_path / "third", "--runs", str(runs)) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert list((tmp_path / "third").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("luckmatters.teacher-size", "small_widths=3", "small_widths: expected 2 layers as in widths"),
        ("luckmatters.over-parameterisation", "factors=2,1", "factors: expected two or more rising numbers"),
        ("luckmatters.over-parameterisation", "cnn_pixels=4", "inputs: expected at least 5 pixels"),
        ("specialization.8", "looks=2,1", "looks: expected rising epochs between 0 and 3"),
        ("specialization.8", "looks=3", "looks: expected rising epochs between 0 and 3"),
    ],
)
def test_bad_settings_are_one_line_and_exit_2(name, change, message, tmp_path, capsys):
    words = [change if change.split("=")[0] == word.split("=")[0] else word for word in (*TINY[name], *SMALL)]
    settings = [text for word in words for text in ("--set", word)]
    assert run(["figure", name, "--out", str(tmp_path), *settings]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_way_covered_starts_at_zero_and_ends_at_a_full_match():
    """Whatever the correlation at the start."""
    rho_bar = np.array([[0.2, 0.5], [0.6, 0.75], [1.0, 1.0]])
    np.testing.assert_allclose(way_covered(rho_bar, epochs=0), [[0, 0], [0.5, 0.5], [1, 1]])


EPOCHS, NETWORKS, LAYERS = np.arange(7.0), 6, 3

ARMS = [Arm("none", 0.05), Arm("after", 0.05)]


def rising(rate: float, noise: float = 0.002, top: float = 1.0) -> np.ndarray:
    """Correlations (epoch, network, layer) that rise from 0.3 towards ``top``, the lowest layer first."""
    rates = rate * np.array([1.0, 0.7, 0.5])
    rise = 1 - np.exp(-rates * EPOCHS[:, None, None] + np.zeros((1, NETWORKS, 1)))
    teacher = noise * np.array([-2.0, -1.5, -1.0, 1.0, 1.5, 2.0])[:, None]
    return 0.3 + (top - 0.3) * rise + teacher * (EPOCHS[:, None, None] > 0)


def outcomes(found: tuple[ClaimCheck, ...]) -> set[str]:
    assert found
    return {check.outcome for check in found}


def test_claims_about_teacher_size_can_fail():
    """They hold where they are built in, and are all refuted with the teachers' labels swapped."""
    rho_bar = np.stack([[rising(1.0), rising(0.6)], [rising(0.1), rising(0.2)]])
    data = luckmatters_teacher_size.dataset(ARMS, rho_bar, np.ones(rho_bar.shape[:-1]))
    assert outcomes(luckmatters_teacher_size.checks(data)) == {"observed"}
    assert outcomes(luckmatters_teacher_size.checks(data.assign_coords(teacher=["large", "small"]))) == {
        "not observed"
    }


def test_claims_about_finite_data_can_fail():
    """Fixed data that stall against fresh data that do not; swapped, all is refuted."""
    fresh, fixed = rising(0.3), rising(1.0, top=0.6)
    rho_bar = np.stack([[fixed, fixed], [fresh, fresh]])
    data = luckmatters_finite_data.dataset(ARMS, {"rho_bar": rho_bar})
    assert outcomes(luckmatters_finite_data.checks(data)) == {"observed"}
    assert outcomes(luckmatters_finite_data.checks(data.assign_coords(data=["fresh", "fixed"]))) == {
        "not observed"
    }


def test_claims_about_over_parameterisation_can_fail():
    """Widths that help up to 10 and slow beyond it; where 10 and 1 change places and 50 is fastest, all is refuted."""
    narrow, middle, wide = rising(0.3, 0.1, 0.7), rising(0.6, 0.02), rising(0.9)
    helping, harming = [narrow, middle, wide, rising(0.4)], [wide, middle, narrow, rising(2.0)]
    axes, factors = ("factor_{}", "epoch_{}", "network", "layer"), [1, 5, 10, 50]
    for order, expected in ((helping, {"observed"}), (harming, {"not observed"})):
        rho_bar = np.stack(order)
        data = xr.Dataset(coords={f"factor_{kind}": factors for kind in ("fc", "cnn")})
        for kind in ("fc", "cnn"):
            own = [axis.format(kind) for axis in axes]
            data[f"rho_bar_{kind}"] = own, rho_bar
            data[f"way_covered_{kind}"] = own, way_covered(rho_bar, epochs=1)
        assert outcomes(luckmatters_over_parameterisation.checks(data)) == expected


def test_claims_about_fan_out_can_fail():
    """Fan-outs that grow with the correlation, lower layers first; with either turned round all is refuted."""
    correlation = np.linspace(0, 1, 20) + np.zeros((LAYERS, len(EPOCHS), NETWORKS, 1))
    noise = np.random.default_rng(0).normal(0, 0.05, correlation.shape)
    rho_bar = rising(0.5)
    for turn, layers in ((1, slice(None)), (-1, slice(None, None, -1))):
        data = xr.Dataset(
            {
                "best_correlation": (("layer", "epoch", "network", "student"), correlation),
                "fan_out": (("layer", "epoch", "network", "student"), 2 + turn * (correlation + noise)),
                "rho_bar": (("epoch", "network", "layer"), rho_bar[..., layers]),
            },
            {"epoch": EPOCHS},
        )
        assert outcomes(specialization8.checks(data)) == {"observed" if turn == 1 else "not observed"}
