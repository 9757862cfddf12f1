"""Linearisation at an equilibrium: tangent-space Jacobians, their spectra and the late decay rate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse.linalg import LinearOperator, eigsh

from dynamics.arrays import Array
from dynamics.geometry.columns import tangent_projection
from dynamics.two_layer.flows import TwoLayerDynamics

FLAT_SHARE = 1e-7
"""Eigenvalues below this share of the largest belong to flat directions (differences are good to about 1e-9 of it)."""

DENSE_LIMIT = 4000
"""Tangent dimension up to which the Jacobian is formed (128 MB) rather than applied."""


def spectral_rate(
    flow: TwoLayerDynamics, state: Array | None = None, *, return_spectrum: bool = False
) -> float | Array | tuple[float | Array, Array]:
    """Slowest decay rate of a flow near an equilibrium, flat directions left out.

    ``min {lambda of -J : |lambda| > FLAT_SHARE max|lambda|}``, with J the Jacobian on the tangent space (columns that
    live on spheres move along them only): deviations decay like ``exp(-rate t)`` in the end. The flow is asked for J in
    closed form (``flow.tangent_gram``, known at a solution of a projected flow with spherical input); where it has
    none, J is taken by central differences of the flow.

    Args:
        flow: a two-layer flow, of one instance or a stack.
        state: flat state near which to linearise, default ``flow.equilibrium()``.
        return_spectrum: whether to return the eigenvalues too.
    Returns:
        The rate per unit of the flow's time, negative where the equilibrium is unstable: a float for one instance, an
        array of the ensemble's shape (...) for several. With ``return_spectrum`` also the real parts of the eigenvalues
        of -J, ascending, (..., N).
    Raises:
        ValueError: the state is no equilibrium; or the tangent dimension N exceeds ``DENSE_LIMIT`` and the spectrum is
            asked for, the closed form is not known, or there is an ensemble or a flat direction.
    Cost: O(N^3), memory O(N^2) an instance; above ``DENSE_LIMIT`` Lanczos on the closed form, memory O(N).
    Source: Luck Matters, Theorems 4 and 5 (the sharp form of their rates).
    """
    state = flow.equilibrium() if state is None else np.asarray(state, dtype=np.float64)
    _require_equilibrium(flow, state)
    size = tangent_size(flow)
    if size > DENSE_LIMIT:
        if return_spectrum:
            raise ValueError(f"return_spectrum: expected tangent dimension <= {DENSE_LIMIT}, got {size}")
        return _lanczos_rate(flow, state)
    gram = flow.tangent_gram(state)
    if gram is None:
        values = np.sort(np.linalg.eigvals(-difference_jacobian(flow, state)).real, axis=-1)
    else:
        values = np.asarray(np.linalg.eigvalsh(_in_tangent_basis(flow, gram.W, gram)))
    flat = np.abs(values) <= FLAT_SHARE * np.abs(values).max(axis=-1, keepdims=True)
    slowest = np.where(flat, np.inf, values).min(axis=-1)
    rate: float | Array = float(slowest) if slowest.ndim == 0 else slowest
    return (rate, values) if return_spectrum else rate


def _require_equilibrium(flow: TwoLayerDynamics, state: Array) -> None:
    speed = float(np.abs(flow(0.0, state)).max())
    if not speed <= 1e-8 * max(1.0, float(np.abs(state).max())):
        raise ValueError(f"state: expected an equilibrium of the flow, got a largest speed of {speed:.3g}")


def tangent_size(flow: TwoLayerDynamics) -> int:
    """Dimension N of one instance's tangent space: n (d - 1) or n d, plus n c where V is learned."""
    problem = flow.problem
    return problem.n * (problem.d - flow.projected) + problem.n * problem.c * flow.trains_V


def sphere_basis(W: Array) -> Array:
    """Orthonormal bases of the tangent spaces of the sphere at unit columns.

    Columns 2 .. d of the Householder reflection that takes w_j to a multiple of e_1: accurate everywhere.

    Args:
        W: unit columns (..., d, n).
    Returns:
        (..., n, d, d - 1), the basis vectors of each node in columns.
    """
    w = np.swapaxes(W, -1, -2)
    sign = np.where(w[..., :1] >= 0, 1.0, -1.0)
    normal = w + sign * np.eye(w.shape[-1])[0]
    scale = 2 / np.sum(normal**2, axis=-1)[..., None, None]
    reflection = np.eye(w.shape[-1]) - scale * normal[..., :, None] * normal[..., None, :]
    return np.asarray(reflection[..., :, 1:])


def tangent_jacobian(flow: TwoLayerDynamics, state: Array) -> Array:
    """Jacobian of a flow at a flat state in an orthonormal tangent basis, in closed form where the flow has one.

    Returns:
        (..., N, N). Coordinates: those of each node in turn (:func:`sphere_basis`), then V in C order.
    Cost: N applications of the closed form, or 4 N evaluations of the flow.
    """
    gram = flow.tangent_gram(state)
    return difference_jacobian(flow, state) if gram is None else -_in_tangent_basis(flow, gram.W, gram)


