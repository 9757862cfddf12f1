"""The two-layer experiments: every step is SGD with autograd's gradients, for each network on its own."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dynamics.workers.pool import Done, Lost
from luckproof import (
    RunFolder,
    SpecializationNetworks,
    SpecializationSetting,
    Status,
    Trajectory,
    train_specialization,
)
from nets.arrays import DeviceArrays, HostArrays
from nets.specialization.plan import TrainingPlan
from nets.specialization.processes import LostTrainingError
from nets.specialization.run_folder import RunFileError
from nets.specialization.steps import StackedStudents
from nets.specialization.training import train_in_turn

EPS = float(np.finfo(np.float64).eps)
SMALL = {
    "d": 7,
    "c": 4,
    "train_samples": 60,
    "eval_samples": 50,
    "batch_size": 5,
    "lr": 0.05,
    "init_std": 0.3,
}


def small(m=3, over=2, polarity=1.0, **changed):
    return SpecializationSetting(m, over, polarity, **{**SMALL, **changed})


def autograd_steps(setting, W, V, x, target):
    layers = [torch.from_numpy(part.copy()).requires_grad_() for part in (W, V)]
    descent = torch.optim.SGD(layers, lr=setting.lr)
    for inputs, outputs in zip(torch.from_numpy(x), torch.from_numpy(target), strict=True):
        descent.zero_grad()
        residual = outputs - torch.relu(inputs @ layers[0]) @ layers[1][:-1] - layers[1][-1]
        (0.5 * residual.square().sum(1).mean()).backward()
        descent.step()
    return [layer.detach().numpy() for layer in layers]


@settings(max_examples=25)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 6), st.integers(1, 9), st.integers(0, 10**6))
@example(1, 1, 1, 1, 0)
def test_steps_equal_autograd(m, over, c, batch, seed):
    """Twelve steps of a stack of three against torch.optim.SGD one by one: biases included, rounding apart."""
    setting, steps = small(m, over, c=c, batch_size=batch), 12
    drawn = SpecializationNetworks.draw(setting, [seed, seed + 1, seed + 2])
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((3, steps, batch, setting.d + 1))
    x[..., -1] = 1
    target = rng.standard_normal((3, steps, batch, c))
    students = StackedStudents(setting, drawn.W.copy(), drawn.V.copy(), HostArrays())
    for step in range(steps):
        students.step(x[:, step], target[:, step])
    for s in range(3):
        expected = autograd_steps(setting, drawn.W[s], drawn.V[s], x[s], target[s])
        for ours, reference in zip((students.W[s], students.V[s]), expected, strict=True):
            # Sums of at most d + 1 + c + B terms of order one, twelve times.
            np.testing.assert_allclose(
                ours, reference, atol=12 * 30 * EPS * max(1, np.abs(reference).max()), rtol=0
            )


def test_torch_and_numpy_take_the_same_path():
    """Both array modules over 50 steps: the CUDA code path, run on the CPU."""
    setting = small()
    drawn = SpecializationNetworks.draw(setting, [4, 5])
    paths = []
    for xp in (HostArrays(), DeviceArrays(torch.device("cpu"))):
        students = StackedStudents(setting, xp.asarray(drawn.W.copy()), xp.asarray(drawn.V.copy()), xp)
        data = [xp.asarray(part) for part in drawn.training]
        batch = [xp.empty((2, setting.batch_size, part.shape[-1])) for part in drawn.training]
        for step in range(50):
            index = np.random.default_rng(step).integers(0, setting.train_samples, (2, setting.batch_size))
            for source, rows in zip(data, batch, strict=True):
                xp.take_rows(source, index, out=rows)
            students.step(*batch)
        paths.append([xp.to_host(students.W), xp.to_host(students.V)])
    for ours, theirs in zip(*paths, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e4 * EPS)


def test_a_network_does_not_depend_on_its_company():
    """Bit for bit: alone, among eleven, in groups shared by two processes."""
    setting = small(polarity=0.5)
    seeds = list(range(20, 31))
    together = train_specialization(setting, seed=seeds, networks=11, steps=70, record_at=[33])
    processes = train_specialization(setting, seed=seeds, networks=11, steps=70, record_at=[33], workers=2)
    alone = train_specialization(setting, seed=[seeds[9]], networks=1, steps=70, record_at=[33])
    assert together.t.tolist() == [0, 0.033, 0.07]
    for name, values in together.observables.items():
        np.testing.assert_array_equal(values, processes.observables[name])
        np.testing.assert_array_equal(values[:, 9], alone.observables[name][:, 0])


def test_training_learns_and_the_file_keeps_it(tmp_path):
    """A student with the paper's data at d = 10 covers its teachers; the run survives a round trip."""
    setting = SpecializationSetting(2, 3, 0.0, d=10, c=5, train_samples=1000, eval_samples=500)
    run = train_specialization(setting, seed=3, networks=3, steps=6000, record_every=3000)
    assert run.success
    assert np.all(run.observables["loss"][-1] < 1e-2 * run.observables["loss"][0])
    assert np.all(run.observables["correlation"][-1].max(axis=-1) > 0.95)
    run.save(tmp_path / "run.nc")
    again = Trajectory.load(tmp_path / "run.nc")
    assert again.attributes["setting"]["m"] == 2
    assert again.time_counts == "epochs of 1000 steps"
    assert again.problem["kind"] == "SpecializationNetworks"
    assert again.problem["network_seeds"] == run.attributes["network_seeds"]
    assert {name: again.problem[name] for name in ("m", "d", "lr")} == {"m": 2, "d": 10, "lr": setting.lr}
    np.testing.assert_array_equal(again.observables["correlation"], run.observables["correlation"])


