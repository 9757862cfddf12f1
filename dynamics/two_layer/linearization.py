"""Linearisation at an equilibrium: tangent-space Jacobians, their spectra and the late decay rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, eigsh

from dynamics.arrays import Array
from dynamics.boundary import checked, naming
from dynamics.geometry.columns import tangent_projection
from dynamics.ode.flow import Flow
from dynamics.ode.late_rate import jacobian_by_differences
from dynamics.two_layer.flat_directions import flat_directions
from dynamics.two_layer.two_layer_dynamics import TwoLayerDynamics
from dynamics.validation import integer, real_array

OF_DIFFERENCES = 1e-7
"""Share of the largest eigenvalue below which one found by differences cannot be told from zero (they are good to about
1e-9 of it)."""

OF_CLOSED_FORM = 8
"""The same for the closed form, in units of ``N eps``: rounding of N entries and of their eigenvalues."""

LANCZOS = 1e-9
"""The same for Lanczos' iteration, whose tolerance is a tenth of it."""

AT_REST = 1e-8
"""Distance from the equilibrium, in the units of the state, that a state may have at which a flow is linearised."""

DENSE_LIMIT = 4000
"""Tangent dimension up to which the Jacobian is formed (128 MB) rather than applied."""


@checked
def spectral_rate(
    flow: Flow,
    state: Array | None = None,
    *,
    flat: int | None = None,
    return_spectrum: bool = False,
) -> float | Array | tuple[float | Array, Array]:
    """Slowest decay rate of a flow near an equilibrium, flat directions left out.

    The smallest eigenvalue of -J that belongs to no flat direction, with J the Jacobian on the tangent space (columns
    that live on spheres move along them only): deviations decay like ``exp(-rate t)`` in the end. The flow is asked for
    J in closed form (``flow.tangent_gram``, known at a solution of a projected flow with spherical input); where it has
    none, J is taken by central differences of the flow.

    Flat directions are counted from the state, not by the size of eigenvalues: at silent nodes and among nodes on one
    line (:mod:`dynamics.two_layer.flat_directions`). Two teachers 1e-7 apart have a rate of 1e-7 / 2 pi. Where an
    eigenvalue beyond those counted cannot be told from zero, that is an error, and ``flat`` says what is known better.

    Of any other flow, one's own :class:`~dynamics.ode.flow.Flow`, J is taken by differences in the coordinates of its
    flat state, at the ``state`` that is given; nothing is known of its flat directions but their number ``flat``.

    Args:
        flow: a two-layer flow, or any other, of one instance or a stack.
        state: flat state near which to linearise, default ``flow.equilibrium()`` of a two-layer flow.
        flat: number of flat directions of each instance; None counts them (of a flow that is no two-layer one: 0).
        return_spectrum: whether to return the eigenvalues too.
    Returns:
        The rate per unit of the flow's time, negative where the equilibrium is unstable: a float for one instance, an
        array of the ensemble's shape (...) for several. With ``return_spectrum`` also the real parts of the eigenvalues
        of -J, ascending, (..., N).
    Raises:
        ValueError: the state is no equilibrium; an eigenvalue is zero or too small to tell, and not counted as flat; or
            the tangent dimension N exceeds ``DENSE_LIMIT`` and the spectrum is
            asked for, the closed form is not known, or there is an ensemble or a flat direction.
    Cost: O(N^3), memory O(N^2) an instance, and 4 N evaluations of the flow where there is no closed form; above
        ``DENSE_LIMIT`` Lanczos on the closed form, memory O(N).
    Source: Luck Matters, Theorems 4 and 5 (the sharp form of their rates).
    """
    if not isinstance(flow, TwoLayerDynamics):
        return _of_any_flow(flow, state, flat, return_spectrum)
    state = flow.equilibrium() if state is None else _flat_state(flow, state)
    size = tangent_size(flow)
    if size == 0:
        raise ValueError(
            "flow: expected at least one direction to move in, got columns of one row on their spheres"
        )
    if size > DENSE_LIMIT:
        if return_spectrum:
            raise ValueError(f"return_spectrum: expected tangent dimension <= {DENSE_LIMIT}, got {size}")
        return _lanczos_rate(flow, state, flat)
    with naming("state"):
        gram = flow.tangent_gram(state)
        jacobian = np.empty(0) if gram is not None else difference_jacobian(flow, state)
    if gram is None:
        values = np.sort(np.linalg.eigvals(-jacobian).real, axis=-1)
        share = OF_DIFFERENCES
    else:
        values = np.asarray(np.linalg.eigvalsh(_in_tangent_basis(flow, gram.W, gram)))
        share = OF_CLOSED_FORM * size * float(np.finfo(np.float64).eps)
    _require_equilibrium(flow, state, np.abs(values).max(axis=-1))
    slowest = _slowest(values, _counted(flow, state, flat), share)
    return _told(slowest, values, return_spectrum)


