"""Theorem 6 on [x; 1], x a scalar Gaussian: node j is active for x > 0, node k for x > -1."""

import math
import sys

import numpy as np

x, weight = np.polynomial.legendre.leggauss(400)
x, weight = 6 * (x + 1), 6 * weight  # both active on (0, 12)
mass = weight * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
w_j, w_k = np.array([1.0, 0.0]), np.array([1.0, 1.0])
term = np.array([np.sum(mass * x * x), np.sum(mass * x)])  # E[D_k D_j z z'] w_j with z = (x, 1)
turn = math.acos(w_j @ w_k / (np.linalg.norm(w_j) * np.linalg.norm(w_k)))
ratio = np.linalg.norm(w_j) / np.linalg.norm(w_k)
claimed = (math.pi - turn) * w_j + math.sin(turn) * ratio * w_k
cross = term[0] * claimed[1] - term[1] * claimed[0]
sine = abs(cross) / (np.linalg.norm(term) * np.linalg.norm(claimed))
print("term", term, "formula", claimed, "up to a factor")
print(f"sine of their angle {sine:.6f}, claimed 0:", "larger" if sine > 1e-6 else "equal")
sys.exit(0 if sine > 1e-6 else 1)
