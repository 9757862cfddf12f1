"""Plain SGD with biases on a finite training set: whole ensembles of students, gradients by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dynamics.netcdf import software_versions
from dynamics.progress import Report, reporting
from dynamics.settings import positive_int
from dynamics.trajectory import Status, Trajectory
from nets.arrays import ArrayModule, array_module
from nets.data import network_seeds
from nets.devices import resolve_device
from nets.recording import Ending
from nets.specialization import SpecializationNetworks, SpecializationSetting, batch_stream
from nets.specialization_observables import DIMENSIONS, Evaluator
from nets.training import record_steps

Array = NDArray[np.float64]

EPOCH = 1000
"""Steps of one epoch in the paper's experiments."""

GROUP = {"cpu": 8, "cuda": 64}
"""Networks trained side by side: few enough to stay in a core's cache, enough to fill a GPU."""

BLOCK = 16
"""Steps whose batches are gathered at once."""


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
    The time axis counts epochs of ``EPOCH`` steps. ``workers`` threads share the networks in groups.

    A network whose weights or loss stop being finite ends the run with status ``diverged`` at the last record that
    is finite for all. Cost O(B (d n + n c)) a step and network (about 20 microseconds on one core at d = 100,
    n = c = 50); memory that of the data sets of the groups at work, about 24 MB a network at the defaults, plus
    O(records * networks * m n). Raises ValueError or TypeError, naming the argument, on bad input.
    Source: Student Specialization, section 6, and the authors' program.
    """
    if not isinstance(setting, SpecializationSetting):
        raise TypeError(f"setting: expected a SpecializationSetting, got {type(setting).__name__}")
    place, count = resolve_device(device), positive_int("networks", networks)
    seeds = network_seeds(seed, count)
    every = EPOCH if record_every is None and record_at is None else record_every
    marks = record_steps(positive_int("steps", steps), every, record_at)
    size = max(1, min(GROUP[place.type], -(-count // positive_int("workers", workers))))
    groups = [seeds[start : start + size] for start in range(0, count, size)]
    xp = array_module(place)
    with reporting(progress, 0, steps * count) as report:
        shared = _Shared(report)
        with ThreadPoolExecutor(max_workers=workers) as pool:
            runs = list(pool.map(lambda part: _train_group(setting, part, marks, xp, shared), groups))
    settings = {
        "setting": asdict(setting), "n": setting.n, "networks": count, "seed": seed, "network_seeds": seeds,
        "record_steps": marks, "steps_per_epoch": EPOCH, "device": str(place),
    }  # fmt: skip
    return _trajectory(setting, runs, marks, settings)


class _Shared:
    """Progress summed over the groups at work."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._done = 0

    def add(self, network_steps: int) -> None:
        self._done += network_steps
        self._report(self._done)


class StackedStudents:
    """S students with biases and the buffers of one step; ``W (S, d + 1, n)`` and ``V (S, n + 1, c)`` are live."""

    def __init__(self, setting: SpecializationSetting, W: Any, V: Any, xp: ArrayModule) -> None:
        S, B, n, c = W.shape[0], setting.batch_size, setting.n, setting.c
        self.W, self.V = W, V
        self._xp = xp
        self._rate = setting.lr / B
        self._hidden = xp.empty((S, B, n + 1))
        self._hidden[...] = 1  # the last column stays: the output bias is its fan-out
        self._nodes = self._hidden[..., :n]
        self._fan_out = V[:, :n].mT
        self._residual, self._back, self._gate = xp.empty((S, B, c)), xp.empty((S, B, n)), xp.empty((S, B, n))
        self._grad_W, self._grad_V = xp.empty(tuple(W.shape)), xp.empty(tuple(V.shape))

    def step(self, x: Any, target: Any) -> None:
        """One SGD step on batches ``x (S, B, d + 1)`` (last entry 1) with teacher outputs ``target (S, B, c)``."""
        xp, hidden, residual, back = self._xp, self._hidden, self._residual, self._back
        xp.matmul(x, self.W, out=self._nodes)
        xp.relu(hidden, out=hidden)
        xp.matmul(hidden, self.V, out=residual)
        xp.subtract(residual, target, out=residual)
        xp.multiply(residual, self._rate, out=residual)
        xp.matmul(residual, self._fan_out, out=back)
        xp.sign(self._nodes, out=self._gate)  # 0 or 1 after the ReLU
        xp.multiply(back, self._gate, out=back)
        xp.matmul(x.mT, back, out=self._grad_W)
        xp.matmul(hidden.mT, residual, out=self._grad_V)
        xp.subtract(self.W, self._grad_W, out=self.W)
        xp.subtract(self.V, self._grad_V, out=self.V)