def _told(
    slowest: Array, values: Array, return_spectrum: bool
) -> float | Array | tuple[float | Array, Array]:
    rate: float | Array = float(slowest) if slowest.ndim == 0 else slowest
    return (rate, values) if return_spectrum else rate


def _of_any_flow(
    flow: Flow, state: Any, flat: int | None, return_spectrum: bool
) -> float | Array | tuple[float | Array, Array]:
    """:func:`spectral_rate` of a flow of which nothing is known but its field."""
    if state is None:
        raise ValueError(
            f"state: expected the flat state at which {flow.name} rests, since it is no two-layer flow, got None"
        )
    at = _flat_state(flow, state)
    if at.size // flow.instances > DENSE_LIMIT:
        raise ValueError(
            f"flow: expected at most {DENSE_LIMIT} components an instance, got {at.size // flow.instances}"
        )
    jacobian = jacobian_by_differences(flow, at)
    with naming("state"):
        values = np.sort(np.linalg.eigvals(-jacobian).real, axis=-1)
    _require_equilibrium(flow, at, np.abs(values).max(axis=-1))
    known = np.full(flow.ensemble_shape, 0 if flat is None else integer("flat", flat, least=0))
    return _told(_slowest(values, known, OF_DIFFERENCES), values, return_spectrum)


def _flat_state(flow: Flow, state: Any) -> Array:
    flat, size = real_array("state", state), flow.initial_state().shape
    if flat.shape != size:
        raise ValueError(f"state: expected a flat state of shape {size}, got shape {flat.shape}")
    return flat


def _counted(flow: TwoLayerDynamics, state: Array, flat: int | None) -> NDArray[np.int64]:
    """Flat directions of every instance: as given, or from the state's structure."""
    if flat is not None:
        return np.full(flow.problem.batch_shape, integer("flat", flat, least=0))
    W, V = flow.matrices(state)
    return flat_directions(W, V, projected=flow.projected, trains_V=flow.trains_V)


def _slowest(values: Array, flat: NDArray[np.int64], share: float) -> Array:
    """The smallest of ascending eigenvalues (..., N) without the ``flat`` (...) that are nearest to zero and vanish.

    ``share``: of the largest, up to which an eigenvalue cannot be told from zero.
    """
    size = np.abs(values)
    vanish = size <= share * size.max(axis=-1, keepdims=True)
    unknown = vanish.sum(axis=-1) > flat
    if unknown.any():
        worst = tuple(map(int, np.argwhere(unknown)[0]))
        where = f" of instance {worst}" if worst else ""
        raise ValueError(
            f"state: expected a rate that can be told from zero; {int(vanish[worst].sum())} eigenvalues{where} are "
            f"below {share:.1g} of the largest, and {int(flat[worst])} flat directions are known; if "
            "the others are flat too, pass flat"
        )
    slowest = np.where(vanish, np.inf, values).min(axis=-1)
    if np.isinf(slowest).any():
        raise ValueError("state: expected a direction along which the flow moves, got flat ones only")
    return np.asarray(slowest)


def _require_equilibrium(flow: Flow, state: Array, fastest: Array | float) -> None:
    """Refuse a state that the ``fastest`` rate (...) would move by more than 1e-8 of its size: slow is not at rest."""
    speed = np.abs(flow(0.0, state)).max()
    reach = float(np.min(fastest)) * max(1.0, float(np.abs(state).max()))
    if not speed <= AT_REST * reach:
        raise ValueError(
            f"state: expected an equilibrium of the flow, got a largest speed of {speed:.3g}, with rates up to "
            f"{float(np.min(fastest)):.3g}"
        )


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


def _lanczos_rate(flow: TwoLayerDynamics, state: Array, flat: int | None) -> float:
    gram = None if flow.problem.batch_shape else flow.tangent_gram(state)
    if gram is None:
        raise ValueError(
            f"flow: expected tangent dimension <= {DENSE_LIMIT} for an ensemble or without closed form, "
            f"got {tangent_size(flow)}"
        )
    if counted := int(_counted(flow, state, flat)):
        raise ValueError(f"state: expected no flat directions above the dense limit, got {counted}")
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
    largest = eigsh(operator, k=1, which="LA", tol=1e-3, v0=start, return_eigenvectors=False)
    _require_equilibrium(flow, state, float(largest[0]))
    return float(_slowest(np.array([smallest[0], largest[0]]), np.array(0), LANCZOS))
