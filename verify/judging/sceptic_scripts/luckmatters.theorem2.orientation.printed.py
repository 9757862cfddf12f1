"""Theorem 2 (v4, Eqn 6) with H* not transposed: one input x = 1, two nodes on either side, all gates open."""

import sys

import numpy as np

W_star, W = np.array([[1, 2]]), np.array([[1, 1]])  # inputs x nodes
V_star, V = np.array([1, 3]), np.array([1, 2])
H_star, H = np.outer(V, V_star), np.outer(V, V)  # student x teacher and student x student; E[f'f'] = 1, L = 1
gradient = (W_star @ V_star - W @ V) * V  # minus the gradient of (f* - f)^2 / 2 in W
printed = W_star @ H_star - W @ H
with_transpose = W_star @ H_star.T - W @ H
print(f"gradient {gradient}, with H* {printed[0]}, with its transpose {with_transpose[0]}:")
print("the first entry of the gradient is larger than as printed; the transpose agrees")
wrong = gradient[0] > printed[0, 0] and gradient[1] != printed[0, 1]
sys.exit(0 if wrong and (gradient == with_transpose[0]).all() else 1)
