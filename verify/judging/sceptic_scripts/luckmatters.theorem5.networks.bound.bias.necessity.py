"""One teacher node active above h = 1.5 and one student near it, W and V trained: sin(theta) grows.

Theorem 5's flow has E[f' f'* x x^T] = d E[x x^T]; its certificate then gives sin(theta(t)) <= sin(theta(0)) e^(-rate t)
for this start. Inputs are (x_1, x_2, 1), so the third weight is a bias; columns have unit norm.
"""

import sys

import numpy as np

rng = np.random.default_rng(0)
h, theta0, gap, networks, batch, lr, steps = 1.5, 1e-3, 0.05, 32, 512, 1.0, 150
teacher = np.array([1.0, 0.0, -h]) / np.hypot(1.0, h)
across = np.array([h, 0.0, 1.0]) / np.hypot(1.0, h)
W = np.tile(np.cos(theta0) * teacher + np.sin(theta0) * across, (networks, 1))
V = np.full((networks, 1), 1.0 - gap)  # the teacher's fan-out is 1

sines = []
for _ in range(steps):
    sines.append(np.linalg.norm(W - teacher * (W @ teacher)[:, None], axis=1).mean())
    x = rng.standard_normal((networks, batch, 3))
    x[..., 2] = 1.0
    before = np.einsum("sbi,si->sb", x, W)
    residual = np.maximum(x @ teacher, 0.0) - V * np.maximum(before, 0.0)
    pull = np.einsum("sb,sbi->si", (before > 0) * residual, x) * V / batch
    grown = (np.maximum(before, 0.0) * residual).mean(axis=1, keepdims=True)
    W = W + lr * (pull - W * (W * pull).sum(axis=1, keepdims=True))
    W, V = W / np.linalg.norm(W, axis=1, keepdims=True), V + lr * grown

push = np.exp(-h * h / 2) / np.sqrt(2 * np.pi) * (1 - gap) * gap / (1 + h * h)
print(f"push on a column at its teacher, -phi(h) v dv / (1 + h^2): {push:.2e} per unit time; in the flow: 0")
print(f"mean sin(theta) of {networks} networks: {sines[0]:.2e} at the start, largest later {max(sines):.2e}")
fails = max(sines) > 1.5 * sines[0]
print("it grows: the certificate of the flow does not hold for the networks" if fails else "it does not grow")
sys.exit(0 if fails else 1)
