"""One step of training is the update that its docstring states, on the batch that its stream gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from luckproof import TeacherStudent, TwoLayerStudents, network_seeds, teachers, train
from nets.two_layer.batches import FreshBatches
from nets.two_layer.curvature import dense_hessian


def stated_step(
    students: TwoLayerStudents, x: torch.Tensor, lr: float, *, projected: bool, train_V: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """The update in the papers' shapes, ``W (S, d, n)`` and ``V (S, n, c)``, from gradients at the same weights."""
    W, V = students.W, students.V
    grad_W, grad_V = students.negative_gradients(x)
    if projected:
        moved = W + lr * (grad_W - W * (W * grad_W).sum(-2, keepdim=True))
        W_next = moved / moved.norm(dim=-2, keepdim=True)
    else:
        W_next = W + lr * grad_W
    return W_next, V + lr * grad_V if train_V else V


@pytest.mark.parametrize("projected", [True, False], ids=["projected", "plain"])
@pytest.mark.parametrize("train_V", [True, False], ids=["V-trained", "V-fixed"])
def test_a_step_is_the_stated_update(projected: bool, train_V: bool, device: str) -> None:
    """Three steps, each from the stated formula, to rounding; any other mode is off by far more."""
    rng = np.random.default_rng(0)
    teacher = teachers.random_unit(5, 2, rng, (3,))
    problem = TeacherStudent.near_teacher(teacher, rng.standard_normal((3, 2, 2)), 4, rng)
    trained = TwoLayerStudents.from_problem(problem, device)
    train(trained, lr=0.5, batch_size=16, steps=3, seed=4, projected=projected, train_V=train_V)
    for modes in ((p, v) for p in (True, False) for v in (True, False)):
        stated = TwoLayerStudents.from_problem(problem, device)
        where = {"device": stated.device, "dtype": stated.dtype}
        batches = FreshBatches(problem.measure, network_seeds(4, 3), 16, **where)
        for _ in range(3):
            stated.assign(*stated_step(stated, next(batches).mT, 0.5, projected=modes[0], train_V=modes[1]))
        gap = max(float((trained.W - stated.W).abs().max()), float((trained.V - stated.V).abs().max()))
        if modes == (projected, train_V):
            assert (
                gap <= 200 * np.finfo(np.float64).eps
            )  # three steps of sums over 16 samples, entries of order one
        else:
            assert gap > 1e-3


@pytest.mark.parametrize("member", ["forward", "teacher"])
def test_networks_of_another_kind_are_not_trained_as_relu_networks(member: str) -> None:
    """A subclass with its own outputs is refused by whatever has the ReLU gradient written out; others are not."""

    def tanh(self: TwoLayerStudents, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x @ self.W) @ self.V

    rng = np.random.default_rng(0)
    problem = TeacherStudent.near_teacher(
        teachers.random_unit(5, 2, rng), rng.standard_normal((2, 2)), 4, rng
    )
    other = type("TanhStudents", (TwoLayerStudents,), {member: tanh}).from_problem(problem, "cpu")
    x = torch.ones(1, 3, 5, dtype=torch.float64)
    for use in (
        lambda: train(other, lr=0.1, batch_size=4, steps=1, seed=0),
        lambda: other.negative_gradients(x),
        lambda: dense_hessian(other, x),
    ):
        with pytest.raises(TypeError, match="students: expected the networks of TwoLayerStudents"):
            use()
    type("Same", (TwoLayerStudents,), {}).from_problem(problem, "cpu").negative_gradients(x)


def test_training_does_not_pass_over_gradients_of_ones_own() -> None:
    """``train`` has the gradient written out and does not call ``negative_gradients``: an override is refused."""

    class Clipped(TwoLayerStudents):
        def negative_gradients(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            W, V = super().negative_gradients(x)
            return W.clamp(-1, 1), V.clamp(-1, 1)

    rng = np.random.default_rng(0)
    problem = TeacherStudent.near_teacher(
        teachers.random_unit(5, 2, rng), rng.standard_normal((2, 2)), 4, rng
    )
    students = Clipped.from_problem(problem, "cpu")
    assert students.negative_gradients(torch.ones(1, 3, 5, dtype=torch.float64))[0].abs().max() <= 1
    with pytest.raises(TypeError, match="got Clipped with its own negative_gradients"):
        train(students, lr=0.1, batch_size=4, steps=1, seed=0)
