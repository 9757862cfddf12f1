"""Theorem 3 (v4, Eqn 17) without two of its conditions: with eps inside BN's root, and with a step of finite size."""

import sys

import numpy as np

rng = np.random.default_rng(1)
x, y = rng.standard_normal((8, 2)), rng.standard_normal(8)
start = np.array([1.0, 0.5])


def loss(w, eps):  # Linear -> BN -> ReLU, one node, the output is the node
    f = x @ w
    return 0.5 * np.mean((y - np.maximum((f - f.mean()) / np.sqrt(f.var() + eps), 0)) ** 2)


def gradient(w, eps):  # by central differences
    steps = 1e-6 * np.eye(2)
    return np.array([(loss(w + h, eps) - loss(w - h, eps)) / 2e-6 for h in steps])


drift = [-2 * start @ gradient(start, eps) for eps in (0.0, 0.1)]
moved = start - 0.5 * gradient(start, 0.0)
print(f"d|w|^2/dt at eps = 0: {drift[0]:.1e}, at eps = 0.1: {drift[1]:.6f}: the size of the second is larger")
print(f"|w|^2 = {start @ start:.6f}, after a step of 0.5: {moved @ moved:.6f}: the second is larger")
sys.exit(0 if abs(drift[0]) < 1e-8 < 1e-3 < abs(drift[1]) and moved @ moved > start @ start + 1e-3 else 1)
