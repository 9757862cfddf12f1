"""Curvature of the loss of two-layer students: Hessian products, dense Hessians, extreme eigenvalues.

The Hessian is that of the sample loss ``J = 1/2 mean_b ||f*(x_b) - f(x_b)||^2`` in all weights, by automatic
differentiation. The loss is smooth between the kinks of the gates, and second derivatives at a kink are not seen.
Where the residual vanishes they do not count: there the Hessian is the Gram matrix of the features ``{f'_j(x) x (x)
v_j, f_j(x) (x) e_i}``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh
from torch.func import grad, jacrev, vmap

from dynamics.arrays import Array
from dynamics.validation import integer
from nets.two_layer.networks import TwoLayerStudents

Loss = Callable[..., torch.Tensor]

DENSE_LIMIT = 3000
"""Number of weights up to which a dense Hessian (72 MB) is formed."""


def flat_weights(students: TwoLayerStudents) -> torch.Tensor:
    """All weights of each network as one vector ``(S, n (d + c))``: W in C order, then V."""
    return torch.cat([students.W.flatten(1), students.V.flatten(1)], dim=1)


def sample_loss(students: TwoLayerStudents) -> Loss:
    """``loss(flat, x, target)`` of one network: weights ``(N,)``, inputs ``(B, d)``, teacher outputs ``(B, c)``."""
    students.require_relu_networks()
    problem = students.problem
    d, n, c = problem.d, problem.n, problem.c

    def loss(flat: torch.Tensor, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        W, V = flat[: d * n].reshape(d, n), flat[d * n :].reshape(n, c)
        return 0.5 * (target - students.activation(x @ W) @ V).square().sum(-1).mean()

    return loss


def hessian_vector_product(students: TwoLayerStudents, x: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
    """Hessian times ``step (S, N)`` for every network on its inputs ``x (S, B, d)``, without forming it.

    Reverse over reverse mode: the cost of about four gradients, memory O(S B (n + c)).
    """
    loss = sample_loss(students)

    def slope_along(
        flat: torch.Tensor, inputs: torch.Tensor, target: torch.Tensor, v: torch.Tensor
    ) -> torch.Tensor:
        return torch.dot(torch.as_tensor(grad(loss)(flat, inputs, target)), v)

    result: torch.Tensor = vmap(grad(slope_along))(flat_weights(students), x, students.teacher(x), step)
    return result


def dense_hessian(students: TwoLayerStudents, x: torch.Tensor) -> torch.Tensor:
    """Hessians ``(S, N, N)`` on inputs ``x (S, B, d)``, ordered as :func:`flat_weights`.

    Network by network, so that memory stays O(N B (n + c)); cost O(S N B (n + c)(d + c)).
    Raises ValueError above ``DENSE_LIMIT`` weights.
    """
    flat = flat_weights(students)
    if flat.shape[1] > DENSE_LIMIT:
        raise ValueError(f"students: expected at most {DENSE_LIMIT} weights a network, got {flat.shape[1]}")
    one = jacrev(grad(sample_loss(students)))
    rows = [one(*arguments) for arguments in zip(flat, x, students.teacher(x), strict=True)]
    return torch.stack(rows)


def hessian_spectrum(students: TwoLayerStudents, x: torch.Tensor) -> Array:
    """Eigenvalues of the dense Hessians, ascending, ``(S, N)``."""
    H = dense_hessian(students, x)
    return np.asarray(torch.linalg.eigvalsh((H + H.mT) / 2).cpu().numpy())


def largest_eigenvalues(students: TwoLayerStudents, x: torch.Tensor, k: int = 6) -> Array:
    """The k algebraically largest eigenvalues, descending, ``(S, k)``, by Lanczos on Hessian products.

    For any size; cost about 10 k products a network. Raises ValueError unless ``1 <= k < N``.
    """
    flat = flat_weights(students)
    count, size = flat.shape
    if not 1 <= integer("k", k) < size:
        raise ValueError(f"k: expected 1 <= k < {size} (the number of weights), got {k}")
    values = np.empty((count, k))
    start = np.random.default_rng(0).standard_normal(size)
    for index in range(count):  # Lanczos is sequential: one Krylov space a network
        step = torch.zeros_like(flat)

        def apply(vector: Array, index: int = index, step: torch.Tensor = step) -> Array:
            step[index] = torch.as_tensor(vector.ravel(), device=flat.device, dtype=flat.dtype)
            return np.asarray(hessian_vector_product(students, x, step)[index].cpu().numpy())

        operator = LinearOperator((size, size), matvec=apply, dtype=np.float64)
        values[index] = eigsh(operator, k=k, which="LA", v0=start, return_eigenvectors=False)[::-1]
    return values
