"""What long use does to memory, norms and loss, measured.

Usage: python -m tests.soak.long_use docs/long_use.md
"""

from __future__ import annotations

import os
import platform
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from luckproof import (
    GradientFlow,
    IsotropicGaussian,
    ProjectedFlow,
    TeacherStudent,
    Trajectory,
    TwoLayerStudents,
    integrate,
    teachers,
    train,
)

STEPS = 1_000_000
LR = 1e-4
"""Small enough that the loss is still falling at the last step: a run at its end tells nothing about the loss."""

TIME = 1e5
SPREADS = 1.0, 0.02
"""Of the input: with 1 the flow ends early and has to stay where it is, with 0.02 it falls to the very end."""

RTOL, ATOL = 1e-6, 1e-9
"""What a step may be off, relative to its weights and beside that."""

ON_SPHERE, OFF_SPHERE = ("auto", "CVODE", "RK45"), ("auto", "CVODE")
"""Methods; the explicit one takes a step for every stable length, tens of thousands of them."""

WARM = 0.1
"""Share of a run after which nothing may grow any more."""


class Memory:
    """Resident bytes while a run goes on: called with the share of it that is done."""

    def __init__(self) -> None:
        self._early = self._late = 0

    def __call__(self, fraction: float) -> None:
        now = resident()
        if fraction < WARM or not self._early:
            self._early = max(self._early, now)
        self._late = max(self._late, now)

    @property
    def growth(self) -> int:
        """By how many bytes the largest of a whole run is above the largest of its first tenth."""
        return self._late - self._early


def resident() -> int:
    """Bytes of this process that are in memory now; not their peak, which an earlier test may have set."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class LongRun:
    """A long run, and what it did.

    Attributes:
        name: which one.
        steps: taken.
        seconds: of the clock.
        growth: of memory, in bytes, after the first tenth.
        drift: largest ``| ||w|| - 1 |`` on the sphere, or of ``||w_j||^2 - ||v_j||^2`` from where it began off it.
        losses: at the start and at the end.
        rise: largest difference of two records of the loss that follow each other; negative where it only falls.
    """

    name: str
    steps: int
    seconds: float
    growth: int
    drift: float
    losses: tuple[float, float]
    rise: float


def training() -> LongRun:
    """A million projected steps of one network, each on fresh samples."""
    rng, memory, started = np.random.default_rng(0), Memory(), time.monotonic()
    problem = TeacherStudent.at_angle(teachers.orthonormal(6, 3, rng), 0.5, rng)
    run = train(
        TwoLayerStudents.from_problem(problem, "cpu"),
        lr=LR, batch_size=8, steps=STEPS, seed=0, record_every=STEPS // 100, progress=memory,
    )  # fmt: skip
    return _told(f"training, {STEPS:,} steps of lr {LR:g}", run, STEPS, memory, started)


def flow(kind: type[ProjectedFlow] | type[GradientFlow], method: str, spread: float) -> LongRun:
    """A flow over 10⁵ units of time: on the sphere, or of twice as many students whose fan-outs move too."""
    rng, memory, started = np.random.default_rng(1), Memory(), time.monotonic()
    measure = IsotropicGaussian(10, std=spread)
    teacher = teachers.orthonormal(10, 3, rng)
    if kind is ProjectedFlow:
        problem = TeacherStudent.at_angle(teacher, 0.5, rng, measure=measure)
    else:
        starts = 0.3 * rng.standard_normal((10, 6)), 0.3 * rng.standard_normal((6, 3))
        problem = TeacherStudent(teacher, starts[0], np.eye(3), starts[1], measure=measure)
    times = np.linspace(0, TIME, 401)
    run = integrate(
        kind(problem), (0, TIME), t_eval=times, method=method, rtol=RTOL, atol=ATOL, progress=memory
    )
    name = f"{kind.__name__}, {method}, inputs of spread {spread:g}, t = {TIME:g}"
    return _told(name, run, run.n_steps, memory, started)


def _told(name: str, run: Trajectory, steps: int, memory: Memory, started: float) -> LongRun:
    assert run.success, run.message
    norms = (run.state["W"] ** 2).sum(axis=-2)
    if "V" in run.state:
        balance = norms - (run.state["V"] ** 2).sum(axis=-1)
        drift = np.abs(balance - balance[0]).max()
    else:
        drift = np.abs(np.sqrt(norms) - 1).max()
    loss = run.observables["loss"].reshape(len(run.t))
    ends, rise = (float(loss[0]), float(loss[-1])), float(np.diff(loss).max())
    return LongRun(name, steps, time.monotonic() - started, memory.growth, float(drift), ends, rise)


def all_runs() -> list[LongRun]:
    """Every one: minutes."""
    methods = [(ProjectedFlow, method) for method in ON_SPHERE] + [
        (GradientFlow, method) for method in OFF_SPHERE
    ]
    return [training(), *(flow(kind, method, spread) for kind, method in methods for spread in SPREADS)]


def page(runs: list[LongRun]) -> str:
    """The page as Markdown."""
    rows = "\n".join(
        f"| {run.name} | {run.steps:,} | {run.seconds:.0f} | {run.growth / 2**20:.1f} | {run.drift:.1e} | "
        f"{run.losses[0]:.3g} | {run.losses[1]:.3g} | {run.rise:.1e} |"
        for run in runs
    )
    software = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "torch"))
    return f"""# Long use

Made by `python -m tests.soak.long_use docs/long_use.md`; nothing here is typed by hand. The same runs are tests
(`tox run -e soak`), with bounds on every column. Drift on the sphere (training and ProjectedFlow) is the largest
| ‖w‖ − 1 | of all records, and off it (GradientFlow) the largest change of ‖w_j‖² − ‖v_j‖², which the flow conserves.
Every step of a flow may be off by 1e-6 of its weights. Growth of memory is that of the last nine tenths of a run over
its first tenth. The largest rise is that of the loss between two records that follow each other: negative where it only
falls, and of the size of its rounding, 10⁻¹⁵, at its end.

| run | steps | seconds | growth of memory, MiB | drift | loss at the start | at the end | largest rise |
|---|---|---|---|---|---|---|---|
{rows}

Python {platform.python_version()}, {software}; one thread.
"""


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(all_runs()), encoding="utf-8")
