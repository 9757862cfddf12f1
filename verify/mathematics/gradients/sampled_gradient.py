"""The gradient of a two-layer student by sampling and automatic differentiation: independent of every closed form."""

from __future__ import annotations

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import tangent_projection
from dynamics.two_layer.problem import TeacherStudent

CHUNK = 1 << 14


def sampled_gradient(
    problem: TeacherStudent, size: int, rng: np.random.Generator, *, projected: bool
) -> tuple[Array, Array]:
    """Mean of the per-sample negative gradient by automatic differentiation, and its standard error.

    Both flat: W's ``d n`` coordinates, then V's ``n c``; ``size`` inputs of the problem's measure, in chunks.
    ``projected``: W's part off each ``w_j``, as in the flows on unit columns. Cost ``size * n * (d + c)``.
    """
    import torch  # only statements that differentiate load it

    teacher_W, W, teacher_V, V = (
        torch.tensor(np.array(a))
        for a in (problem.teacher_W, problem.student_W, problem.teacher_V, problem.student_V)
    )

    def loss(W: torch.Tensor, V: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        residual = torch.relu(x @ teacher_W) @ teacher_V - torch.relu(x @ W) @ V
        return 0.5 * residual.square().sum()

    gradient = torch.func.vmap(torch.func.grad(loss, argnums=(0, 1)), in_dims=(None, None, 0))
    total, squares = 0.0, 0.0
    for start in range(0, size, CHUNK):
        x = torch.tensor(problem.measure.sample(min(CHUNK, size - start), rng))
        for_W, for_V = (-part.numpy() for part in gradient(W, V, x))
        if projected:
            for_W = tangent_projection(np.broadcast_to(problem.student_W, for_W.shape), for_W)
        flat = np.concatenate([for_W.reshape(len(x), -1), for_V.reshape(len(x), -1)], axis=1)
        total, squares = total + flat.sum(axis=0), squares + (flat**2).sum(axis=0)
    mean = np.asarray(total) / size
    return mean, np.sqrt(np.maximum(np.asarray(squares) / size - mean**2, 0.0) / size)
