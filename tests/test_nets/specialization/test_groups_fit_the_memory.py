"""On an accelerator a group has as many networks as fit its memory; cut in any way, the results are the same."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from luckproof import RunFolder, SpecializationSetting, train_specialization
from nets.specialization.memory import SHARE, device_bytes
from nets.specialization.plan import GROUP_SIZE, TrainingPlan
from nets.specialization.training import train_in_turn
from tests.pretended_device import NAME, Traffic, pretended_device

SMALL = SpecializationSetting(d=6, m=3, train_samples=200, eval_samples=50)
STEPS = 20


@pytest.fixture
def traffic(monkeypatch: pytest.MonkeyPatch):
    with pretended_device(monkeypatch) as found:
        yield found


def plan(networks: int, device: str = "cuda", setting: SpecializationSetting = SMALL) -> TrainingPlan:
    return TrainingPlan.of(setting, seed=0, networks=networks, steps=STEPS, record_at=[10], device=device)


def spare(traffic: Traffic, networks: int) -> None:
    """Let the device have memory for so many networks."""
    traffic.free = SHARE * networks * device_bytes(SMALL) + SHARE


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of the groups that are trained."""
    from nets.specialization import processes

    sizes: list[int] = []
    train_group = processes.train_group

    def counted(group, advanced=None):
        sizes.append(len(group.seeds))
        return train_group(group, advanced)

    monkeypatch.setattr(processes, "train_group", counted)
    return sizes


@pytest.mark.parametrize(
    "setting",
    [
        SpecializationSetting(),
        SMALL,
        SpecializationSetting(m=40, over_realisation=10, train_samples=300, eval_samples=300),
        SpecializationSetting(d=300, c=5, train_samples=1000, eval_samples=100),
        SpecializationSetting(d=5, c=80, m=2, train_samples=400, eval_samples=2000, batch_size=100),
    ],
    ids=["defaults", "small", "weights", "inputs", "batches"],
)
def test_the_estimate_is_what_is_taken(traffic: Traffic, setting: SpecializationSetting) -> None:
    """Two networks take twice the estimate, or a tenth less; the estimate of the defaults is that in print."""
    gc.collect()
    before = traffic.held
    traffic.peak = before
    train_specialization(setting, seed=0, networks=2, steps=1, device="cuda")
    taken = (traffic.peak - before) / 2
    assert 0.9 * device_bytes(setting) <= taken <= device_bytes(setting)
    if setting == SpecializationSetting():
        assert taken == pytest.approx(25e6, rel=0.04)


@pytest.mark.parametrize(
    ("fitting", "sizes"), [(1, [1] * 5), (2, [2, 2, 1]), (4, [3, 2]), (5, [5]), (50, [5])]
)
def test_groups_are_as_large_as_fit(
    traffic: Traffic, groups: list[int], fitting: int, sizes: list[int]
) -> None:
    """Where two fit, five are three groups; the numbers are those of a single group."""
    spare(traffic, 50)
    (together,) = train_in_turn([plan(5)])
    groups.clear()
    spare(traffic, fitting)
    (found,) = train_in_turn([plan(5)])
    assert groups == sizes
    for name, values in together.observables.items():
        np.testing.assert_allclose(found.observables[name], values, rtol=1e-12, atol=1e-14)


def test_a_cpu_keeps_groups_that_fit_its_cache() -> None:
    """Whatever memory there is."""
    assert plan(20, "cpu").side_by_side() == GROUP_SIZE == 8
    assert [len(group.seeds) for group in plan(20, "cpu").groups(8)] == [7, 7, 6]


def test_one_network_that_does_not_fit_is_refused(traffic: Traffic) -> None:
    """By an error that says how much it needs and how much is free, before anything is drawn."""
    traffic.free = SHARE * device_bytes(SMALL) - 1
    with pytest.raises(
        ValueError, match=rf"^setting: .* free memory of {NAME}, got .* GiB for each, and .* GiB"
    ):
        list(train_in_turn([plan(1)]))


def test_the_memory_of_the_host_counts_too(traffic: Traffic, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data sets are drawn there."""
    monkeypatch.setattr("nets.specialization.memory.available_memory", lambda: 1000)
    with pytest.raises(ValueError, match=r"^setting: .* free memory of the host"):
        plan(1).side_by_side()


def test_kept_groups_are_found_whatever_the_memory(traffic: Traffic, groups: list[int], tmp_path) -> None:
    """Files hold ``GROUP_SIZE`` networks at most, whoever was trained beside them: only what is new is trained."""
    store = RunFolder(tmp_path)
    spare(traffic, 50)
    (first,) = train_in_turn([plan(20)], store=store)
    assert groups == [20]
    assert len(list(tmp_path.iterdir())) == 3
    groups.clear()
    for fitting in (8, 13, 1000):
        spare(traffic, fitting)
        (again,) = train_in_turn([plan(20)], store=store)
        assert groups == []
        for name, values in first.observables.items():
            np.testing.assert_array_equal(again.observables[name], values)
    store.path(plan(20).groups(GROUP_SIZE)[1]).unlink()
    (mended,) = train_in_turn([plan(20)], store=store)
    assert groups == [7]
    for name, values in first.observables.items():
        np.testing.assert_allclose(mended.observables[name], values, rtol=1e-12, atol=1e-14)


def test_groups_in_a_row_joined_are_cut_into_themselves() -> None:
    """Any number of networks, any groups in a row: what a file holds does not depend on what was trained together."""
    for networks in range(1, 140):
        parts = plan(networks, "cpu").groups(GROUP_SIZE)
        for first in range(len(parts)):
            joined = parts[first]
            for last in range(first + 1, len(parts)):
                joined = joined.joined(parts[last])
                assert joined.groups(GROUP_SIZE) == parts[first : last + 1]
