"""The loss at Theorem 5's solution to third order: Gram matrix and cubic form, bounded against one another, in balls.

``z = (x_1 .. x_m, V - V_0)``: tangent steps of the relevant nodes from their teachers, and all fan-outs less those of
the solution ``V_0 = (V*, 0)``. Along the radial path s z at fixed irrelevant nodes W_r the loss is
``phi(s) = z.G.z s^2/2 + (M(z, z, z) - own) s^3/3 + ..``, ``own = sum_j |v*_j|^2 |x_j|^3 / 2 pi``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from flint import arb, arb_mat

from dynamics.basins.balls import PI, upper
from dynamics.basins.solution import Columns, angle_between, dot, least_eigenvalue
from dynamics.basins.third_derivative import largest


@dataclass(frozen=True)
class Solution:
    """Teachers ``(W*, V*)`` and irrelevant nodes, exactly unit columns in balls; ``angles`` of all n nodes."""

    nodes: Columns
    fan_outs: list[list[arb]]
    angles: list[list[arb]]

    @property
    def m(self) -> int:
        """Teachers: the first of the nodes."""
        return len(self.fan_outs)

    @classmethod
    def of(cls, nodes: Columns, fan_outs: list[list[arb]]) -> Solution:
        """With the angles between the nodes; raises ValueError where two are not shown to be on different lines."""
        angles = [[arb(0) if a is b else angle_between(a, b) for b in nodes] for a in nodes]
        for j, row in enumerate(angles):
            if not all(t.sin() > 0 for k, t in enumerate(row) if k != j):
                raise ValueError(
                    "nodes: expected teachers and irrelevant nodes on different lines, got two on one"
                )
        return cls(nodes, fan_outs, angles)


@dataclass(frozen=True)
class SolutionForms:
    """``z.G.z >= least |z|^2``, ``|M(z, z, z)| <= cubic |z| z.G.z`` and ``own <= own |z| z.G.z``; exact numbers."""

    least: arb
    cubic: arb
    own: arb


def solution_forms(solution: Solution) -> SolutionForms | None:
    """The three constants, or None where G is not shown to be positive definite.

    M is taken in coordinates ``y = G^(1/2) z`` in two of its slots: its bound is the norm of that unfolding, (N, N^2).
    Cost: O(N^4) in balls, N = m d + n c: two seconds at N = 90.
    """
    size = _Layout(solution).size
    G = gram(solution)
    least = least_eigenvalue(G)
    if not least > 0:
        return None
    values, vectors = np.linalg.eigh(_middle(G))
    root = (
        vectors / np.sqrt(values)
    ) @ vectors.T  # G^(-1/2) up to rounding; what it is exactly does not matter
    R = arb_mat(size, size, [arb(float(x)) for x in root.ravel()])
    left = least_eigenvalue(R.transpose() * G * R)  # |y|^2 <= z.G.z / left for z = R y
    if not left > 0:
        return None
    slices = [R.transpose() * M * R for M in cubic_form(solution)]
    F = arb_mat(size, size * size, [x for part in slices for x in part.entries()])
    cubic = _largest_eigenvalue(F * F.transpose()).sqrt() / left
    d = len(solution.nodes[0])
    steps = arb_mat([[R[a, b] for b in range(size)] for a in range(solution.m * d)])
    strongest = largest([dot(v, v) for v in solution.fan_outs])
    own = _largest_eigenvalue(steps * steps.transpose()) / left * strongest / (2 * PI)
    return SolutionForms(least, upper(cubic), upper(own))


def _largest_eigenvalue(A: arb_mat) -> arb:
    return upper(-least_eigenvalue(-A))


def _middle(A: arb_mat) -> np.ndarray:
    n = A.nrows()
    middle = np.array([[float(A[a, b].mid()) for b in range(n)] for a in range(n)])
    return np.asarray((middle + middle.T) / 2)


class _Layout:
    """Where the coordinates of z stand: m tangent steps of d, then n fan-outs of c."""

    def __init__(self, solution: Solution) -> None:
        self.n, self.d = len(solution.nodes), len(solution.nodes[0])
        self.m, self.c = solution.m, len(solution.fan_outs[0])
        self.size = self.m * self.d + self.n * self.c
        self.pairs = [(j, k) for j in range(self.m) for k in range(self.n) if k != j]

    def x(self, j: int) -> range:
        return range(j * self.d, (j + 1) * self.d)

    def v(self, k: int) -> range:
        start = self.m * self.d + k * self.c
        return range(start, start + self.c)


@dataclass(frozen=True)
class _Pair:
    """Derivatives of kappa at a relevant node j and another k: gradient in x_j, Hessian in (x_j, x_j), (x_j, x_k)."""

    gradient: list[arb]
    own: arb_mat
    mixed: arb_mat


def _pair(solution: Solution, j: int, k: int) -> _Pair:
    w, u, theta = solution.nodes[j], solution.nodes[k], solution.angles[j][k]
    d, c = len(w), dot(w, u)
    slope, twist = (PI - theta) / (2 * PI), 1 / (2 * PI * theta.sin())
    seen = arb_mat(d, 1, [x - c * y for x, y in zip(u, w, strict=True)])
    back = arb_mat(1, d, [x - c * y for x, y in zip(w, u, strict=True)])
    P, Q = _projection(w), _projection(u)
    own = twist * (seen * seen.transpose()) - slope * c * P
    return _Pair([slope * seen[a, 0] for a in range(d)], own, twist * (seen * back) + slope * (P * Q))


def _projection(w: list[arb]) -> arb_mat:
    d = len(w)
    return arb_mat(d, d, [arb(a == b) - w[a] * w[b] for a in range(d) for b in range(d)])


def gram(solution: Solution) -> arb_mat:
    """G, of the features ``1_{w*_j}(x_j.x) v*_j`` and ``relu(w_k.x) e_i``; 1 on the normals of the spheres."""
    at, V = _Layout(solution), solution.fan_outs
    G = arb_mat(at.size, at.size)
    for j in range(at.m):
        w, P = solution.nodes[j], _projection(solution.nodes[j])
        for a, p in enumerate(at.x(j)):
            for b, q in enumerate(at.x(j)):
                G[p, q] = dot(V[j], V[j]) / 2 * P[a, b] + w[a] * w[b]
    for k in range(at.n):
        for other in range(at.n):
            theta = solution.angles[k][other]
            kernel = (theta.sin() + (PI - theta) * theta.cos()) / (2 * PI) if k != other else arb(0.5)
            for p, q in zip(at.v(k), at.v(other), strict=True):
                G[p, q] = kernel
    for j, k in at.pairs:
        pair = _pair(solution, j, k)
        for a, p in enumerate(at.x(j)):
            for i, q in enumerate(at.v(k)):
                G[p, q] = G[q, p] = pair.gradient[a] * V[j][i]
            if k < at.m:
                for b, q in enumerate(at.x(k)):
                    G[p, q] = dot(V[j], V[k]) * pair.mixed[a, b]
    return G


def cubic_form(solution: Solution) -> list[arb_mat]:
    """M as N symmetric slices: half of ``phi'''(0)``, without the own cubic terms.

    ``phi'''(0) = sum_j (3/2)(xi_j.v*_j)|x_j|^2 + sum_{j in u, k != j} { 3 (v_k.v*_j) H(x_j, x_j) + 6 (v_k.xi_j) D(x_j)
    + [k in u] 6 (xi_j.v*_k) H(x_j, x_k) } + own``, with xi, v the steps of the fan-outs, D and H of kappa at (j, k).
    """
    at, V = _Layout(solution), solution.fan_outs
    M = [arb_mat(at.size, at.size) for _ in range(at.size)]

    def add(value: arb, *indices: int) -> None:
        for a, b, e in permutations(indices):
            M[a][b, e] += value / 12  # half of it over six orders

    for j in range(at.m):
        P = _projection(solution.nodes[j])
        for a, p in enumerate(at.x(j)):
            for b, q in enumerate(at.x(j)):
                for i, s in enumerate(at.v(j)):
                    add(V[j][i] * P[a, b] * 3 / 2, s, p, q)
    for j, k in at.pairs:
        pair = _pair(solution, j, k)
        for i, (own, other) in enumerate(zip(at.v(j), at.v(k), strict=True)):
            for a, p in enumerate(at.x(j)):
                add(6 * pair.gradient[a], other, own, p)
                for b, q in enumerate(at.x(j)):
                    add(3 * pair.own[a, b] * V[j][i], other, p, q)
                if k < at.m:
                    for b, q in enumerate(at.x(k)):
                        add(6 * pair.mixed[a, b] * V[k][i], own, p, q)
    return M
