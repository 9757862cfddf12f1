"""Gradient and Hessian of the loss on the product of spheres, in closed form."""

from __future__ import annotations

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import angles
from dynamics.two_layer.linearization import sphere_basis


def loss_hessian(W: Array, teacher: Array) -> tuple[Array, Array]:
    """``(gradient (N,), Hessian (N, N))`` of ``E |f - f*|^2 / 2`` in an orthonormal tangent basis, N = n (d - 1).

    For standard normal input and fan-outs 1; ``Hess kappa (x, y) = (x.u + w.y)^2 / (2 pi sin t)
    + (pi - t)/(2 pi) (2 x.y - (|x|^2 + |y|^2) cos t)`` for a pair (w, u) at angle t. W (d, n), teacher (d, m), unit
    columns.
    Assumes no two students on one line, and none opposite a teacher; a student on its teacher is allowed.
    """
    d, n = W.shape
    basis = sphere_basis(W)  # (n, d, d - 1)
    others = np.concatenate([W, teacher], axis=1)
    sign = np.concatenate([np.ones(n), -np.ones(teacher.shape[1])])
    t = angles(W, others)
    slope = sign * (np.pi - t) / (2 * np.pi)
    sine = np.sin(t)
    curve = np.where(sine > 1e-12, sign / (2 * np.pi * np.where(sine > 1e-12, sine, 1.0)), 0.0)
    own = np.arange(n)
    slope[own, own] = curve[own, own] = 0.0  # the pair of a student with itself is constant
    seen = np.einsum("jda,dk->jak", basis, others)  # what each tangent space sees of every node
    gradient = np.einsum("jak,jk->ja", seen, slope)
    hessian = np.zeros((n, d - 1, n, d - 1))
    across = np.einsum("jda,kdb->jkab", basis, basis)
    diagonal = np.einsum("jak,jk,jbk->jab", seen, curve, seen)
    diagonal -= np.sum(slope * np.cos(t), axis=1)[:, None, None] * np.eye(d - 1)
    for j in range(n):
        for k in range(n):
            if k != j:
                outer = np.outer(seen[j, :, k], seen[k, :, j])
                hessian[j, :, k] = curve[j, k] * outer + slope[j, k] * across[j, k]
        hessian[j, :, j] = diagonal[j]
    return gradient.ravel(), hessian.reshape(n * (d - 1), n * (d - 1))
