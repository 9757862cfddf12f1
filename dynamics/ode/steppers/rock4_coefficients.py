"""Coefficients of a fourth-order stabilised method after Abdulle's ROCK4, computed rather than tabulated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.arrays import Array
from dynamics.validation import shown

FEWEST_STAGES, MOST_STAGES = 6, 200
"""Stages for which the fit of the roots below was made and checked."""

ROOT_POLYNOMIALS = np.array(
    [
        [1.8039, 23.8392, 16.7402, 8.95211],
        [-0.965394, 1.20044, 1.22759, 1.14586],
        [0.866491, 0.316006, 0.169808, -0.0358968],
        [-0.134954, 0.152522, -0.0593453, -0.0600822],
        [0.0200378, -0.0556104, 0.0222848, -0.00904378],
        [0.0118534, 0.0415146, 0.0109086, 0.00600221],
        [-0.00527327, -0.046996, -0.0305222, -0.0193747],
    ]
)
"""Columns g_1 ... g_4 as polynomials in 36/s^2, lowest power first. The factor w of the stability polynomial has the
roots 1 - (g_1 +- i g_2)/s^2 and 1 - (g_3 +- i g_4)/s^2.

For each s they solve four equations: w P_{s-4} agrees with exp to order 4 at x = 1 (three equations, since the scale of
z is free), and its largest extremum inside [-1, 1] is 0.6 of its value at 1. Solved by Gauss-Newton for 31 values of s
in 6 ... 200 (the same solution from 30 random starts at s = 20) and fitted to 1e-4. That is accurate enough, because
the order of the method does not depend on the roots, see :func:`rock4_coefficients`.

Abdulle's damping is 0.95 in place of 0.6. With 0.6 the interval is a tenth shorter, but fast modes, which enter the
closing slopes multiplied by z, are damped away: on a gradient flow of 10,000 components the same true errors took 10 to
20 per cent fewer evaluations.
"""

TREE_DENSITIES = np.array([1.0, 2.0, 3.0, 6.0, 4.0, 8.0, 12.0, 24.0])
"""Densities of the rooted trees of up to four nodes, in the order of :func:`_slope_weights`."""

ERROR_WEIGHT = 0.1
"""Weight of f(y_1) in the error estimate; see :class:`ROCK4Coefficients`."""


@dataclass(frozen=True)
class ROCK4Coefficients:
    """The method of ``stages`` s: s - 4 stages of a three-term recurrence, then a closing method of four stages.

    Y_j = mu_j h f(Y_{j-1}) + nu_j Y_{j-1} - kappa_j Y_{j-2} for j = 1 ... s-4 (index j - 1, with kappa_1 = 0); from
    X = Y_{s-4}: k_i = f(X + h sum_j A_ij k_j), y_1 = X + h sum_i b_i k_i; error estimate h sum_i e_i k_i with
    k_5 = f(y_1), the first slope of the next step. The estimate vanishes to order 3, which fixes e but for a factor;
    e_5 = 0.1 makes its h^4 terms a tenth of those of the exact solution (tree weights 1/24 ...), and that of a stiff
    component 0.1 |z R(z)|.

    ``times``: c of Y_0 ... Y_{s-4}; ``closing_times``: c of k_1 ... k_4. ``reach``: |R(z)| <= 1 on [-reach, 0],
    about 0.31 s^2, and <= 0.62 once z < -4.
    """

    stages: int
    reach: float
    mu: Array
    nu: Array
    kappa: Array
    times: Array
    A: Array
    b: Array
    closing_times: Array
    error: Array


@cache
def rock4_coefficients(stages: int) -> ROCK4Coefficients:
    """The coefficients for ``stages`` in ``FEWEST_STAGES`` ... ``MOST_STAGES``.

    R(z) = w(x) P_{s-4}(x), x = 1 + z/d, P orthogonal on [-1, 1] for the weight w^2/sqrt(1 - x^2): near-optimal among
    polynomials with w as a factor, and given by a three-term recurrence. The ten coefficients of the closing method
    are solved for from the eight conditions of order 4 of the whole method, written with the rooted-tree weights of
    the recurrence itself; the solution is the one nearest to the classical Runge-Kutta method scaled to the
    remaining time. Its linear conditions reproduce w, so the order holds to rounding whatever the roots are.

    Cost: O(s^2) operations, once per s. Source: Abdulle, "Fourth order Chebyshev methods with recurrence
    relation", SIAM J. Sci. Comput. 23 (2002), sections 3-4, for the construction; coefficients of our own.
    """
    if not FEWEST_STAGES <= stages <= MOST_STAGES:
        raise ValueError(f"stages: expected {FEWEST_STAGES} ... {MOST_STAGES}, got {shown(stages)}")
    roots = closing_roots(stages)
    alpha, beta = _orthogonal_recurrence(roots, stages - 4)
    scale, mu, nu, kappa = _normalised_at_one(roots, alpha, beta)
    weights = _recurrence_weights(mu, nu, kappa)
    last = weights[-1]
    A, b = _closing_method(last)
    slopes = _closing_slopes(last, A, b)
    # Column 1 of h f(Y), the tree with one edge, is the weight of Y for the single node, which is the time c of Y.
    closing_times = slopes[:4, 1]
    return ROCK4Coefficients(
        stages, 2 * scale, mu, nu, kappa, weights[:, 0], A, b, closing_times, _error_weights(slopes)
    )


def closing_roots(stages: int) -> NDArray[np.complex128]:
    """The two roots of w in the upper half plane."""
    g = np.polynomial.polynomial.polyval(36 / stages**2, ROOT_POLYNOMIALS)
    return np.asarray(1 - (g[0::2] - 1j * g[1::2]) / stages**2)


def stages_for(extent: float, most: int = MOST_STAGES) -> int:
    """Fewest stages (``FEWEST_STAGES`` ... ``most``) whose interval holds ``extent`` = h times the spectral radius."""
    count = max(FEWEST_STAGES, min(int(np.sqrt(extent / 0.317)), most))
    while count < most and rock4_coefficients(count).reach < extent:
        count += 1
    return count


def _orthogonal_recurrence(roots: NDArray[np.complex128], degree: int) -> tuple[Array, Array]:
    """x p_k = beta_{k+1} p_{k+1} + alpha_k p_k + beta_k p_{k-1} by Stieltjes' procedure.

    The Gauss-Chebyshev nodes integrate w^2 p^2 (degree 2 degree + 8) exactly.
    """
    count = degree + 8
    x = np.cos((2 * np.arange(count) + 1) * np.pi / (2 * count))
    weight = np.prod(np.abs(x - roots[:, None]) ** 4, axis=0)
    alpha, beta = np.zeros(degree), np.zeros(degree + 1)
    before, p = np.zeros(count), np.full(count, weight.sum() ** -0.5)
    for k in range(degree):
        alpha[k] = np.sum(weight * x * p * p)
        next_p = (x - alpha[k]) * p - beta[k] * before
        beta[k + 1] = np.sqrt(np.sum(weight * next_p**2))
        before, p = p, next_p / beta[k + 1]
    return alpha, beta


def _normalised_at_one(
    roots: NDArray[np.complex128], alpha: Array, beta: Array
) -> tuple[float, Array, Array, Array]:
    """d = R'(x=1)/R(1), and mu, nu, kappa of the recurrence for P_k(x)/P_k(1) in the variable z."""
    degree = alpha.size
    p, dp = np.ones(degree + 1), np.zeros(degree + 1)
    for k in range(degree):
        low, dlow = (beta[k] * p[k - 1], beta[k] * dp[k - 1]) if k else (0.0, 0.0)
        p[k + 1] = ((1 - alpha[k]) * p[k] - low) / beta[k + 1]
        dp[k + 1] = (p[k] + (1 - alpha[k]) * dp[k] - dlow) / beta[k + 1]
    scale = float(dp[-1] / p[-1] + np.sum(2 * np.real(1 / (1 - roots))))
    ratio = p[:-1] / (p[1:] * beta[1:])
    kappa = np.zeros(degree)
    kappa[1:] = beta[1:-1] * p[:-2] / (p[2:] * beta[2:])
    return scale, ratio / scale, (1 - alpha) * ratio, kappa


