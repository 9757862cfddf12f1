"""Training of deep ensembles beside their teachers: epochs, records, checkpoints, and a typed end."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from os import PathLike
from pathlib import Path

from torch import Tensor

from dynamics.boundary import checked
from dynamics.ode.progress import Progress, reporting
from dynamics.ode.trajectory import Trajectory
from dynamics.validation import positive_int
from nets.deep.metrics import Observer
from nets.deep.networks import DeepNetworks
from nets.deep.training.batches import BatchSource
from nets.deep.training.descent import SGD, Objective
from nets.deep.training.plan import DeepTrainingPlan
from nets.deep.training.run import DeepTrainingRun
from nets.products import Products, full_convolutions


@checked
def train_deep(
    students: DeepNetworks,
    teacher: DeepNetworks,
    source: BatchSource,
    *,
    sgd: SGD,
    epochs: int,
    evaluation: Tensor,
    objective: Objective | None = None,
    record_at: Sequence[int] | None = None,
    observe: Observer | None = None,
    products: Products = "own",
    checkpoint: str | PathLike[str] | None = None,
    checkpoint_every: int = 1,
    workers: int = 1,
    progress: bool | Progress = False,
) -> Trajectory:
    """Train the students in place and measure them beside their teachers.

    A non-finite batch loss ends the run with status ``diverged``, naming network and step; the records before it stay.

    Args:
        students: S networks; any start.
        teacher: S networks, one for each student.
        source: where the batches come from.
        sgd: step, momentum, weight decay and schedule.
        epochs: epochs of ``source.steps`` steps.
        evaluation: inputs ``(S, N, *inputs)``, or ``(N, *inputs)`` for all, on which records are made.
        objective: what is minimised; :class:`~nets.deep.training.descent.Distillation` from the teacher by default.
        record_at: epochs after which to record (all by default); 0, the start, and the last are always recorded.
        observe: measures more at every record, see :class:`nets.deep.metrics.Observer`.
        products: ``own``, of the students' number format; or, for students in float64, ``float32``: the three matrix
            products of a layer and step (values, gradient at the inputs, gradient of the weights) of operands rounded
            to float32, while weights, momentum, biases, normalisation and losses stay in float64. No step is then too
            small for the weights, but outputs are wrong by about 1e-7, and the loss has a floor near the square of
            that; or ``float32-backward``: the last two products alone. A gradient then has the relative error of its
            own products, however small the loss, and there is no such floor. Convolutions never take TF32.
        checkpoint: a file that is written every ``checkpoint_every`` epochs and at the end. Where it exists, it must
            be of the same students, teacher, data and settings; the run then goes on from it, bit for bit on a CPU.
        checkpoint_every: epochs between two checkpoints.
        workers: threads that share the networks on a CPU. The result does not depend on them, and a network's path, up
            to rounding, not on its neighbours.
        progress: a bar on stderr where that is a terminal, or a callable of the fraction done.
    Returns:
        A trajectory over epochs, without states. Observables, networks on the axis after time:

            loss, train_loss (S,)                mean squared error over samples and outputs; mean batch objective since
                                                 the record before
            rho_bar, mean_rank, median_rank (S, layer)      over teachers, of the best student's correlation and of the
                                                 final winner's rank in [0, 1]
            best_rho, winner_rank (S, teacher_node), active (S, student_node)     of every hidden node

        Layers differ in width, so the nodes of all of them share one axis, layer after layer;
        ``run.at("best_rho", teacher_layer=2)`` is the part of layer 2.
    Raises:
        ValueError, TypeError: naming the argument, and on a checkpoint of other settings.
    Cost: ``6 B S products`` flops a step, ``2 N S products`` a record. Memory: the students (once more with momentum,
        and with products in float32), and 2 bytes for every student, teacher node and record (the ranks, whose winner
        is known only at the end). On CUDA blocks of steps are captured as graphs (:mod:`nets.captured_steps`), which
        need the samples of a block again.
    Source: Luck Matters, section 5.
    """
    plan = DeepTrainingPlan.of(
        students, teacher, source, sgd=sgd, epochs=epochs, evaluation=evaluation,
        objective=objective, record_at=record_at, observe=observe, products=products,
    )  # fmt: skip
    threads, every = positive_int("workers", workers), positive_int("checkpoint_every", checkpoint_every)
    run = DeepTrainingRun(plan)
    file = None if checkpoint is None else Path(checkpoint)
    if file is not None and file.exists():
        run.restore(file)

    def save(epoch: int) -> None:
        if file is not None and (epoch % every == 0 or epoch == plan.epochs):
            run.save(file)

    with (
        full_convolutions(),
        reporting(progress, 0, run.work[1], "training") as report,
        ThreadPoolExecutor(threads) as pool,
    ):
        ending = run.through(pool, report, save)
    return run.trajectory(ending)
