"""Every run ends as a Trajectory that says how, and bad arguments are refused by name before it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from luckproof import (
    Status,
    TeacherStudent,
    Trajectory,
    TwoLayerFlow,
    TwoLayerStudents,
    population_descent,
    teachers,
    train,
    two_layer_observables,
)
from nets.record_times import DEFAULT_RECORDS, record_steps

SETTINGS: dict[str, Any] = {"lr": 0.1, "batch_size": 8, "steps": 20, "seed": 0}


def problem(batch: tuple[int, ...] = (3,), n: int = 4, seed: int = 0) -> TeacherStudent:
    rng = np.random.default_rng(seed)
    teacher = teachers.random_unit(5, 2, rng, batch)
    return TeacherStudent.near_teacher(teacher, rng.standard_normal((*batch, 2, 3)), n, rng)


def students(device: str = "cpu", **options: Any) -> TwoLayerStudents:
    return TwoLayerStudents.from_problem(problem(), device, **options)


@pytest.mark.parametrize("batch", [(), (3,), (2, 2)])
def test_records_have_the_shapes_of_the_flow(batch: tuple[int, ...], device: str, tmp_path: Path) -> None:
    """Time, state and observables carry the problem's leading axes, and survive a file."""
    instance = problem(batch)
    run = train(TwoLayerStudents.from_problem(instance, device), train_V=True, record_every=5, **SETTINGS)
    assert run.success
    assert run.status is Status.FINISHED
    assert np.array_equal(run.t, 0.1 * np.array([0, 5, 10, 15, 20]))
    flow = TwoLayerFlow(instance)
    for name, array in {
        **flow.unpack(flow.initial_state()),
        **flow.observables(flow.initial_state()),
    }.items():
        assert run.arrays[name].shape == (5, *array.shape)
        assert np.allclose(run.arrays[name][0], array, rtol=0, atol=1e-14)
    assert len(run.attributes["network_seeds"]) == TwoLayerStudents.from_problem(instance, "cpu").count
    assert run.attributes["versions"]["torch"] == torch.__version__
    run.save(tmp_path / "run.nc")
    loaded = Trajectory.load(tmp_path / "run.nc")
    assert np.array_equal(loaded.observables["loss"], run.observables["loss"])


def test_observables_are_those_of_the_flows() -> None:
    """What is recorded at the end is two_layer_observables of the weights that the students then hold."""
    ensemble = students()
    run = train(ensemble, **SETTINGS)
    for name, array in two_layer_observables(ensemble.problem, *ensemble.weights()).items():
        assert np.array_equal(run.observables[name][-1], array)


def test_recorded_loss_is_the_expected_batch_loss(device: str) -> None:
    """The closed-form loss is the mean of the loss on samples, within its sampling error."""
    ensemble = students(device)
    loss = train(ensemble, **SETTINGS).observables["loss"][-1]
    x = torch.as_tensor(np.random.default_rng(1).standard_normal((3, 20_000, 5)), device=ensemble.device)
    sampled = 0.5 * (ensemble.teacher(x) - ensemble.forward(x)).square().sum(-1).cpu().numpy()
    error = sampled.std(axis=1) / np.sqrt(sampled.shape[1])
    assert np.all(np.abs(sampled.mean(axis=1) - loss) <= 6 * error)
    assert np.all(np.abs(sampled.mean(axis=1) - 1.2 * loss) > 6 * error)  # control


def test_divergence_names_network_and_step(device: str) -> None:
    """One network with a hundred times the fan-out diverges; the records before it are kept, for every network."""
    start = problem()
    fan_out = start.student_V.copy()
    fan_out[1] *= 100
    loud = TeacherStudent(start.teacher_W, start.student_W, start.teacher_V, fan_out)
    settings = {**SETTINGS, "steps": 500, "projected": False}
    run = train(TwoLayerStudents.from_problem(loud, device), record_every=1, **settings)
    assert run.message.startswith("diverged: network 1 at step ")
    check_diverged(run)
    # Seldom looked at, the run names the same step: every step's batch loss is kept until the next look.
    seldom = train(TwoLayerStudents.from_problem(loud, device), record_at=[], **settings)
    assert abs(named_step(seldom) - named_step(run)) <= 1
    assert seldom.t.size == 1
    ended = named_step(seldom)  # the weights there have no finite loss; a step before they had
    for steps, succeeds in ((ended - 1, True), (ended, False)):
        short = train(
            TwoLayerStudents.from_problem(loud, device), record_at=[], **{**settings, "steps": steps}
        )
        assert short.success is succeeds


def test_divergence_of_the_projected_step(device: str) -> None:
    """On unit columns V diverges where lr is far above two over the largest eigenvalue of its Gram matrix."""
    check_diverged(
        train(students(device), **{**SETTINGS, "lr": 50.0, "steps": 500}, train_V=True, record_every=1)
    )


def named_step(run: Trajectory) -> int:
    return int(run.message.split("at step ")[1].split()[0])


def check_diverged(run: Trajectory) -> None:
    """Typed, with a remedy, and with every finite record before the step that is named."""
    assert run.status is Status.DIVERGED
    assert not run.success
    assert "lower lr" in run.message
    # The batch loss can overflow a step before the closed-form loss of a recorded state, or after it.
    assert run.t.size - named_step(run) in (0, 1)
    assert np.isfinite(run.state["W"]).all()
    assert np.isfinite(run.observables["loss"]).all()


