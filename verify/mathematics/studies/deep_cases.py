"""Several kinds of deep students on the same seeds, trained side by side for one figure."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
import torch

from dynamics.arrays import Array
from dynamics.ode.progress import Progress
from dynamics.ode.trajectory import Trajectory
from nets.deep.training.cost_estimate import Estimate
from nets.devices import available_cores
from nets.specialization.run_folder import RunFolder
from verify.mathematics.studies.deep_study import Arm, DeepStudy

STEP_OVERHEAD = 2e5
"""Multiplications that take as long as the overhead of a small network's step (measured on a CPU)."""


@dataclass(frozen=True)
class Case:
    """The students of one study in one arm."""

    study: DeepStudy
    arm: Arm

    @property
    def cost(self) -> float:
        """Time of the training, up to a factor."""
        study = self.study
        products = 3 * study.batch_size * study.students(self.arm.placement).products
        return study.epochs * study.steps * study.networks * (products + STEP_OVERHEAD)


def train_cases(
    cases: Sequence[Case], device: str, progress: Progress, store: RunFolder | None = None
) -> list[Trajectory]:
    """The runs of ``cases``, as many at a time as there are cores, the longest first; one by one on a GPU.

    Args:
        cases: what is trained.
        device: where.
        progress: told the fraction done.
        store: keeps a checkpoint of every run, from which a stopped study goes on.
    Raises:
        DivergedTrainingError: a network stopped being finite. RunFileError: a checkpoint is of another run.
    """
    meter = _Meter([case.cost for case in cases], progress)
    workers = 1 if device.startswith("cuda") else min(available_cores(), len(cases))
    longest_first = sorted(range(len(cases)), key=lambda index: -cases[index].cost)
    with _one_thread_an_operation(), ThreadPoolExecutor(workers) as pool:
        futures = {
            index: pool.submit(
                cases[index].study.run, cases[index].arm, device, meter.of(index), store, workers=1
            )
            for index in longest_first
        }
        try:
            return [futures[index].result() for index in range(len(cases))]
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def estimate_cases(cases: Sequence[Case], device: str) -> Estimate:
    """Time and memory of :func:`train_cases`, the cases one after the other."""
    return reduce(add, (case.study.estimate_run(case.arm.placement, device) for case in cases))


def observable(runs: Sequence[Trajectory], name: str, shape: tuple[int, ...]) -> Array:
    """One observable of all runs, ``(*shape, epochs, networks, ...)``."""
    values = np.stack([run.observables[name] for run in runs])
    return values.reshape(*shape, *values.shape[1:])


def way_covered(rho_bar: Array, epochs: int) -> Array:
    """``(rho - rho(0)) / (1 - rho(0))``: the share covered of the way from the start to a full match.

    It compares networks that start with different correlations. ``epochs``: the axis of time in ``rho_bar``.
    """
    start = np.take(rho_bar, [0], axis=epochs)
    return np.asarray((rho_bar - start) / (1 - start))


class _Meter:
    """Progress of trainings side by side, each weighted by its cost."""

    def __init__(self, costs: Sequence[float], report: Progress) -> None:
        self._shares = [cost / sum(costs) for cost in costs]
        self._done = [0.0] * len(costs)
        self._report, self._lock = report, threading.Lock()

    def of(self, index: int) -> Progress:
        """The progress of one of them."""

        def advance(fraction: float) -> None:
            with self._lock:
                self._done[index] = fraction * self._shares[index]
                self._report(sum(self._done))

        return advance


@contextmanager
def _one_thread_an_operation() -> Iterator[None]:
    """One thread for each of torch's operations: the trainings share the cores already."""
    held = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(held)
