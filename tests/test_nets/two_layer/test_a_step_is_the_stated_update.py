"""One step of training is the update that its docstring states, on the batch that its stream gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from luckproof import TeacherStudent, TwoLayerStudents, network_seeds, train
from nets.two_layer.batches import FreshBatches


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
    teacher = TeacherStudent.random_unit(5, 2, rng, (3,))
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