def test_divergence_is_a_typed_result():
    """A step far too long: status, network and step are named, and finite records are kept."""
    run = train_specialization(small(lr=50.0), seed=0, networks=3, steps=400, record_every=20)
    assert run.status is Status.DIVERGED
    assert not run.success
    assert "network" in run.message
    assert all(np.isfinite(values).all() for values in run.observables.values())


@pytest.mark.parametrize(
    ("changed", "error", "named"),
    [
        ({"m": 0}, ValueError, "m: expected a positive integer"),
        ({"m": 2.5}, TypeError, "m: expected a positive integer"),
        ({"d": -1}, ValueError, "d:"),
        ({"polarity": -0.5}, ValueError, "polarity: expected a number >= 0, got -0.5"),
        ({"polarity": float("nan")}, ValueError, "polarity:"),
        ({"over_realisation": 0.5}, ValueError, "over_realisation: expected n/m >= 1"),
        ({"over_realisation": 1.5, "m": 3}, ValueError, "whole number n of nodes"),
        ({"lr": 0}, ValueError, "lr:"),
        ({"eval_samples": 1}, ValueError, "eval_samples:"),
        ({"bias": "low"}, TypeError, "bias:"),
    ],
)
def test_impossible_settings_are_named(changed, error, named):
    with pytest.raises(error, match=named):
        SpecializationSetting(**changed)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"networks": 0}, "networks"),
        ({"steps": 0}, "steps"),
        ({"seed": -1}, "seed"),
        ({"seed": [1, 2]}, "seed"),
        ({"workers": 0}, "workers"),
        ({"device": "abacus"}, "device"),
        ({"record_at": [999]}, "record_at"),
    ],
)
def test_impossible_runs_are_named(options, named):
    with pytest.raises(ValueError, match=named):
        train_specialization(small(), **{"seed": 0, "steps": 10, **options})


def test_kept_runs_are_found_again(tmp_path, monkeypatch):
    """A second time nothing is trained; fewer records are served from the same files, more networks add some."""
    plans = [
        TrainingPlan.of(small(polarity=p), seed=0, networks=8, steps=40, record_at=[10, 20], device="cpu")
        for p in (0.0, 1.0)
    ]
    store = RunFolder(tmp_path)
    first = list(train_in_turn(plans, store=store))
    assert len(list(tmp_path.iterdir())) == 2
    fewer = dataclasses.replace(plans[1], marks=(0, 20, 40))
    with monkeypatch.context() as patch:
        patch.setattr("nets.specialization.processes.train_group", None)
        again = list(train_in_turn([plans[0], fewer], store=store))
    for name, values in first[0].observables.items():
        np.testing.assert_array_equal(values, again[0].observables[name])
        np.testing.assert_array_equal(first[1].observables[name][[0, 2, 3]], again[1].observables[name])
    assert again[1].attributes["record_steps"] == [0, 20, 40]
    more = TrainingPlan.of(
        small(polarity=1.0), seed=0, networks=16, steps=40, record_at=[10, 20], device="cpu"
    )
    (wider,) = train_in_turn([more], store=store)
    np.testing.assert_array_equal(wider.observables["loss"][:, :8], first[1].observables["loss"])
    assert len(list(tmp_path.iterdir())) == 3
    assert store.find(dataclasses.replace(plans[1], marks=(0, 15, 40))) is None
    assert store.find(dataclasses.replace(plans[1], seeds=plans[1].seeds[::-1])) is None


def test_a_file_that_is_another_run_is_an_error(tmp_path):
    store = RunFolder(tmp_path)
    plans = [TrainingPlan.of(small(), seed=seed, steps=3, record_at=[], device="cpu") for seed in (0, 1)]
    list(train_in_turn(plans, store=store))
    store.path(plans[0]).replace(store.path(plans[1]))
    with pytest.raises(RunFileError, match="holds another run"):
        store.find(plans[1])
    store.path(plans[0]).write_text("not a run")
    with pytest.raises(RunFileError, match="NetCDF"):
        store.find(plans[0])


def test_a_damaged_run_is_never_taken_for_one(tmp_path):
    """One number changed on the disk: named with its remedy, and made again once it is removed."""
    store = RunFolder(tmp_path)
    plan = TrainingPlan.of(small(), seed=0, steps=3, record_at=[], device="cpu")
    (first,) = train_in_turn([plan], store=store)
    path = store.path(plan)
    number = np.float64(first.observables["loss"][-1, 0]).tobytes()
    whole = path.read_bytes()
    assert number in whole
    path.write_bytes(whole.replace(number, np.float64(0.5).tobytes()))
    with pytest.raises(
        RunFileError, match=rf"^runs: path: '{path}' is damaged: .*remove it and make it again"
    ):
        list(train_in_turn([plan], store=store))
    path.unlink()
    (again,) = train_in_turn([plan], store=store)
    np.testing.assert_array_equal(again.observables["loss"], first.observables["loss"])


def test_a_process_that_dies_costs_its_group_alone(tmp_path, monkeypatch):
    """The other groups are trained and kept; the error names the lost one, and the next run trains it alone."""
    plans = [
        TrainingPlan.of(small(polarity=p), seed=0, networks=1, steps=5, record_at=[], device="cpu")
        for p in (0.0, 0.5, 1.0)
    ]

    def dying(function, groups, count, context):
        yield 2, Done(function(groups[2]))
        yield 0, Lost("its process was killed")
        yield 1, Done(function(groups[1]))

    store = RunFolder(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("nets.specialization.processes.in_processes", dying)
        with pytest.raises(
            LostTrainingError, match=r"^group 1 of 3: its process was killed; the other groups were"
        ):
            list(train_in_turn(plans, workers=2, store=store))
    assert [store.path(plan).exists() for plan in plans] == [False, True, True]
    assert len(list(train_in_turn(plans, store=store))) == 3
