"""Everything one deep training is asked to do, checked once before it starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self

from torch import Tensor

from dynamics.boundary import naming
from dynamics.validation import positive_int, shown
from nets.deep.metrics import Observer
from nets.deep.networks import DeepNetworks
from nets.deep.training.batches import BatchSource
from nets.deep.training.descent import SGD, Distillation, Objective, check_batch
from nets.products import Products, require_products
from nets.record_times import record_epochs

LARGE_NETWORK = 1 << 15
"""From this many parameters on a network fills a core by itself: on a CPU its neighbours only compete for the cache."""

SMALL_NETWORKS_TOGETHER = 16
"""Small networks trained side by side on a CPU: one call for all of them costs little more than for one."""


@dataclass(frozen=True)
class DeepTrainingPlan:
    """One training of ``students`` beside ``teacher``: data, objective, step, length and when to look.

    Made by :meth:`of`, which checks the arguments; everything after it takes them as they are. ``evaluation``: the
    inputs of the records, ``(S, N, *inputs)``. ``records``: epochs, ascending, from 0 to ``epochs``. ``start``: what
    the students were when the plan was made, as a hash. ``products``: one of :data:`nets.products.PRODUCTS`.
    """

    students: DeepNetworks
    teacher: DeepNetworks
    objective: Objective
    source: BatchSource
    evaluation: Tensor
    sgd: SGD
    epochs: int
    records: tuple[int, ...]
    observe: Observer | None
    start: str
    products: Products = "own"

    @classmethod
    def of(
        cls,
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
    ) -> Self:
        """The plan of the arguments of :func:`nets.deep.training.train.train_deep`, whose errors it raises."""
        positive_int("epochs", epochs)
        _require_parts(source, objective, observe)
        check_batch(students, getattr(source, "batch_size", 2))
        if teacher.count != students.count:
            raise ValueError(f"teacher: expected {students.count} networks as students, got {teacher.count}")
        return cls(
            students,
            teacher,
            Distillation(teacher) if objective is None else objective,
            source,
            _expanded(students, evaluation),
            sgd,
            epochs,
            record_epochs(epochs, record_at),
            observe,
            students.fingerprint(),
            require_products(products, students.dtype),
        )

    @property
    def steps(self) -> int:
        """Steps of one epoch."""
        return self.source.steps

    @property
    def groups(self) -> list[slice]:
        """The networks that are trained side by side, group by group."""
        size = group_size(self.students)
        return [slice(first, first + size) for first in range(0, self.students.count, size)]

    @cached_property
    def settings(self) -> dict[str, Any]:
        """All that decides the result, as JSON holds it: a run is continued only where it is equal."""
        architecture = asdict(self.students.architecture)
        return {
            "architecture": {k: list(v) if isinstance(v, tuple) else v for k, v in architecture.items()},
            "dtype": str(self.students.dtype).removeprefix("torch."),
            **({} if self.products == "own" else {"products": self.products}),
            "device": self.students.device.type,
            "networks": self.students.count,
            "start": self.start,
            "objective": self.objective.described(),
            "teacher": self.teacher.fingerprint(),
            "data": dict(self.source.described()),
            "evaluation_samples": int(self.evaluation.shape[1]),
            "sgd": asdict(self.sgd),
            "epochs": self.epochs,
            "record_at": list(self.records),
            "observed": [] if self.observe is None else sorted(self.observe.dimensions),
        }


def group_size(students: DeepNetworks) -> int:
    """Networks trained side by side: all of them on CUDA; on a CPU each by itself, or several where they are small.

    ConvNets count as large: on a CPU a loop over networks is up to a fifth faster than a grouped convolution.
    """
    if students.device.type != "cpu":
        return students.count
    large = students.architecture.parameters >= LARGE_NETWORK or students.architecture.convolutional
    return 1 if large else min(students.count, SMALL_NETWORKS_TOGETHER)


def _require_parts(source: Any, objective: Any, observe: Any) -> None:
    """Raise TypeError, naming the argument, where one cannot be what it stands for."""
    if not hasattr(source, "batches"):
        raise TypeError(f"source: expected a source of batches, got {shown(source)}")
    # networks have parts too, so that one member alone does not tell an objective
    is_one = callable(objective) and all(hasattr(objective, member) for member in ("part", "described"))
    if objective is not None and not is_one:
        raise TypeError(
            f"objective: expected a callable with part(networks) and described(), got {shown(objective)}"
        )
    if observe is not None and not callable(observe):
        raise TypeError(f"observe: expected a callable, got {shown(observe)}")


def _expanded(students: DeepNetworks, evaluation: Tensor) -> Tensor:
    with naming("evaluation"):
        return students.expand(evaluation)