def _in_tangent_basis(
    flow: TwoLayerDynamics, W: Array, action: Callable[[Array, Array], tuple[Array, Array]]
) -> Array:
    """Matrix of a linear map on (dW, dV) in the orthonormal tangent basis; one application a basis vector."""
    problem, basis = flow.problem, sphere_basis(W)
    size = tangent_size(flow)
    matrix = np.empty((*W.shape[:-2], size, size))
    zero_V = np.zeros((*W.shape[:-2], problem.n, problem.c))
    for column in range(size):
        dW, dV = np.zeros_like(W), zero_V.copy()
        node, direction = divmod(column, problem.d - 1)
        if node < problem.n:
            dW[..., node] = basis[..., node, :, direction]
        else:
            dV.reshape(*W.shape[:-2], -1)[..., column - problem.n * (problem.d - 1)] = 1.0
        matrix[..., column] = _tangent_coordinates(flow, basis, *action(dW, dV))
    return matrix


def _tangent_coordinates(flow: TwoLayerDynamics, basis: Array, dW: Array, dV: Array) -> Array:
    along = np.einsum("...jdi,...dj->...ji", basis, dW)
    parts = [along.reshape(*along.shape[:-2], -1)]
    if flow.trains_V:
        parts.append(dV.reshape(*dV.shape[:-2], -1))
    return np.concatenate(parts, axis=-1)


def difference_jacobian(flow: TwoLayerDynamics, state: Array, step: float = 1e-5) -> Array:
    """Tangent Jacobian by central differences of the flow, extrapolated from two steps: ``2 D(step/2) - D(step)``.

    Angles enter the flows by their size, so that where columns coincide the flow is once differentiable only and a
    central difference is off by O(step); the extrapolation leaves about ``step^2``. An ``EmpiricalMeasure`` makes flows
    that jump, which have no derivative to find.

    Args:
        state: flat state.
        step: length of a step of the unit columns and of V.
    Returns:
        (..., N, N), coordinates as :func:`tangent_jacobian`.
    Cost: 4 N evaluations of the flow, which serve all instances of an ensemble.
    """
    W, V = flow.matrices(state)

    def slope(dW: Array, dV: Array, size: float) -> dict[str, Array]:
        ahead = flow.unpack(flow(0.0, flow.of_matrices(W + size * dW, V + size * dV)))
        behind = flow.unpack(flow(0.0, flow.of_matrices(W - size * dW, V - size * dV)))
        return {name: (ahead[name] - behind[name]) / (2 * size) for name in ahead}

    def action(dW: Array, dV: Array) -> tuple[Array, Array]:
        coarse, fine = slope(dW, dV, step), slope(dW, dV, step / 2)
        extrapolated = {name: 2 * fine[name] - coarse[name] for name in fine}
        return extrapolated["W"], extrapolated.get("V", dV)

    if flow.projected:
        return _in_tangent_basis(flow, W, action)
    return _in_full_space(flow, W, V, action)


def _in_full_space(
    flow: TwoLayerDynamics, W: Array, V: Array, action: Callable[[Array, Array], tuple[Array, Array]]
) -> Array:
    batch, size = W.shape[:-2], tangent_size(flow)
    matrix = np.empty((*batch, size, size))
    size_W = W.shape[-2] * W.shape[-1]
    for column in range(size):
        dW, dV = np.zeros((*batch, size_W)), np.zeros((*batch, V.shape[-2] * V.shape[-1]))
        (dW if column < size_W else dV)[..., column - size_W * (column >= size_W)] = 1.0
        moved = action(dW.reshape(W.shape), dV.reshape(V.shape))
        flat = [part.reshape(*batch, -1) for part in (moved if flow.trains_V else moved[:1])]
        matrix[..., column] = np.concatenate(flat, axis=-1)
    return matrix


def _lanczos_rate(flow: TwoLayerDynamics, state: Array) -> float:
    gram = None if flow.problem.batch_shape else flow.tangent_gram(state)
    if gram is None:
        raise ValueError(
            f"flow: expected tangent dimension <= {DENSE_LIMIT} for an ensemble or without closed form, "
            f"got {tangent_size(flow)}"
        )
    if flow.trains_V and flow.problem.n > flow.problem.m:
        raise ValueError(
            "flow: expected no flat directions above the dense limit, got an r-set with V learned"
        )
    W, V = gram.W, gram.V
    size_W = W.size
    # Off the tangent space the operator acts as this multiple of the identity, which is above its smallest tangent
    # eigenvalue, since a diagonal entry of the Gram matrix is at most that.
    above = gram.variance * max(1.0, float(np.sum(V**2, axis=-1).max()))

    def _apply(flat: Array) -> Array:
        dW = tangent_projection(W, flat[:size_W].reshape(W.shape))
        normal = flat[:size_W].reshape(W.shape) - dW
        dV = flat[size_W:].reshape(V.shape) if flow.trains_V else np.zeros_like(V)
        moved_W, moved_V = gram(dW, dV)
        moved_W = moved_W + above * normal
        return np.concatenate([moved_W.ravel(), moved_V.ravel()] if flow.trains_V else [moved_W.ravel()])

    size = size_W + V.size * flow.trains_V
    operator = LinearOperator((size, size), matvec=_apply, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(size)
    smallest = eigsh(operator, k=1, which="SA", tol=1e-10, v0=start, return_eigenvectors=False, ncv=60)
    return float(smallest[0])
