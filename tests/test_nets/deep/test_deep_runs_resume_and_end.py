"""Runs of deep ensembles: networks train alone, runs resume bit for bit and end with a typed result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from luckproof import (
    SGD,
    Architecture,
    DeepNetworks,
    FixedSamples,
    FreshGaussian,
    Status,
    Trajectory,
    deep_teachers,
    network_seeds,
    train_deep,
)
from nets.checkpoints.tensor_files import Checkpoint
from nets.deep.metrics import Evaluation, Record, evaluate
from nets.deep.training.batches import BatchSource, gaussian_inputs
from nets.deep.training.plan import LARGE_NETWORK, group_size

SHAPE = Architecture((5,), (4, 3), 2, normalisation="after")
MOMENTUM = SGD(0.02, momentum=0.5, weight_decay=0.01, drops=((1, 0.01),))


def fresh(shape: Architecture, seeds: list[int]) -> FreshGaussian:
    return FreshGaussian(shape.inputs, tuple(seeds), 8, 80, std=1.0)


def trained(
    seeds: list[int],
    epochs: int = 3,
    source: BatchSource | None = None,
    sgd: SGD = MOMENTUM,
    **options: object,
) -> tuple[DeepNetworks, Trajectory]:
    teacher = deep_teachers.separated_teacher(replace(SHAPE, normalisation="none"), seeds)
    students = deep_teachers.random_start(SHAPE.over_parameterised(2), seeds)
    given = fresh(SHAPE, seeds) if source is None else source
    x = gaussian_inputs(SHAPE.inputs, seeds, 50, 1.0)
    run = train_deep(students, teacher, given, sgd=sgd, epochs=epochs, evaluation=x, **options)  # type: ignore[arg-type]
    return students, run


def assert_same(a: DeepNetworks, b: DeepNetworks, atol: float = 0.0) -> None:
    for name, value in a.tensors().items():
        torch.testing.assert_close(value, b.tensors()[name], rtol=0, atol=atol)


def finite_set(seeds: list[int]) -> FixedSamples:
    return FixedSamples.gaussian(SHAPE.inputs, seeds, samples=43, std=1.0, batch_size=8)


def test_a_run_resumed_between_two_records_keeps_the_losses_since_the_last(tmp_path: Path) -> None:
    """``train_loss`` is the mean over all steps between records, those before the interruption too."""
    seeds, file = network_seeds(4, 2), tmp_path / "run.safetensors"
    _, once = trained(seeds, epochs=4, record_at=(0, 4))

    def stop(fraction: float) -> None:
        if fraction > 0.6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(seeds, epochs=4, record_at=(0, 4), checkpoint=file, progress=stop)
    assert Checkpoint.load(file).position == 2
    _, resumed = trained(seeds, epochs=4, record_at=(0, 4), checkpoint=file)
    np.testing.assert_array_equal(resumed.observables["train_loss"], once.observables["train_loss"])


@pytest.mark.parametrize("made", [lambda seeds: fresh(SHAPE, seeds), finite_set], ids=["fresh", "finite"])
def test_a_network_trains_alone_as_in_company(made: object) -> None:
    """Network 2 of three, trained again with its own seed: same weights and records up to rounding."""
    seeds = network_seeds(4, 3)
    together, run = trained(seeds, source=made(seeds))  # type: ignore[operator]
    alone, own = trained(seeds[2:], source=made(seeds[2:]))  # type: ignore[operator]
    assert_same(together.part(slice(2, 3)), alone, atol=1e-12)
    for name, values in own.observables.items():
        np.testing.assert_allclose(run.observables[name][:, 2:], values, rtol=0, atol=1e-10, equal_nan=True)
    other, _ = trained(seeds[:1], source=made(seeds[:1]))  # type: ignore[operator]
    assert (other.weights[0] - alone.weights[0]).abs().max() > 1e-3


def test_workers_change_nothing() -> None:
    """Large networks are trained one by one; two threads give the same bits as one."""
    shape = Architecture((20,), (150, 150), 100)
    assert shape.parameters >= LARGE_NETWORK
    seeds = network_seeds(0, 3)
    ends = []
    for workers in (1, 2):
        teacher, students = (
            deep_teachers.separated_teacher(shape, seeds),
            deep_teachers.random_start(shape, seeds),
        )
        assert group_size(students) == 1 or students.device.type != "cpu"
        x = gaussian_inputs(shape.inputs, seeds, 20)
        train_deep(
            students, teacher, fresh(shape, seeds), sgd=SGD(1e-3), epochs=1, evaluation=x, workers=workers
        )
        ends.append(students)
    assert_same(*ends)


@pytest.mark.parametrize("made", [lambda seeds: fresh(SHAPE, seeds), finite_set], ids=["fresh", "finite"])
def test_a_resumed_run_is_the_same_run(made: object, tmp_path: Path) -> None:
    """InterruptedRunError after two epochs of four and continued: every bit of weights and records as in one go."""
    seeds = network_seeds(4, 2)
    whole, once = trained(seeds, epochs=4, source=made(seeds))  # type: ignore[operator]
    file = tmp_path / "run.safetensors"

    class InterruptedRunError(Exception):
        pass

    def stop(fraction: float) -> None:
        if fraction > 0.6:  # in the third epoch
            raise InterruptedRunError

    with pytest.raises(InterruptedRunError):
        trained(seeds, epochs=4, source=made(seeds), checkpoint=file, progress=stop)  # type: ignore[operator]
    assert Checkpoint.load(file).position == 2
    resumed, again = trained(seeds, epochs=4, source=made(seeds), checkpoint=file)  # type: ignore[operator]
    assert_same(whole, resumed)
    for name, values in once.observables.items():
        np.testing.assert_array_equal(values, again.observables[name])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.safetensors"]
    finished, third = trained(seeds, epochs=4, source=made(seeds), checkpoint=file)  # type: ignore[operator]
    assert_same(whole, finished)
    assert third.status == Status.FINISHED


class BestOfStudents:
    """The best correlation of every student of the lowest layer, whichever teacher node it is with."""

    dimensions: ClassVar = {"student_rho_1": ("student_1",)}

    def __call__(
        self, students: DeepNetworks, teacher: DeepNetworks, x: torch.Tensor, found: Evaluation
    ) -> Record:
        return {"student_rho_1": found.layers[0].rho.amax(-1).numpy()}


def test_an_observer_measures_more_at_every_record(tmp_path: Path) -> None:
    """Of all networks, in a resumed run as in one go; a checkpoint without its records is refused."""
    seeds, file = network_seeds(4, 3), tmp_path / "run.safetensors"
    students, run = trained(seeds, epochs=2, observe=BestOfStudents(), checkpoint=file)
    x = gaussian_inputs(SHAPE.inputs, seeds, 50, 1.0)
    teacher = deep_teachers.separated_teacher(replace(SHAPE, normalisation="none"), seeds)
    measured = run.observables["student_rho_1"]
    assert measured.shape == (3, 3, 8)
    np.testing.assert_array_equal(measured[-1], evaluate(students, teacher, x).layers[0].rho.amax(-1))
    assert run.to_xarray().student_rho_1.dims == ("time", "instance", "student_1")
    _, again = trained(seeds, epochs=2, observe=BestOfStudents(), checkpoint=file)
    np.testing.assert_array_equal(again.observables["student_rho_1"], measured)
    with pytest.raises(ValueError, match="its observed is"):
        trained(seeds, epochs=2, checkpoint=file)


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    """Each change of a setting is named in one error; nothing is trained and the file stays as it is."""
    seeds, file = network_seeds(4, 2), tmp_path / "run.safetensors"
    trained(seeds, epochs=2, checkpoint=file)
    before = file.read_bytes()
    with pytest.raises(ValueError, match="is of another run: its epochs is 2, expected 3"):
        trained(seeds, epochs=3, checkpoint=file)
    with pytest.raises(ValueError, match="its sgd is"):
        trained(seeds, epochs=2, sgd=SGD(0.01, momentum=0.5), checkpoint=file)
    with pytest.raises(ValueError, match="its data is"):
        trained(seeds, epochs=2, source=finite_set(seeds), checkpoint=file)
    with pytest.raises(ValueError, match="is of another run"):
        trained(network_seeds(5, 2), epochs=2, checkpoint=file)
    assert file.read_bytes() == before
    (tmp_path / "text").write_text("no checkpoint")
    with pytest.raises(ValueError, match="checkpoint: cannot read"):
        trained(seeds, epochs=2, checkpoint=tmp_path / "text")


def test_divergence_is_a_typed_result() -> None:
    """A wild rate in one network ends the run with its number and step, and keeps the records before."""
    seeds = network_seeds(0, 2)
    teacher = deep_teachers.separated_teacher(replace(SHAPE, normalisation="none"), seeds)
    students = deep_teachers.random_start(replace(SHAPE, normalisation="none"), seeds)
    students.weights[0][1] *= 1e200  # its squared error overflows
    x = gaussian_inputs(SHAPE.inputs, seeds, 50, 1.0)
    run = train_deep(students, teacher, fresh(SHAPE, seeds), sgd=SGD(0.05), epochs=3, evaluation=x)
    assert run.status == Status.DIVERGED
    assert "network 1 at step 0" in run.message
    assert "lower lr" in run.message
    assert run.t.tolist() == [0]
    assert np.isfinite(run.observables["loss"]).tolist() == [[True, False]]


def test_the_teacher_is_a_fixed_point_and_training_lowers_the_loss() -> None:
    """A copy of the teacher does not move and matches it exactly; students get better, and the result can be saved."""
    plain, seeds = replace(SHAPE, normalisation="none"), network_seeds(3, 3)
    teacher = deep_teachers.separated_teacher(plain, seeds)
    copy = teacher.clone()
    x = gaussian_inputs(SHAPE.inputs, seeds, 50, 1.0)
    run = train_deep(copy, teacher, fresh(plain, seeds), sgd=SGD(0.1), epochs=1, evaluation=x)
    assert_same(copy, teacher)
    assert float(run.observables["loss"].max()) == 0.0
    for level in (1, 2):
        alive = run.at("active", student_layer=level) > 0  # a node that never fires has correlation 0
        assert alive.mean() > 0.5
        np.testing.assert_allclose(run.at("best_rho", teacher_layer=level), alive.astype(float), atol=1e-12)
        assert not run.at("winner_rank", teacher_layer=level)[alive].any()
    _, run = trained(seeds, epochs=20, sgd=SGD(0.1))
    assert (run.observables["loss"][-1] < 0.5 * run.observables["loss"][0]).all()
    assert run.observables["train_loss"][1:].shape == (20, 3)


def test_runs_are_saved_as_trajectories(tmp_path: Path) -> None:
    """The result keeps its labelled axes in a file."""
    _, run = trained(network_seeds(2, 3), epochs=2)
    run.save(tmp_path / "run.nc")
    loaded = Trajectory.load(tmp_path / "run.nc")
    np.testing.assert_array_equal(loaded.observables["mean_rank"], run.observables["mean_rank"])
    data = loaded.to_xarray()
    assert data.best_rho.dims == ("time", "instance", "teacher_node")
    assert data.teacher_layer.to_numpy().tolist() == [1, 1, 1, 1, 2, 2, 2]
    assert data.rho_bar.sel(layer=2).equals(data.rho_bar.isel(layer=1))
    mean = data.best_rho.groupby("teacher_layer").mean().to_numpy()
    np.testing.assert_allclose(mean, run.observables["rho_bar"], rtol=1e-12)


def test_runs_of_different_teachers_are_told_apart(tmp_path: Path) -> None:
    """By the hashes of teacher and start that a saved run keeps; the time axis counts epochs."""
    kept = []
    for seed in (2, 3):
        _, run = trained(network_seeds(seed, 3), epochs=1)
        run.save(tmp_path / "run.nc")
        loaded = Trajectory.load(tmp_path / "run.nc")
        assert loaded.time_counts == "epochs"
        kept.append(loaded.problem)
    assert kept[0]["kind"] == "DeepNetworks"
    assert kept[0]["architecture"] == kept[1]["architecture"]
    assert kept[0]["teacher"] != kept[1]["teacher"]
    assert kept[0]["start"] != kept[1]["start"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": (2, 3)}, "inputs: expected"),
        ({"inputs": (1, 4, 9)}, "inputs: expected at least 5 pixels"),
        ({"widths": ()}, "widths: expected at least one hidden layer"),
        ({"widths": (3, 0)}, "widths: expected a positive integer"),
        ({"normalisation": "middle"}, "normalisation: expected one of none, before, after"),
        ({"momentum": 0}, "momentum: expected"),
    ],
)
def test_architectures_are_checked(change: dict[str, object], message: str) -> None:
    """One clear error naming the field."""
    with pytest.raises(ValueError, match=message):
        replace(SHAPE, **change)  # type: ignore[arg-type]


def test_bad_settings_are_told() -> None:
    """Batches too small to normalise, inputs of another shape, sets without a batch, counts and epochs out of range."""
    seeds = network_seeds(0, 2)
    with pytest.raises(ValueError, match="batch_size: expected at least 2"):
        trained(seeds, source=FreshGaussian(SHAPE.inputs, tuple(seeds), 1, 10))
    with pytest.raises(ValueError, match="samples: expected at least one batch"):
        FreshGaussian(SHAPE.inputs, tuple(seeds), 64, 10)
    with pytest.raises(ValueError, match=r"x: expected \(S, B, 5\)"):
        deep_teachers.random_start(SHAPE, seeds).output(torch.zeros(3, 4, dtype=torch.float64))
    for marks in ([5], [-1]):
        with pytest.raises(ValueError, match="record_at: expected epochs in"):
            trained(seeds, record_at=marks)
    for marks in ([0.5], ["last"]):
        with pytest.raises(TypeError, match="record_at: expected a sequence, each item an integer"):
            trained(seeds, record_at=marks)
    for name in ("epochs", "workers", "checkpoint_every"):
        with pytest.raises(ValueError, match=f"{name}: expected a positive integer, got 0"):
            trained(seeds, **{name: 0})
    with pytest.raises(ValueError, match="drops: expected epochs in order"):
        SGD(0.1, drops=((3, 0.1), (2, 0.2)))
