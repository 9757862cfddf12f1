"""Workers of a cluster train the groups of networks that this machine would: the same numbers, and one loss said."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from luckproof import SpecializationSetting
from nets.specialization.plan import TrainingPlan
from nets.specialization.processes import LostTrainingError, trained_by
from nets.specialization.training import train_in_turn


class Workers:
    """A cluster of one thread, which counts what it is handed, and loses it where it is asked to."""

    def __init__(self, lose: bool = False) -> None:
        self._pool, self._lose, self.count = ThreadPoolExecutor(1), lose, 0

    def submit(self, function, /, *arguments):
        self.count += 1
        return self._pool.submit(_gone if self._lose else function, *arguments)

    def window(self) -> int:
        return 2


def _gone(*arguments):
    raise OSError("the machine is gone")


@pytest.fixture
def plans():
    sizes = {"d": 5, "c": 3, "train_samples": 30, "eval_samples": 20, "batch_size": 5, "lr": 0.05}
    setting = SpecializationSetting(2, 2, 1.0, init_std=0.3, **sizes)
    return [
        TrainingPlan.of(setting, seed=seed, networks=2, steps=6, record_at=[3], device="cpu")
        for seed in (0, 1)
    ]


def test_a_cluster_trains_what_this_machine_would(plans):
    """Bit for bit, every group once; outside of the context nothing is handed over."""
    here, workers = list(train_in_turn(plans)), Workers()
    with trained_by(workers):
        there = list(train_in_turn(plans))
    assert workers.count == len(plans)
    for one, other in zip(here, there, strict=True):
        for name, values in one.observables.items():
            np.testing.assert_array_equal(values, other.observables[name])
    list(train_in_turn(plans))
    assert workers.count == len(plans)


def test_groups_that_a_cluster_loses_are_said(plans):
    """By number and reason."""
    with (
        trained_by(Workers(lose=True)),
        pytest.raises(LostTrainingError, match=r"group 1 of 2: .*machine is gone"),
    ):
        list(train_in_turn(plans))
