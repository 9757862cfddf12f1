"""Lemma 3 (v4, Eqn 31): l*_jk <= eps_l (1 + K_l |dw_k|) (1 + K_l |dw_j|) l*_jj, two inputs in the plane, dw_k = 0."""

import math
import sys

import numpy as np

inputs, p = np.array([[1.0, -0.5], [1.0, 6.0]]), np.array([0.95, 0.05])
C = (inputs.T * p) @ inputs  # all gates are open on the balls below, so psi_l(w, w') = w^T C w'
alpha, theta0 = 1.0, 1e-3


def at(angle):
    return np.array([math.cos(angle), math.sin(angle)])


def psi_l(first, second):
    return float(at(first) @ C @ at(second))


assert all(x @ at(angle) > 0 for x in inputs for angle in (-theta0, alpha + theta0))
spread = 2 * theta0 * np.linalg.norm(C)  # value and slope change by at most this on the balls
K_l = max(  # at least as large as the Lipschitz constant on the balls: arc over chord, slope over value
    (abs(psi_l(a, b + math.pi / 2)) + spread) / (psi_l(a, b) - spread) for a in (0, alpha) for b in (0, alpha)
) * (theta0 / 2 / math.sin(theta0 / 2))
eps_l = psi_l(0, alpha) / min(psi_l(0, 0), psi_l(alpha, alpha))
left = psi_l(theta0, alpha)
right = eps_l * (1 + K_l * 2 * math.sin(theta0 / 2)) * psi_l(theta0, 0)
print(f"l*_jk = {left:.6f}, printed bound = {right:.6f}: the {'left' if left > right else 'right'} is larger")
sys.exit(0 if left > right else 1)
