"""Training of the two-layer experiments: one run, or all the settings of a study, over the cores of the machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dynamics.boundary import checked
from dynamics.ode.progress import Progress, reporting
from dynamics.ode.trajectory import Trajectory
from dynamics.validation import positive_int
from nets.specialization.group_training import GroupRun, trajectory_of
from nets.specialization.plan import EPOCH, GROUP_SIZE, TrainingPlan
from nets.specialization.processes import trained_groups
from nets.specialization.run_folder import RunFolder
from nets.specialization.setting import SpecializationSetting

GROUPS_A_PROCESS = 2
"""Groups for each process at least, where there are as many networks: waiting for a late one then costs less."""


@checked
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
    progress: bool | Progress = False,
) -> Trajectory:
    """Train students of one setting, each beside its own teacher on its own finite training set.

    One step on a batch of B training samples drawn with replacement, all weights and biases at once:

        e = f*(x) - f(x),   W <- W + lr/B sum_b [x; 1] (D V e)^T,   V <- V + lr/B sum_b [h; 1] e^T

    with h = relu(W^T [x; 1]) and D its gates: gradient descent on ``1/2 mean_b ||e||^2`` (Eqn 2). A network takes the
    same path, bit for bit on a CPU, alone and in company.

    Args:
        setting: sizes, laws and learning rate.
        seed: an integer spawned into one per network, or one integer per network.
        networks: how many.
        steps: SGD steps.
        record_at, record_every: steps of the records, or steps between them (one epoch by default); 0 and the last
            always.
        device: see :func:`nets.resolve_device`.
        workers: processes, see :func:`train_in_turn`.
        progress: a bar on stderr where that is a terminal, or a callable of the fraction done.
    Returns:
        A trajectory over epochs of ``EPOCH`` steps, with the observables of
        :class:`nets.specialization.observables.Evaluator`, networks on the axis after time. A network whose weights or
        loss stop being finite ends it with status ``diverged`` at the last record that is finite for all.
    Raises:
        ValueError, TypeError: naming the argument, and where an accelerator has no memory for one network.
    Cost: O(B (d n + n c)) a step and network (about 20 microseconds on one core at d = 100, n = c = 50). Memory: the
        data sets of the groups at work, about 25 MB a network at the defaults, and O(records networks m n). An
        accelerator trains as many networks side by side as fit half of what its memory and the host's have free, and
        captures blocks of steps as graphs (:mod:`nets.captured_steps`).
    Source: Student Specialization, section 6, and the authors' program.
    """
    plan = TrainingPlan.of(
        setting, seed=seed, networks=networks, steps=steps,
        record_at=record_at, record_every=record_every, device=device,
    )  # fmt: skip
    with reporting(progress, 0, 1, "training") as report:
        (run,) = train_in_turn([plan], workers=workers, progress=report)
    return run


def train_in_turn(
    plans: Sequence[TrainingPlan],
    *,
    workers: int = 1,
    progress: Progress | None = None,
    store: RunFolder | None = None,
) -> Iterator[Trajectory]:
    """The runs of ``plans``, in their order, each as soon as it and those before it are done.

    The numbers do not depend on the number of processes. Processes import what they need anew, so that a program which
    asks for them needs the usual ``if __name__ == "__main__"``. (Threads would wait for one another between the short
    steps.)

    Args:
        plans: one for each run.
        workers: processes that share the groups of networks; on CUDA one does it all.
        progress: told the fraction done.
        store: groups found there are not trained again, and others are added as they finish.
    """
    count = positive_int("workers", workers)
    if count > 1 and any(plan.device.startswith("cuda") for plan in plans):
        count = 1
    networks = sum(len(plan.seeds) for plan in plans)
    # Kept groups are cut the same way however many processes there are, so that they are found again.
    most = -(-networks // (GROUPS_A_PROCESS * count)) if count > 1 and store is None else networks
    rows = [_groups(plan, most, store) for plan in plans]
    missing = [group for row in rows for group in row if isinstance(group, TrainingPlan)]
    keep = (lambda group, run: None) if store is None else store.keep
    trained = trained_groups(missing, count, progress or (lambda fraction: None), keep)
    for plan, row in zip(plans, rows, strict=True):
        runs = [next(trained) if isinstance(group, TrainingPlan) else group for group in row]
        yield trajectory_of(plan, runs)


def _groups(plan: TrainingPlan, most: int, store: RunFolder | None) -> list[TrainingPlan | GroupRun]:
    """The networks of ``plan`` in their order: groups to train, of at most ``most``, and runs found in ``store``."""
    fitting = plan.side_by_side()
    if store is None:
        return [*plan.groups(min(most, fitting))]
    row: list[TrainingPlan | GroupRun] = []
    for part in plan.groups(min(fitting, GROUP_SIZE)):
        run = store.find(part)
        before = row[-1] if row else None
        if run is not None:
            row.append(run)
        elif isinstance(before, TrainingPlan) and len(before.seeds) + len(part.seeds) <= fitting:
            row[-1] = before.joined(part)
        else:
            row.append(part)
    return row
