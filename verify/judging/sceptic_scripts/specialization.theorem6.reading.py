"""Theorem 6 without a norm factor: w_j = (1, 0), w_k = (0, k) for two k, Gaussian input in the plane."""

import math
import sys

import numpy as np

x, weight = np.polynomial.legendre.leggauss(200)
p = math.pi / 4 * (x + 1)  # both nodes are active for azimuths in (0, pi/2); E r^2 = 2
term = (
    np.array([np.sum(weight * np.cos(p) ** 2), np.sum(weight * np.cos(p) * np.sin(p))])
    * math.pi
    / 4
    / math.pi
)
fails = False
for norm in (1.0, 2.0):
    w_j, w_k = np.array([1.0, 0.0]), np.array([0.0, norm])
    claimed = ((math.pi / 2) * w_j + w_k) / (2 * math.pi)
    gap = float(np.linalg.norm(term - claimed))
    print(f"|w_k| = {norm}: E[D_k D_j x x'] w_j = {term}, formula {claimed}, distance {gap:.3g}")
    fails = fails or gap > 1e-3
print("the distance is larger than zero: the formula fails" if fails else "the two agree")
sys.exit(0 if fails else 1)