def test_divergent_start_is_kept() -> None:
    """A loss that overflows at the start gives a diverged result with that one record, not an exception."""
    huge = TeacherStudent(np.eye(2), 1e200 * np.eye(2))
    run = train(TwoLayerStudents.from_problem(huge, "cpu"), projected=False, **SETTINGS)
    assert run.status is Status.DIVERGED
    assert run.t.size == 1
    descent = population_descent(TwoLayerFlow(huge, projected=False), lr=0.1, steps=5)
    assert descent.status is Status.DIVERGED
    assert descent.t.size == 1


def test_population_descent_diverges_typed() -> None:
    """Too large a step on the plain flow ends as diverged with finite records."""
    run = population_descent(TwoLayerFlow(problem(), projected=False), lr=100.0, steps=200, record_every=1)
    assert run.status is Status.DIVERGED
    assert np.isfinite(run.observables["loss"]).all()
    projected = population_descent(TwoLayerFlow(problem()), lr=50.0, steps=500, record_every=1)
    assert projected.status is Status.DIVERGED
    assert np.isfinite(projected.observables["loss"]).all()


def test_wall_budget_ends_the_run() -> None:
    """max_seconds stops with status time_limit and a record of where it stopped."""
    run = train(students(), **{**SETTINGS, "steps": 10**7}, record_at=[], max_seconds=0.2)
    assert run.status is Status.TIME_LIMIT
    assert not run.success
    assert 0 < run.n_steps < 10**7
    assert run.attributes["record_steps"] == [0, run.n_steps]


def test_progress_reports_the_fraction_done() -> None:
    """A callable gets increasing fractions that end at one."""
    seen: list[float] = []
    train(students(), **SETTINGS, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1


def test_frozen_fan_out_stays() -> None:
    """train_V=False leaves V as it was; so does projected training by default, and plain training does not."""
    for options, moves in (
        ({}, False),
        ({"projected": False}, True),
        ({"projected": False, "train_V": False}, False),
    ):
        ensemble = students()
        before = ensemble.V.clone()
        run = train(ensemble, **SETTINGS, **options)
        assert torch.equal(ensemble.V, before) is not moves
        assert ("V" in run.state) is moves


def test_training_in_two_parts_continues_from_the_weights() -> None:
    """The students are moved in place: a second run starts where the first one ended."""
    ensemble = students()
    first = train(ensemble, **SETTINGS)
    second = train(ensemble, **{**SETTINGS, "seed": 1})
    assert np.array_equal(second.state["W"][0], first.state["W"][-1])


def test_record_steps() -> None:
    """Both ends are always recorded; the default is about two hundred records."""
    assert record_steps(10, 4) == [0, 4, 8, 10]
    assert record_steps(10, at=[3, 7]) == [0, 3, 7, 10]
    assert len(record_steps(100_000)) == DEFAULT_RECORDS + 1


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"lr": 0.0}, "lr"),
        ({"lr": float("nan")}, "lr"),
        ({"lr": "fast"}, "lr"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"steps": -1}, "steps"),
        ({"seed": -1}, "seed"),
        ({"seed": [1, 2]}, "seed"),
        ({"seed": "abc"}, "seed"),
        ({"max_seconds": 0}, "max_seconds"),
        ({"record_every": 0}, "record_every"),
        ({"record_at": [21]}, "record_at"),
        ({"record_at": [0.5]}, "record_at"),
        ({"record_at": [1], "record_every": 2}, "record_at"),
    ],
)
def test_bad_arguments_are_named(changes: dict[str, Any], match: str) -> None:
    """A wrong value is refused at the boundary, with the argument's name first."""
    with pytest.raises((ValueError, TypeError), match=f"^{match}: expected"):
        train(students(), **{**SETTINGS, **changes})


def test_bad_networks_are_named() -> None:
    """Device, dtype, problem and weights are checked where they enter."""
    with pytest.raises(ValueError, match=r"^device: expected 'auto'"):
        students("tpu")
    with pytest.raises(ValueError, match=r"^dtype: expected"):
        students(dtype=torch.float16)
    with pytest.raises(TypeError, match=r"^problem: expected"):
        TwoLayerStudents.from_problem("teacher", "cpu")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^W: expected shape"):
        students().assign(torch.zeros(1), torch.zeros(1))
    with pytest.raises(ValueError, match="expected unit columns"):
        train(TwoLayerStudents.from_problem(TeacherStudent(np.eye(2), 2 * np.eye(2)), "cpu"), **SETTINGS)


def test_absent_cuda_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking for CUDA where torch sees none is a ValueError that says so; auto then takes the CPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=r"^device: expected a device that torch sees, got 'cuda'"):
        students("cuda")
    assert students("auto").device.type == "cpu"


def test_results_say_their_problem_and_what_time_counts(tmp_path: Path) -> None:
    """Networks and the exact map alike: t is steps × lr, and the saved run's problem is the one trained on."""
    one, other = (problem(seed=seed) for seed in (0, 1))
    for teacher in (one, other):
        for run in (
            train(TwoLayerStudents.from_problem(teacher, "cpu"), **SETTINGS),
            population_descent(TwoLayerFlow(teacher), lr=0.1, steps=20),
        ):
            run.save(tmp_path / "run.nc")
            loaded = Trajectory.load(tmp_path / "run.nc")
            assert loaded.time_counts == "steps × lr"
            again = TeacherStudent.from_description(loaded.problem)
            assert np.array_equal(again.teacher_W, teacher.teacher_W)
            assert np.array_equal(again.student_W, teacher.student_W)
            assert loaded.final_state.size == sum(a[-1].size for a in loaded.state.values())
    assert not np.array_equal(one.teacher_W, other.teacher_W)
