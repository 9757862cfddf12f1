"""``luckproof simulate``: the run, its file, its picture and its rates; failures end in exit code 3."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from dynamics.two_layer.problem_options import FlowName, MeasureName, TeacherName
from dynamics.two_layer.simulation import TwoLayerSimulation
from luckproof import TeacherStudent, Trajectory
from tests.e2e.commands import REAL, command
from verify.command.measured_rates import rates_of


def simulate(*words, **options):
    return command("simulate", *words, program=REAL, **options)


def test_run_is_saved_plotted_and_summarised(tmp_path):
    """NetCDF that xarray opens, with the resolved options in it; a PNG; the two rates agree on stdout."""
    out, plot = tmp_path / "run.nc", tmp_path / "run.png"
    done = simulate("--m", 2, "--d", 4, "--seed", 3, "--out", out, "--plot", plot, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "ProjectedFlow: d 4, m 2, n 2, c 1" in done.stdout
    ratio = float(done.stdout.rsplit("measured / spectral ", 1)[1].rstrip(")\n"))
    assert ratio == pytest.approx(1, abs=5e-3)
    with xr.open_dataset(out, engine="h5netcdf") as dataset:
        assert dataset.sizes["time"] == 201
    assert Trajectory.load(out).attributes["simulation"]["seed"] == 3
    assert Trajectory.load(out).problem["seed"] == 3
    assert TeacherStudent.from_description(Trajectory.load(out).problem).m == 2
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.nc", "run.png"]


@pytest.mark.parametrize("modulation", ["per-sample", "separated"])
def test_deep_run_is_saved_plotted_and_summarised(modulation, tmp_path, capsys):
    """The file holds options, weights and gaps by layer; the summary names widths, the method and the gaps."""
    from verify.command.main import run

    words = ["--flow", "deep", "--widths", "4-3-3-2", "--modulation", modulation, "--samples", "50"]
    words += ["--t-end", "2", "--points", "5", "--instances", "2", "--p-w", "0.5"]
    out, plot = tmp_path / "run.nc", tmp_path / "run.svg"
    assert run(["simulate", *words, "--out", str(out), "--plot", str(plot)]) == 0
    shown = capsys.readouterr().out
    assert f"teacher 4-3-3-2, student 4-6-6-2, {modulation} modulation, 50 samples, 2 instance(s)" in shown
    assert "HeunDescent: finished at t = 2" in shown
    saved = Trajectory.load(out)
    assert saved.attributes["simulation"]["widths"] == [4, 3, 3, 2]
    assert saved.state["W1"].shape == (5, 2, 6, 6)
    assert saved.observables["field_gap"].shape == (5, 2, 3)
    assert np.all(np.diff(saved.observables["loss"], axis=0) < 0) or modulation == "separated"
    assert plot.read_text().startswith("<?xml")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.nc", "run.svg"]


def test_failed_integration_exits_3_and_writes_nothing(tmp_path):
    """One line names how far it came and the remedy."""
    done = simulate("--max-steps", 3, "--out", tmp_path / "run.nc", "--plot", tmp_path / "run.svg")
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.startswith("luckproof: integration failed: step_limit at t = ")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--flow", "sideways"], "--flow: expected one of projected, two-layer, gradient, deep"),
        (["--flow", "two-layer", "--widths", "3-4-5"], "--widths: only the deep flow has it"),
        (["--flow", "deep", "--n", "5"], "--n: the deep flow has no such option"),
        (["--flow", "deep", "--measure", "isotropic"], "--measure: the deep flow has no such option"),
        (["--flow", "deep", "--widths", "3-x-2"], "--widths: expected whole numbers such as 10-8-8-5"),
        (["--flow", "deep", "--widths", "3-4"], "widths: expected inputs, hidden layers and outputs"),
        (["--flow", "deep", "--widths", "3-0-2"], "widths: expected a positive integer"),
        (["--flow", "deep", "--widths", "1-9-2"], "m: expected at most"),
        (["--flow", "deep", "--factor", "0"], "factor: expected a positive integer"),
        (["--flow", "deep", "--samples", "0"], "samples: expected a positive integer"),
        (["--flow", "deep", "--modulation", "exact"], "--modulation: expected one of per-sample, separated"),
        (["--flow", "deep", "--p-w", "-1"], "--p-w: expected a number >= 0"),
        (["--method", "HeunDescent"], "method: HeunDescent expects a flow with with_loss"),
        (["--teacher", "strict"], "--teacher"),
        (["--measure", "uniform"], "--measure"),
        (["--method", "Euler"], "method"),
        (["--d", "3"], "m: expected at most d = 3"),
        (["--d", "0"], "d: expected a positive integer"),
        (["--n", "9"], "n: expected n = m = 5"),
        (["--flow", "two-layer", "--n", "2"], "n: expected at least m = 5"),
        (["--flow", "two-layer", "--c", "0"], "c: expected a positive integer"),
        (["--theta0", "4"], "theta0"),
        (["--theta0", "nan"], "theta0"),
        (["--p-w", "1"], "--p-w: the projected flow starts at an angle theta0"),
        (["--flow", "two-layer", "--p-w", "-1"], "--p-w: "),
        (["--flow", "two-layer", "--p-w", "1", "--theta0", "0.1"], "theta0"),
        (["--threshold", "1"], "threshold"),
        (["--measure", "biased", "--threshold", "nan"], "threshold"),
        (["--measure", "uniform"], "--measure: expected one of isotropic, biased, anisotropic"),
        (["--condition", "4"], "--condition: expected none without the anisotropic measure"),
        (["--measure", "anisotropic", "--condition", "0.5"], "--condition: expected a number >= 1"),
        (["--measure", "mixture", "--separation", "-1"], "--separation: expected"),
        (["--measure", "laplace", "--samples", "0"], "--samples: expected a positive integer"),
        (["--slope", "0.1"], "--slope: expected none without the leaky_relu activation"),
        (["--activation", "leaky_relu", "--slope", "2"], "--slope: expected a number in [0, 1]"),
        (["--activation", "gelu"], "--activation: expected one of relu, leaky_relu"),
        (["--t-end", "0"], "--t-end: "),
        (["--t-end", "inf"], "--t-end: "),
        (["--points", "1"], "points"),
        (["--rtol", "0"], "rtol"),
        (["--rtol", "1e-20"], "rtol"),
        (["--atol", "-1"], "atol"),
        (["--until", "0"], "--until: "),
        (["--instances", "0"], "instances"),
        (["--seed", "-2"], "seed"),
        (["--plot", "run.pdf"], "--plot: expected a .png or .svg file"),
        (["--out", "missing/run.nc"], "--out: the folder missing does not exist"),
        (["--out", "same.png", "--plot", "same.png"], "--plot"),
    ],
)
def test_bad_options_are_one_line_and_exit_2(words, named, tmp_path, capsys, monkeypatch):
    """Checked in this process, the same entry point without the start-up time."""
    from verify.command.main import run

    monkeypatch.chdir(tmp_path)
    assert run(["simulate", *words]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.count("\n") == 1
    assert named in streams.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("instances", [1, 3])
@pytest.mark.parametrize("teacher", list(TeacherName))
@pytest.mark.parametrize("flow", list(FlowName))
def test_every_flow_runs_from_every_teacher(flow, teacher, instances):
    """The loss falls, and a stack of draws is integrated at once."""
    options = TwoLayerSimulation(flow, teacher, d=6, m=2, instances=instances, t_end=20.0, points=21)
    trajectory = options.run(options.build())
    loss = trajectory.observables["loss"]
    assert trajectory.success
    assert loss.shape == ((21,) if instances == 1 else (21, instances))
    assert np.all(loss[-1] < loss[0])


def test_biased_measure_has_its_spectral_rate():
    """Thresholded teachers: the late decay settles on the rate of the finite-difference Jacobian."""
    options = TwoLayerSimulation(
        measure=MeasureName.BIASED,
        d=4,
        m=1,
        threshold=1.0,
        theta0=0.05,
        t_end=300.0,
        points=301,
        rtol=1e-11,
        atol=1e-13,
    )
    flow = options.build()
    rates = rates_of(flow, options.run(flow), 1e-11)
    assert rates.ratio == pytest.approx(1, abs=5e-3)


def test_rates_say_why_they_are_missing():
    """A run too short to decay has no measured rate, and the reason is given; the spectral one stands."""
    options = TwoLayerSimulation(m=2, d=4, t_end=1.0)
    flow = options.build()
    rates = rates_of(flow, options.run(flow), 1e-8)
    assert rates.fit is None
    assert rates.ratio is None
    assert rates.no_fit.startswith("not late yet: ||sin theta|| ends at")
    assert "integrate longer (--t-end" in rates.no_fit
    assert rates.spectral > 0


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"t_end": 100.0, "points": 11}, "output times only: integrate longer, or record more often"),
        ({"t_end": 5000.0, "points": 101}, "too few output times with every instance between 0.001 and"),
    ],
)
def test_records_too_sparse_for_a_rate_say_so(options, why):
    """Late, but seen too seldom; or late between two looks and rounding after them."""
    simulation = TwoLayerSimulation(m=2, d=4, **options)
    flow = simulation.build()
    rates = rates_of(flow, simulation.run(flow), 1e-8)
    assert rates.fit is None
    assert why in rates.no_fit


@pytest.mark.parametrize(("instances", "bands"), [(3, 0), (100, 2)])
def test_many_instances_are_drawn_as_bands(instances, bands):
    """A few are lines, one each; many are a median between two bands."""
    from verify.command.two_layer_picture import picture

    simulation = TwoLayerSimulation(m=2, d=4, instances=instances, t_end=5.0, points=11)
    flow = simulation.build()
    run = simulation.run(flow)
    angles, loss = picture(flow, run, rates_of(flow, run, 1e-8)).axes
    assert len(angles.collections) == len(loss.collections) == bands
    assert len(loss.lines) == (1 if bands else instances)


def test_default_projected_start_is_theta0():
    """The papers' setting: every student at 0.3 from its teacher; teachers as drawn from the seed."""
    problem = TwoLayerSimulation(seed=11).problem()
    overlap = np.einsum("dj,dj->j", problem.teacher_W, problem.student_W)
    np.testing.assert_allclose(overlap, np.cos(0.3), rtol=1e-14)
    np.testing.assert_array_equal(problem.teacher_W, TwoLayerSimulation(seed=11).problem().teacher_W)
    assert not np.array_equal(problem.teacher_W, TwoLayerSimulation(seed=12).problem().teacher_W)