def _slope_weights(g: NDArray[Any]) -> NDArray[Any]:
    """Tree weights of h f(Y) from those of Y.

    Trees: one node; the edge; [., .]; [[.]]; [., ., .]; [., [.]]; [[., .]]; [[[.]]].
    """
    one = g[0] * 0 + 1
    return np.array([one, g[0], g[0] ** 2, g[1], g[0] ** 3, g[0] * g[1], g[2], g[3]])


def _recurrence_weights(mu: Array, nu: Array, kappa: Array) -> Array:
    """Tree weights of Y_0 ... Y_{s-4}, one row each."""
    weights = np.zeros((mu.size + 1, TREE_DENSITIES.size))
    for j in range(mu.size):
        before = weights[j - 1] if j else 0.0
        weights[j + 1] = mu[j] * _slope_weights(weights[j]) + nu[j] * weights[j] - kappa[j] * before
    return weights


def _closing_method(start: Array) -> tuple[Array, Array]:
    """A and b of the closing method from the tree weights ``start`` of the point that it starts from."""
    q = np.array([1 / 2, 0, 1 / 2, 0, 0, 1, 1 / 6, 1 / 3, 1 / 3, 1 / 6]) * (1 - start[0])
    tiny = 1e-30  # a complex step has no cancellation, so the smaller the better
    directions = np.column_stack([np.zeros(10), np.eye(10)])
    for _ in range(8):  # Gauss-Newton with least-norm steps: 5 iterations reach rounding for every s
        A, b = _unpack(q[:, None] + 1j * tiny * directions)
        end = start[:, None] + np.einsum("ib,itb->tb", b, _closing_slopes(start[:, None], A, b)[:4])
        residual, jacobian = end[:, 0].real - 1 / TREE_DENSITIES, end[:, 1:].imag / tiny
        q = q - np.linalg.lstsq(jacobian, residual, rcond=None)[0]
        if np.abs(residual).max() < 4e-16:
            break
    A, b = _unpack(q)
    return A, b


def _unpack(q: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    A = np.zeros((4, 4, *q.shape[1:]), dtype=q.dtype)
    A[np.tril_indices(4, -1)] = q[:6]
    return A, q[6:]


def _closing_slopes(start: NDArray[Any], A: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Tree weights of h k_1 ... h k_5, one row each; k_5 is the slope at the end of the step."""
    slopes = np.zeros((5, TREE_DENSITIES.size, *b.shape[1:]), dtype=A.dtype)
    for i, row in enumerate([*A, b]):
        slopes[i] = _slope_weights(start + np.einsum("j...,jt...->t...", row, slopes[:4]))
    return slopes


def _error_weights(slopes: Array) -> Array:
    """e with sum_i e_i k_i = 0 to order 3, scaled to e_5 = ERROR_WEIGHT."""
    others = np.linalg.solve(slopes[:4, :4].T, -slopes[4, :4])
    return ERROR_WEIGHT * np.append(others, 1.0)
