"""A training by plain options: the networks stand at the starts of the simulation, and step as the flow's name says."""

from __future__ import annotations

import numpy as np
import pytest

from dynamics.two_layer.problem_options import FlowName
from dynamics.two_layer.simulation import TwoLayerSimulation
from luckproof import TwoLayerStudents, train
from nets.two_layer.training_options import TwoLayerTraining, repeated

SMALL = {"d": 4, "m": 2, "steps": 6, "batch_size": 8, "networks": 3, "points": 3}


@pytest.mark.parametrize("instances", [1, 2])
def test_networks_are_copies_of_the_simulations_starts(instances: int) -> None:
    """Copies of an instance stand side by side on one axis; one network of one instance has no axis."""
    students = TwoLayerTraining(instances=instances, **SMALL).build()
    start = TwoLayerSimulation(d=4, m=2, instances=instances).build().problem
    W = start.student_W.reshape(-1, 4, 2)
    assert students.count == 3 * instances
    np.testing.assert_array_equal(students.W.numpy(), np.repeat(W, 3, axis=0))
    np.testing.assert_array_equal(
        students.teacher_W.numpy(), np.repeat(start.teacher_W.reshape(-1, 4, 2), 3, axis=0)
    )
    assert repeated(start, 1) is start


@pytest.mark.parametrize(
    ("flow", "projected", "trains_V"),
    [("projected", True, False), ("two-layer", True, True), ("gradient", False, True)],
)
def test_the_flow_says_how_networks_step(flow: str, projected: bool, trains_V: bool) -> None:
    """The run is that of ``train`` with these settings, from the training's own seed."""
    options = TwoLayerTraining(flow=FlowName(flow), seed=5, **SMALL)
    run = options.run(options.build())
    assert (run.attributes["projected"], run.attributes["trains_V"]) == (projected, trains_V)
    known = train(
        TwoLayerStudents.from_problem(options.build().problem, "cpu"),
        lr=options.lr, batch_size=8, steps=6, seed=options.training_seed, projected=projected, train_V=trains_V,
        record_at=[0, 3, 6],
    )  # fmt: skip
    assert np.array_equal(run.observables["loss"], known.observables["loss"])
    assert run.attributes["training"]["batch_size"] == 8


def test_records_are_evenly_spaced_whole_steps() -> None:
    """As many as asked for, or every step where there are fewer; the first and the last always."""
    assert TwoLayerTraining(**{**SMALL, "steps": 10, "points": 3}).record_at == [0, 5, 10]
    assert TwoLayerTraining(**{**SMALL, "steps": 2, "points": 50}).record_at == [0, 1, 2]
    marks = TwoLayerTraining(**{**SMALL, "steps": 1000, "points": 7}).record_at
    assert (marks[0], marks[-1], len(marks)) == (0, 1000, 7)
    assert max(np.abs(np.diff(marks) - 1000 / 6)) <= 1


def test_samples_are_independent_of_the_start() -> None:
    """Another seed gives other samples, and none is the seed that the problem is drawn from."""
    seeds = [TwoLayerTraining(seed=seed, **SMALL).training_seed for seed in range(20)]
    assert len(set(seeds)) == 20
    assert not set(seeds) & set(range(20))


def test_what_does_not_go_together_is_named() -> None:
    """Each option by its name; sizes beyond the memory before anything is drawn."""
    for name, value in {"lr": 0.0, "batch_size": 0, "steps": -1, "networks": 0, "seed": -1}.items():
        with pytest.raises(ValueError, match=name):
            TwoLayerTraining(**{**SMALL, name: value})
    with pytest.raises(ValueError, match="GiB"):
        TwoLayerTraining(**{**SMALL, "networks": 10**9})
    small, large = (TwoLayerTraining(**{**SMALL, "networks": n}).memory for n in (3, 6))
    assert large == 2 * small
