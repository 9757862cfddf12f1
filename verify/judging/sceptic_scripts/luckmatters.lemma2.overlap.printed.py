"""Lemma 2, Eqn 20 (v4): d*_jk <= eps_d (1 + K_d |dw_k|)(1 + K_d |dw_j|) d*_jj, isotropic Gaussian input."""

import math
import sys

theta0, alpha = 0.2, 1.5  # w_j steps theta0 from w*_j straight towards w*_k at angle alpha; w_k = w*_k


def psi_d(angle):  # E[1(w.x > 0) 1(w'.x > 0)] of two vectors at this angle
    return (math.pi - angle) / (2 * math.pi)


K_d = (theta0 / 2 / math.sin(theta0 / 2)) / (
    math.pi - alpha - theta0
)  # arc over chord, over the smallest supplement
eps_d = psi_d(alpha) / psi_d(0)
dw_j, dw_k = 2 * math.sin(theta0 / 2), 0.0
left = psi_d(alpha - theta0)
right = eps_d * (1 + K_d * dw_k) * (1 + K_d * dw_j) * psi_d(theta0)
print(
    f"d*_jk = {left:.6f}, printed bound = {right:.6f}: the {'left' if left > right else 'right'} side is larger"
)
sys.exit(0 if left > right else 1)
