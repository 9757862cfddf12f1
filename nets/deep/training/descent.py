"""SGD on ensembles of deep networks: objectives, schedules of the learning rate, and one step of all networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from dynamics.boundary import check_fields, checked
from dynamics.validation import integer, number, shown
from nets.deep.blocks import side_by_side, stacked
from nets.deep.layers import Layer
from nets.deep.networks import DeepNetworks
from nets.deep.steps import Step
from nets.products import Products


class Objective(Protocol):
    """What is minimised, network by network."""

    def __call__(self, x: Tensor, labels: Tensor | None, output: Tensor) -> tuple[Tensor, Tensor]:
        """Losses and their gradient on one batch.

        Args:
            x: inputs side by side, ``(B, S d)`` or ``(B, S c, h, w)``.
            labels: ``(B, S)``, or None.
            output: the students' outputs side by side, ``(B, S C)``.
        Returns:
            Batch losses ``(S,)``, and the gradient at the outputs, ``(B, S C)``.
        """

    def part(self, networks: slice) -> Objective:
        """The objective of some of the networks."""

    def described(self) -> str:
        """What the objective is, in words: a run is continued only with the same."""


class Distillation:
    """``J = 1/2 mean_b ||f*(x_b) - f(x_b)||^2``, each network against its own teacher (in evaluation mode).

    ``torch.nn.MSELoss`` is the mean over outputs without the half: its learning rate times ``2 / C`` is the rate here.
    Source: Luck Matters, Eqn 1.
    """

    @checked
    def __init__(self, teacher: DeepNetworks) -> None:
        self.teacher = teacher
        self._blocks = teacher.blocks()

    def __call__(self, x: Tensor, labels: Tensor | None, output: Tensor) -> tuple[Tensor, Tensor]:
        target = x
        for block in self._blocks:
            target = block.evaluate(target)
        error = output - target
        size = output.shape[0]
        losses = stacked(error, self.teacher.count).square().sum((1, 2)).mul_(0.5 / size)
        return losses, error.div_(size)

    @checked
    def part(self, networks: slice) -> Distillation:
        return Distillation(self.teacher.part(networks))

    def described(self) -> str:
        return f"distillation from {self.teacher.fingerprint()}"


class Classification:
    """Mean cross-entropy of the softmax of the outputs against integer labels, as ``torch.nn.CrossEntropyLoss``.

    Raises ValueError, at the first batch, where the source has no labels.
    """

    def __call__(self, x: Tensor, labels: Tensor | None, output: Tensor) -> tuple[Tensor, Tensor]:
        if labels is None:
            raise ValueError("labels: expected a source with labels for a classification, got none")
        count, size = labels.shape[1], output.shape[0]
        scores = stacked(output, count).log_softmax(-1)  # (S, B, C)
        index = labels.T[..., None]
        losses = -scores.gather(-1, index).sum((1, 2)) / size
        gradient = scores.exp()
        gradient.scatter_add_(-1, index, gradient.new_full(index.shape, -1.0))
        return losses, side_by_side(gradient).div(size)

    @checked
    def part(self, networks: slice) -> Classification:
        return self

    def described(self) -> str:
        return "classification"


@dataclass(frozen=True)
class SGD:
    """Plain SGD with ``torch.optim.SGD``'s momentum and weight decay, and a schedule of the learning rate.

    Args:
        lr: learning rate, > 0.
        momentum: in [0, 1).
        weight_decay: >= 0.
        drops: pairs (epoch, rate) in order: from that epoch on, counted from 0, that rate; such as ((20, 0.1),).
        decay_from: fraction of the run after which the rate falls linearly, to 0 after the last step; 1: never.
    Raises:
        ValueError, TypeError: naming the field.
    Source: Student Specialization, section 6.
    """

    lr: float
    momentum: float = 0.0
    weight_decay: float = 0.0
    drops: tuple[tuple[int, float], ...] = ()
    decay_from: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self)
        number("lr", self.lr, positive=True)
        if not 0 <= number("momentum", self.momentum) < 1:
            raise ValueError(f"momentum: expected a number in [0, 1), got {shown(self.momentum)}")
        number("weight_decay", self.weight_decay, least=0)
        if not 0 <= number("decay_from", self.decay_from) <= 1:
            raise ValueError(f"decay_from: expected a fraction in [0, 1], got {shown(self.decay_from)}")
        if not all(isinstance(drop, tuple | list) and len(drop) == 2 for drop in self.drops):
            raise TypeError(f"drops: expected pairs (epoch, rate), got {shown(self.drops)}")
        epochs = [integer("drops", epoch, least=0) for epoch, _ in self.drops]
        if epochs != sorted(set(epochs)):
            raise ValueError(f"drops: expected epochs in order, got {shown(self.drops)}")
        rates = [number("drops", rate, positive=True) for _, rate in self.drops]
        object.__setattr__(self, "drops", tuple(zip(epochs, rates, strict=True)))

    def rate(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """The learning rate of step ``step`` = 0, 1, ... in a run of ``epochs`` epochs."""
        rate = self.lr
        for epoch, lower in self.drops:
            if step >= epoch * steps_per_epoch:
                rate = lower
        total = epochs * steps_per_epoch
        if self.decay_from < 1:
            rate *= min(1.0, (total - step) / (total * (1 - self.decay_from)))
        return rate


class DeepDescent:
    """One step after another of all students: forward, backward, parameters moved in place, gradients by hand.

    ``velocity`` holds the momentum in the form of the students, to be saved and restored as they are; None without.
    ``products``: see :func:`nets.deep.training.train.train_deep`.
    """

    def __init__(
        self,
        students: DeepNetworks,
        objective: Objective,
        sgd: SGD,
        velocity: DeepNetworks | None,
        products: Products = "own",
    ) -> None:
        self._blocks = students.blocks(products)
        self._objective = objective
        self._sgd = sgd
        self._velocities: list[Layer | None] = (
            [None] * len(self._blocks) if velocity is None else list(velocity.layers)
        )

    def step(self, x: Tensor, labels: Tensor | None, rate: float) -> Tensor:
        """One step of size ``rate``; returns the batch losses ``(S,)`` before it.

        Cost: 6 B S products flops, 4 in the lowest layer, whose inputs need no gradient.
        """
        rule = Step(rate, self._sgd.momentum, self._sgd.weight_decay)
        values = x
        for block in self._blocks:
            values = block.forward(values)
        losses, g = self._objective(x, labels, values)
        for index in reversed(range(len(self._blocks))):
            below = self._blocks[index].backward(g, rule, self._velocities[index], index == 0)
            if below is not None:
                g = below
        return losses


def resting(students: DeepNetworks, sgd: SGD) -> DeepNetworks | None:
    """The momentum before the first step: zeros in the form of the students, or None without momentum."""
    if sgd.momentum == 0:
        return None
    velocity = students.clone()
    for value in velocity.tensors().values():
        value.zero_()
    return velocity


def in_training_mode(students: DeepNetworks, x: Tensor) -> Tensor:
    """Outputs ``(S, B, C)`` with the statistics of the batch ``x (S, B, *inputs)``; the running ones do not change."""
    values = side_by_side(students.expand(x))
    for block in students.clone().blocks():
        values = block.forward(values)
    return stacked(values, students.count)


def check_batch(students: DeepNetworks, batch_size: int) -> None:
    """Raise ValueError where a batch is too small to be normalised."""
    if students.architecture.normalisation != "none" and batch_size < 2:
        raise ValueError(f"batch_size: expected at least 2 with batch normalisation, got {batch_size}")
