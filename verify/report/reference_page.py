"""The two-layer experiments in numbers beside an independent rewrite of the authors' program.

Usage: ``python -m verify.report.reference_page PAGE [--networks N] [--runs DIR]`` trains what ``--runs`` does not hold
yet and writes the page (docs/specialization_reference.md): a table of coverage and loss, and one of the loss of
over-realised students over the size of the training set. Cost: 90 seconds of one core a network.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dynamics.arrays import Array
from dynamics.files.writing import write_atomically
from dynamics.ode.trajectory import Trajectory
from nets.devices import available_cores
from nets.specialization.plan import EPOCH, TrainingPlan
from nets.specialization.run_folder import RunFolder
from nets.specialization.setting import SpecializationSetting
from nets.specialization.training import train_in_turn
from verify.mathematics.studies.coverage import coverage
from verify.mathematics.studies.specialization_study import EARLY, SpecializationStudy


@dataclass(frozen=True)
class Row:
    """One setting, and what the rewrite printed: nodes covered early and late, and its final losses."""

    m: int
    polarity: float
    over: float
    early: str
    late: str
    loss: str


ROWS = (
    Row(10, 0, 1, "10, 10", "10, 10", "1.7e-30"),
    Row(10, 0, 5, "10, 10", "10, 10", "3.5e-8 to 5.0e-8"),
    Row(10, 1, 1, "8, 6", "10, 9", "1.4e-16, 1.7e-3"),
    Row(10, 1, 5, "10, 10", "10, 10", "8.2e-8, 8.8e-8"),
    Row(10, 2, 1, "3, 3", "6, 3", "1.8e-4, 8.4e-4"),
    Row(10, 2, 5, "4, 4", "10, 10", "3.2e-7, 2.2e-7"),
    Row(20, 1, 1, "8.0", "18.4", "–"),
    Row(20, 1, 2, "11.4", "20", "–"),
    Row(20, 1, 5, "15.4", "20", "–"),
    Row(20, 2, 1, "3.6", "8.4", "1e-4"),
    Row(20, 2, 2, "4.4", "10.4", "4e-5"),
    Row(20, 2, 5, "4.4", "14.6", "6e-6"),
)
"""The rewrite gives the values of two networks each at m = 10, and the mean of three at m = 20."""

SIZES = (10_000, 40_000, 90_000)
"""Numbers of training samples in the second table."""

FEW = 4
"""Networks of the second table: their samples fill half a gigabyte already."""

INTRODUCTION = f"""# The two-layer experiments beside an independent rewrite

Made by `python -m verify.report.reference_page docs/specialization_reference.md --networks {{networks}}`.
Settings of the authors' program: d = 100, 50 outputs, 10,000 training samples, batch 16, lr 0.01, 100 epochs of
{EPOCH:,} steps. Covered: teacher nodes with a student node of correlation > 0.95, on fresh samples, mean and range over
networks; loss: mean square over samples and outputs, median and range. The rewrite: a NumPy program written from the
authors' by someone else, run once (two networks at m = 10, three at m = 20, where means are given).
"""

SIZE_NOTE = """
## The size of the training set

Coverage agrees everywhere, and with 32 networks every loss of the rewrite lies within the range of those here. Those of
over-realised students at p = 0 and p = 1 lie in its lower part, 2 to 4 times below the median. Neither a factor in the
loss (the rows with n = m agree down to rounding) nor the step (coverage after {early} epochs agrees) explains it. What
moves this loss is the number of training samples: over-realised students approach zero loss along a slow tail, and on
samples seen again and again that tail lies higher. The rewrite's values are those of a training set several times as
large, or of fresh samples. Same teachers, starts and first samples in each column; {few} networks, median and range.
"""


def study(m: int, networks: int) -> SpecializationStudy:
    """The paper's setting with its 100 epochs."""
    return SpecializationStudy(m, networks=networks, epochs=100)


def plan_of(row: Row, networks: int) -> TrainingPlan:
    """The run of a row, recorded early and at its end as in the figures, which so share its file."""
    frame = study(row.m, networks)
    return TrainingPlan.of(
        frame.setting(row.polarity, row.over), seed=frame.seed, networks=networks, steps=frame.steps,
        record_at=frame.marks(2), device="cpu",
    )  # fmt: skip


def sized_plans() -> Iterator[tuple[float, int, TrainingPlan]]:
    """For every row of the second table: polarity, number of training samples, and the run."""
    for polarity in (0.0, 1.0):
        for size in SIZES:
            setting = SpecializationSetting(10, 5.0, polarity, train_samples=size)
            yield (
                polarity,
                size,
                dataclasses.replace(plan_of(ROWS[1], FEW), setting=setting, marks=(0, study(10, FEW).steps)),
            )


def spread(values: Array, middle: float, form: str) -> str:
    """``middle [least, largest]``."""
    least, largest = (form.format(float(value)) for value in (values.min(), values.max()))
    return f"{form.format(middle)} [{least}, {largest}]"


def line(row: Row, run: Trajectory) -> str:
    """One row of the table: our numbers beside the rewrite's."""
    late = run.t[-1]
    places = [int(np.flatnonzero(run.t == epoch)[0]) for epoch in (EARLY, late)]
    counts = [row.m * coverage(run)[place] for place in places]
    ours = [spread(count, float(count.mean()), "{:.3g}") for count in counts]
    loss = run.observables["loss"][-1]
    cells = [
        f"{row.m}", f"{row.polarity:g}", f"{row.over:g}", ours[0], row.early, ours[1], row.late,
        spread(loss, float(np.median(loss)), "{:.1e}"), row.loss,
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def page(networks: int, store: RunFolder | None) -> str:
    """Train what is missing and write both tables."""
    runs = train_in_turn([plan_of(row, networks) for row in ROWS], workers=available_cores(), store=store)
    head = (
        f"| m | p | n/m | covered @{EARLY} | rewrite | covered @100 | rewrite | loss @100 | rewrite |\n"
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    )
    table = [head, *(line(row, run) for row, run in zip(ROWS, runs, strict=True))]
    sized = list(sized_plans())
    losses = [run.observables["loss"][-1] for run in train_in_turn([plan for *_, plan in sized], store=store)]
    cells = [spread(loss, float(np.median(loss)), "{:.1e}") for loss in losses]
    columns = len(SIZES)
    second = [
        "| p | " + " | ".join(f"{size:,} samples" for size in SIZES) + " |",
        "|---:|" + "---:|" * columns,
        *(
            f"| {sized[at][0]:g} | " + " | ".join(cells[at : at + columns]) + " |"
            for at in range(0, len(sized), columns)
        ),
    ]
    note = SIZE_NOTE.format(few=FEW, early=EARLY)
    return "\n".join([INTRODUCTION.format(networks=networks), *table, note, *second, ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("--networks", type=int, default=32)
    parser.add_argument("--runs", type=Path, help="folder that keeps finished runs")
    options = parser.parse_args(arguments)
    if options.runs is not None and not options.runs.is_dir():
        parser.error(f"--runs: expected a folder, got {options.runs}")
    store = None if options.runs is None else RunFolder(options.runs)
    write_atomically(options.page, page(options.networks, store).encode())


if __name__ == "__main__":
    main()
