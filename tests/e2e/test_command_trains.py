"""``luckproof train``: networks from a simulation's options, with its starts, observables and files."""

from __future__ import annotations

import numpy as np
import pytest

from dynamics.two_layer.problem_options import FlowName, MeasureName
from dynamics.two_layer.simulation import TwoLayerSimulation
from luckproof import Trajectory, TwoLayerStudents, train
from nets.two_layer.training_options import TwoLayerTraining
from verify.command.main import run


def trained(*words: object) -> int:
    return run(["train", *map(str, words)])


SHORT = ("--m", 2, "--d", 4, "--steps", 40, "--points", 5, "--batch-size", 16)


def test_run_is_saved_plotted_and_summarised(tmp_path, capsys):
    """NetCDF with every option in it; a PNG; the measured rate within five standard errors of the predicted one."""
    out, plot = tmp_path / "nets.nc", tmp_path / "nets.png"
    words = ("--m", 2, "--d", 4, "--seed", 3, "--steps", 800, "--batch-size", 512)
    assert trained(*words, "--out", out, "--plot", plot) == 0
    shown, complaints = capsys.readouterr()
    assert complaints == ""
    assert "projected networks: d 4, m 2, n 2, c 1" in shown
    measured, error = shown.split("late rate, measured: ")[1].split(" (")[0].split(" ± ")
    predicted = shown.split("late rate, predicted: ")[1].split(" = ")[0]
    assert abs(float(measured) - float(predicted)) < 5 * float(error)
    saved = Trajectory.load(out)
    assert saved.attributes["training"]["batch_size"] == 512
    assert saved.attributes["training"]["seed"] == saved.problem["seed"] == 3
    assert saved.state["W"].shape == (201, 16, 4, 2)
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["nets.nc", "nets.png"]


@pytest.mark.parametrize("flow", list(FlowName))
def test_starts_and_observables_are_those_of_simulate(flow):
    """From the same seed: teachers and starts bit for bit, every observable, the same values of them at the start."""
    simulation = TwoLayerSimulation(flow, d=4, m=2, instances=3, seed=5, t_end=1.0, points=3)
    training = TwoLayerTraining(flow, d=4, m=2, instances=3, seed=5, steps=10, points=3, networks=2)
    students = training.build()
    for name in ("teacher_W", "student_W", "teacher_V", "student_V"):
        drawn = getattr(simulation.problem(), name)
        assert np.array_equal(getattr(students.problem, name), np.repeat(drawn, 2, axis=0))
    integrated, stepped = simulation.run(simulation.build()), training.run(students)
    assert list(stepped.state) == list(integrated.state)
    assert set(stepped.observables) == set(integrated.observables)
    for name, values in integrated.observables.items():
        start = np.repeat(values[0], 2, axis=0)
        np.testing.assert_allclose(stepped.observables[name][0], start, rtol=1e-12, atol=1e-15)
    assert not np.array_equal(stepped.state["W"][-1, 0], stepped.state["W"][-1, 1])


@pytest.mark.parametrize(
    ("flow", "rule"),
    [
        (FlowName.PROJECTED, {"projected": True, "train_V": False}),
        (FlowName.TWO_LAYER, {"projected": True, "train_V": True}),
        (FlowName.GRADIENT, {"projected": False, "train_V": True}),
    ],
)
def test_it_is_train_with_the_rule_of_the_flow(flow, rule):
    """The same bits as the function with the same arguments."""
    options = TwoLayerTraining(flow, d=3, m=2, steps=20, points=3, networks=2, batch_size=8)
    found = options.run(options.build())
    students = TwoLayerStudents.from_problem(options.build().problem, device="cpu")
    again = train(
        students, lr=0.1, batch_size=8, steps=20, seed=options.training_seed, record_at=[0, 10, 20], **rule
    )
    assert all(np.array_equal(array, again.arrays[name]) for name, array in found.arrays.items())


@pytest.mark.parametrize("products", ["float32", "float32-backward"])
def test_products_are_in_the_number_format_asked_for(products, tmp_path, capsys):
    """Train's own bits with the same products, which are not those of float64; summary and file say so."""
    out = tmp_path / "nets.nc"
    assert trained(*SHORT, "--products", products, "--networks", 2, "--out", out) == 0
    assert f"products {products}" in capsys.readouterr().out
    options = TwoLayerTraining(d=4, m=2, steps=40, points=5, batch_size=16, networks=2)
    runs = [
        train(options.build(), lr=0.1, batch_size=16, steps=40, seed=options.training_seed, projected=True,
              train_V=False, record_at=options.record_at, products=word)
        for word in (products, "own")
    ]  # fmt: skip
    found = Trajectory.load(out)
    assert found.attributes["training"]["products"] == products
    same, other = (np.array_equal(found.state["W"], run.state["W"]) for run in runs)
    assert (same, other) == (True, False)


def test_one_network_of_one_draw_has_no_ensemble_axis():
    """As one simulated instance has none; other seeds are other samples."""
    one = TwoLayerTraining(d=3, m=2, steps=4, points=2, networks=1, measure=MeasureName.BIASED)
    assert one.run(one.build()).state["W"].shape == (2, 4, 2)
    assert one.training_seed != TwoLayerTraining(seed=1).training_seed


def test_more_points_than_steps_are_the_steps():
    """No step is recorded twice."""
    assert TwoLayerTraining(steps=3).record_at == [0, 1, 2, 3]
    assert TwoLayerTraining(steps=1000).record_at == list(range(0, 1001, 5))


def test_diverged_training_exits_3_and_writes_nothing(tmp_path, capsys):
    """One line names network, step and remedy."""
    out = tmp_path / "nets.nc"
    assert trained(*SHORT, "--flow", "gradient", "--lr", 1e6, "--out", out) == 3
    shown, complaint = capsys.readouterr()
    assert shown == ""
    assert complaint.startswith("luckproof: training failed: diverged: ")
    assert complaint.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--flow", "deep"], "--flow: expected one of projected, two-layer, gradient, got 'deep'"),
        (["--t-end", "3"], "No such option: --t-end"),
        (["--lr", "0"], "--lr: expected"),
        (["--batch-size", "0"], "--batch-size: expected a positive integer"),
        (["--steps", "-1"], "--steps: expected a positive integer"),
        (["--networks", "0"], "--networks: expected a positive integer"),
        (["--networks", "100000000000"], "--networks: the run takes about"),
        (
            ["--products", "float16"],
            "--products: expected one of own, float32, float32-backward, got 'float16'",
        ),
        (["--momentum", "1"], "--momentum: expected a number in [0, 1)"),
        (["--weight-decay", "0.1"], "--weight-decay: expected 0 for the projected flow"),
        (["--device", "tpu"], "--device: expected 'auto', 'cpu', 'cuda' or 'cuda:N', got 'tpu'"),
        (["--theta0", "0.1", "--flow", "gradient", "--p-w", "1"], "--theta0: expected either"),
        (["--plot", "run.pdf"], "--plot: expected a .png or .svg file"),
    ],
)
def test_bad_options_are_one_line_and_exit_2(words, named, tmp_path, capsys, monkeypatch):
    """Named as on the command line."""
    monkeypatch.chdir(tmp_path)
    assert trained(*words) == 2
    shown, complaint = capsys.readouterr()
    assert shown == ""
    assert complaint.count("\n") == 1
    assert named in complaint
    assert list(tmp_path.iterdir()) == []
