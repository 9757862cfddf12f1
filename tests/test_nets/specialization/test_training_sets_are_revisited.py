"""Every sample of a training set comes up, runs are kept by all that decides them, and coverage has its threshold."""

from __future__ import annotations

import dataclasses

import numpy as np

from luckproof import RunFolder, SpecializationNetworks, SpecializationSetting
from nets.arrays import HostArrays
from nets.specialization.observables import best_per_student, best_per_teacher, covered
from nets.specialization.plan import TrainingPlan
from nets.specialization.steps import Batches

SETTING = SpecializationSetting(2, 2, d=5, c=3, train_samples=12, eval_samples=10, batch_size=4)


def test_every_sample_is_drawn_and_as_often_as_any_other() -> None:
    """With replacement: of 12 samples and 6,000 draws each is drawn 500 times, within six standard deviations."""
    seeds = [0, 1]
    networks = SpecializationNetworks.draw(SETTING, seeds)
    batches = Batches(SETTING, networks.training, seeds, HostArrays())
    first = networks.training.inputs[..., 0]
    counts = np.zeros((2, 12))
    for _ in range(1500):
        x, target = next(batches)
        for network in range(2):
            index = np.argmax(x[network, :, :1] == first[network], axis=1)
            np.testing.assert_array_equal(networks.training.outputs[network, index], target[network])
            np.add.at(counts[network], index, 1)
    assert np.all(np.abs(counts - 500) < 6 * np.sqrt(500 * 11 / 12))


def test_a_kept_run_is_named_by_all_that_decides_it(tmp_path) -> None:
    """Another setting, seed, length or device is another file; other records of the same run are not."""
    plan = TrainingPlan.of(SETTING, seed=0, networks=2, steps=40, record_at=[20], device="cpu")
    store = RunFolder(tmp_path)
    others = [
        dataclasses.replace(plan, setting=dataclasses.replace(SETTING, lr=0.02)),
        dataclasses.replace(plan, seeds=plan.seeds[::-1]),
        dataclasses.replace(plan, marks=(0, 20, 60)),
        dataclasses.replace(plan, device="cuda"),
    ]
    assert len({store.path(one) for one in (plan, *others)}) == 5
    assert store.path(dataclasses.replace(plan, marks=(0, 40))) == store.path(plan)


def test_a_node_is_covered_beyond_its_threshold() -> None:
    """0.95 as in section 6, itself left out; of the best student, or of the best teacher."""
    correlation = np.array([[0.951, 0.2], [0.95, -1.0], [0.94, 0.96]])
    assert covered(correlation).tolist() == [True, False, True]
    assert covered(correlation, 0.9).tolist() == [True, True, True]
    assert best_per_teacher(correlation).tolist() == [0.951, 0.95, 0.96]
    assert best_per_student(correlation).tolist() == [0.951, 0.96]
