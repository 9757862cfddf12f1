"""The hand-written batch gradient is the gradient of the batch loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from luckproof import TeacherStudent, TwoLayerStudents

SIZES = {
    "networks": st.integers(1, 3),
    "d": st.integers(1, 8),
    "m": st.integers(1, 5),
    "extra": st.integers(0, 4),
    "c": st.integers(1, 3),
    "batch": st.integers(1, 40),
    "seed": st.integers(0, 2**32 - 1),
}


def instance(
    networks: int, d: int, m: int, extra: int, c: int, batch: int, seed: int, dtype: torch.dtype
) -> tuple[TwoLayerStudents, torch.Tensor]:
    """Random students and a batch of inputs."""
    rng = np.random.default_rng(seed)
    shapes = ((d, m), (d, m + extra), (m, c), (m + extra, c))
    problem = TeacherStudent(*(rng.standard_normal((networks, *shape)) for shape in shapes))
    students = TwoLayerStudents.from_problem(problem, "cpu", dtype)
    x = torch.tensor(rng.standard_normal((networks, batch, d)), dtype=dtype)
    return students, x


def autograd(students: TwoLayerStudents, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Minus the gradients by autograd; each network's loss is a mean over its own batch."""
    W, V = students.W.requires_grad_(), students.V.requires_grad_()
    residual = students.teacher(x) - torch.relu(x @ W) @ V
    loss = 0.5 * residual.square().sum(-1).mean(1).sum()
    grad_W, grad_V = torch.autograd.grad(loss, (W, V))
    return -grad_W, -grad_V


def rounding(students: TwoLayerStudents, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """First-order bounds on the rounding of each side: chain length times eps times the sums of absolute terms."""
    W, V = students.W.abs(), students.V.abs()
    hidden = x.abs() @ W
    residual = (x.abs() @ students.teacher_W.abs()) @ students.teacher_V.abs() + hidden @ V
    (_, d, n), c = W.shape, V.shape[-1]
    chain = d + (n + students.problem.m) + c + x.shape[1] + 4
    eps = torch.finfo(x.dtype).eps / x.shape[1]
    return chain * eps * (x.abs().mT @ (residual @ V.mT)), (chain + d) * eps * (hidden.mT @ residual)


def excess(ours: torch.Tensor, reference: torch.Tensor, bound: torch.Tensor) -> float:
    """Largest error in units of the rounding bound of two computations."""
    return float(((ours - reference).abs() / (2 * bound)).max())


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@given(**SIZES)
def test_gradient_equals_autograd_to_rounding(dtype: torch.dtype, **sizes: int) -> None:
    """dJ/dW and dJ/dV of every network equal autograd's within the rounding of the two sums."""
    students, x = instance(**sizes, dtype=dtype)
    # Rounding must not be able to flip a gate: it may differ between the two computations.
    assume(float((x @ students.W).abs().min()) > 100 * torch.finfo(dtype).eps)
    for ours, reference, bound in zip(
        students.negative_gradients(x), autograd(students, x), rounding(students, x), strict=True
    ):
        assert excess(ours, reference, bound) <= 1


def test_altered_gradients_are_rejected() -> None:
    """Control: a flipped sign, a gate left out, V in place of its transpose and a missing 1/B all exceed the bound."""
    sizes = {"networks": 2, "d": 4, "m": 3, "extra": 0, "c": 3, "batch": 20, "seed": 0}
    students, x = instance(**sizes, dtype=torch.float64)
    grad_W, _ = students.negative_gradients(x)
    bound, _ = rounding(students, x)
    residual = students.teacher(x) - students.forward(x)
    gate = (x @ students.W > 0).double()
    right = x.mT @ (gate * (residual @ students.V.mT)) / x.shape[1]
    assert excess(right, grad_W, bound) <= 1
    for wrong in (
        -right,
        x.mT @ (residual @ students.V.mT) / x.shape[1],
        x.mT @ (gate * (residual @ students.V)) / x.shape[1],
        right * x.shape[1],
    ):
        assert excess(wrong, grad_W, bound) > 1e6


def test_gate_is_closed_at_the_kink() -> None:
    """A node whose pre-activation is exactly zero gets no gradient."""
    problem = TeacherStudent(np.array([[1.0], [1.0]]), np.array([[1.0], [0.0]]))
    students = TwoLayerStudents.from_problem(problem, "cpu")
    grad_W, grad_V = students.negative_gradients(torch.tensor([[[0.0, 1.0]]], dtype=torch.float64))
    assert torch.equal(grad_W, torch.zeros_like(grad_W))
    assert torch.equal(grad_V, torch.zeros_like(grad_V))
