"""Runs of the two-layer experiments: one, or all the settings of a study, over the cores of the machine."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait

from dynamics.progress import reporting
from dynamics.settings import positive_int
from dynamics.trajectory import Trajectory
from nets.specialization import SpecializationSetting
from nets.specialization_kept import RunFolder
from nets.specialization_training import (
    EPOCH,
    GroupRun,
    TrainingPlan,
    forget_inputs,
    train_group,
    trajectory_of,
)

SHARES = 2
"""Groups a process gets at least, where there are as many networks: one that is late then costs less."""


def train_specialization(
    setting: SpecializationSetting,
    *,
    seed: int | Sequence[int],
    networks: int = 1,
    steps: int = 100 * EPOCH,
    record_at: Sequence[int] | None = None,
    record_every: int | None = None,
    device: str = "auto",
    workers: int = 1,
    progress: bool | Callable[[float], None] = False,
) -> Trajectory:
    """Train ``networks`` students of ``setting``, each beside its own teacher on its own finite training set.

    One step on a batch of B training samples drawn with replacement, all weights and biases at once:

        e = f*(x) - f(x),   W <- W + lr/B sum_b [x; 1] (D V e)^T,   V <- V + lr/B sum_b [h; 1] e^T

    with h = relu(W^T [x; 1]) and D its gates: gradient descent on ``1/2 mean_b ||e||^2`` (Eqn 2).

    ``seed``: an integer spawned into one per network, or one integer per network. A network follows the same
    path, bit for bit on a CPU, alone and in company. Records (at steps; 0 and the last always; every epoch unless
    told) hold the observables of :class:`nets.specialization_observables.Evaluator` with a leading axis of networks.
    The time axis counts epochs of ``EPOCH`` steps. ``workers``: see :func:`train_in_turn`.

    A network whose weights or loss stop being finite ends the run with status ``diverged`` at the last record that
    is finite for all. Cost O(B (d n + n c)) a step and network (about 20 microseconds on one core at d = 100,
    n = c = 50); memory that of the data sets of the groups at work, about 24 MB a network at the defaults, plus
    O(records * networks * m n). Raises ValueError or TypeError, naming the argument, on bad input.
    Source: Student Specialization, section 6, and the authors' program.
    """
    plan = TrainingPlan.of(
        setting, seed=seed, networks=networks, steps=steps,
        record_at=record_at, record_every=record_every, device=device,
    )  # fmt: skip
    with reporting(progress, 0, 1) as report:
        (run,) = train_in_turn([plan], workers=workers, progress=report)
    return run


def train_in_turn(
    plans: Sequence[TrainingPlan],
    *,
    workers: int = 1,
    progress: Callable[[float], None] | None = None,
    kept: RunFolder | None = None,
) -> Iterator[Trajectory]:
    """The runs of ``plans``, in their order, each as soon as it and those before it are done.

    With ``workers > 1`` that many processes share groups of networks (threads would wait for one another between the
    short steps; on CUDA one process does it all). They import what they need anew: a program that asks for them needs
    the usual ``if __name__ == "__main__"``. The numbers are those of one process. ``progress``: told the fraction done.
    ``kept``: runs found there are not trained again, and others are added as they finish.
    """
    count = positive_int("workers", workers)
    report = progress or (lambda fraction: None)
    found = [kept.find(plan) if kept is not None else None for plan in plans]
    missing = [plan for plan, run in zip(plans, found, strict=True) if run is None]
    alone = count == 1 or any(plan.device.startswith("cuda") for plan in missing)
    trained = _here(missing, report) if alone else _in_processes(missing, count, report)
    for plan, run in zip(plans, found, strict=True):
        if run is None:
            run = next(trained)
            if kept is not None:
                kept.keep(plan, run)
        yield run


def _here(plans: Sequence[TrainingPlan], report: Callable[[float], None]) -> Iterator[Trajectory]:
    total, done = sum(plan.cost for plan in plans), 0.0
    try:
        for plan in plans:
            runs = []
            for group in plan.groups(len(plan.seeds)):

                def advanced(step: int, group: TrainingPlan = group, before: float = done) -> None:
                    report((before + group.cost * step / group.steps) / total)

                runs.append(train_group(group, advanced))
                done += group.cost
            yield trajectory_of(plan, runs)
    finally:
        forget_inputs()


def _in_processes(
    plans: Sequence[TrainingPlan], count: int, report: Callable[[float], None]
) -> Iterator[Trajectory]:
    networks = sum(len(plan.seeds) for plan in plans)
    if not plans:
        return
    groups = [plan.groups(-(-networks // (SHARES * count))) for plan in plans]
    pool = ProcessPoolExecutor(count, mp_context=_fresh_processes())
    try:
        futures = [[pool.submit(train_group, group) for group in part] for part in groups]
        costs = {
            future: group.cost
            for row, part in zip(futures, groups, strict=True)
            for future, group in zip(row, part, strict=True)
        }
        pending: set[Future[GroupRun]] = set(costs)
        total = sum(costs.values())
        for plan, row in zip(plans, futures, strict=True):
            while not pending.isdisjoint(row):
                _, pending = wait(pending, return_when=FIRST_COMPLETED)
                report(1 - sum(costs[future] for future in pending) / total)
            yield trajectory_of(plan, [future.result() for future in row])
    finally:  # an interrupt reaches the processes at work by itself
        pool.shutdown(wait=True, cancel_futures=True)


def _fresh_processes() -> multiprocessing.context.BaseContext:
    """Processes that do not inherit this one's threads; where there is a fork server, torch is imported once."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([train_group.__module__])
    return context