Rows = list[dict[str, Array]]


def _train_group(
    setting: SpecializationSetting, seeds: Sequence[int], marks: list[int], xp: ArrayModule, shared: _Shared
) -> tuple[Rows, int]:
    """The records of one group and, where one of its networks diverged, that network's place in it (else -1)."""
    networks = SpecializationNetworks.draw(setting, seeds)
    evaluator = Evaluator(setting, networks, xp)
    students = StackedStudents(setting, xp.asarray(networks.W), xp.asarray(networks.V), xp)
    batches = _Batches(setting, xp.asarray(networks.training), seeds, xp)
    rows: Rows = []
    step = 0
    with np.errstate(over="ignore", invalid="ignore"):  # told by the status
        for mark in marks:
            for _ in range(mark - step):
                students.step(*next(batches))
            shared.add((mark - step) * len(seeds))
            step = mark
            row = evaluator.observe(students.W, students.V)
            lost = ~np.all([np.isfinite(v.reshape(len(seeds), -1)).all(1) for v in row.values()], axis=0)
            if lost.any():
                return rows, int(np.argmax(lost))
            rows.append(row)
    return rows, -1


class _Batches:
    """Endless batches ``x (S, B, d + 1), f*(x) (S, B, c)``, drawn with replacement from each network's own set."""

    def __init__(
        self, setting: SpecializationSetting, training: Any, seeds: Sequence[int], xp: ArrayModule
    ) -> None:
        self._streams = [batch_stream(seed) for seed in seeds]
        self._training, self._xp = training, xp
        self._size, self._split = setting.batch_size, setting.d + 1
        self._block = xp.empty((len(seeds), BLOCK * self._size, training.shape[-1]))
        self._next = BLOCK

    def __next__(self) -> tuple[Any, Any]:
        if self._next == BLOCK:
            count, draws = self._training.shape[1], self._block.shape[1]
            index = np.stack([stream.integers(0, count, draws) for stream in self._streams])
            self._xp.take_rows(self._training, index, out=self._block)
            self._next = 0
        rows = self._block[:, self._next * self._size : (self._next + 1) * self._size]
        self._next += 1
        return rows[..., : self._split], rows[..., self._split :]


def _trajectory(
    setting: SpecializationSetting, runs: list[tuple[Rows, int]], marks: list[int], settings: dict[str, Any]
) -> Trajectory:
    """The groups side by side, cut at the first record that is not finite for all."""
    kept = min(len(rows) for rows, _ in runs)
    ending = Ending(Status.FINISHED, f"{marks[-1]} steps taken")
    before = 0
    for rows, lost in runs:
        if lost >= 0 and len(rows) == kept:
            ending = Ending.divergence(before + lost, marks[kept], setting.lr)
            break
        before += rows[0]["loss"].shape[0]
    observables = {
        name: np.stack([np.concatenate([rows[t][name] for rows, _ in runs]) for t in range(kept)])
        for name in DIMENSIONS
    }
    return Trajectory(
        t=np.array(marks[:kept]) / EPOCH,
        state={},
        observables=observables,
        nfev=marks[kept - 1],
        n_steps=marks[kept - 1],
        status=ending.status,
        message=f"{ending.status}: {ending.detail}",
        dimensions=DIMENSIONS,
        attributes={**settings, "versions": {**software_versions(), "torch": torch.__version__}},
    )
