"""The states of networks at every single step of their training."""

from __future__ import annotations

from collections.abc import Iterator

from dynamics.arrays import Array
from dynamics.validation import number, positive_int
from nets.endings import DivergedTrainingError
from nets.streams import network_seeds
from nets.two_layer.networks import TwoLayerStudents
from nets.two_layer.training import Descent, UpdateRule


def stepwise(
    students: TwoLayerStudents,
    *,
    lr: float,
    batch_size: int,
    steps: int,
    seed: int,
    projected: bool,
    train_V: bool,
) -> Iterator[tuple[Array, Array]]:
    """The weights ``W (..., d, n)``, ``V (..., n, c)`` before the first step and after each.

    The states are those of :func:`nets.train` with the same arguments, bit for bit. The students are updated in place.

    Raises:
        ValueError, TypeError: naming the argument.
        DivergedTrainingError: a batch loss is not finite; the message names network and step.
    Cost: as :func:`nets.train`, and a copy of the weights a step.
    """
    students.problem.require_u_set()
    if projected:
        students.problem.require_unit_columns()
    rule = UpdateRule(
        number("lr", lr, positive=True), positive_int("batch_size", batch_size), projected, train_V
    )
    descent = Descent(students, rule, network_seeds(seed, students.count), rule.batch_size)
    yield students.weights()
    for _ in range(positive_int("steps", steps)):
        if ending := descent.advance(1):
            raise DivergedTrainingError(ending.detail)
        yield students.weights()
