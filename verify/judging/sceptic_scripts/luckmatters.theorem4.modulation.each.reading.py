"""Theorem 4, 'top-down modulation': two orthonormal teachers in the plane, students turned by 0.5 to each other."""

import numpy as np


def gates(A, B):
    """Probability that two gates are open together: (pi - angle) / 2 pi for Gaussian input."""
    return (np.pi - np.arccos(np.clip(A.T @ B, -1, 1))) / (2 * np.pi)


def field(W, beta):
    pull = T @ (beta * gates(T, W)) - W @ (beta * gates(W, W))
    return pull - W * np.sum(W * pull, axis=0)


def time_to(target, beta, h=0.01):
    W = np.array([[np.cos(0.5), np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
    for step in range(10_000):
        if np.arcsin(np.linalg.norm(W - T * np.sum(W * T, axis=0), axis=0)).max() <= target:
            return step * h
        a = field(W, beta)
        b = field(W + h / 2 * a, beta)
        c = field(W + h / 2 * b, beta)
        W = W + h / 6 * (a + 2 * b + 2 * c + field(W + h * c, beta))
        W = W / np.linalg.norm(W, axis=0)
    raise SystemExit("did not arrive")


T = np.eye(2)
uniform, own = time_to(0.01, np.ones((2, 2))), time_to(0.01, np.eye(2))
print(f"time to 0.01 rad: {uniform:.2f} with every teacher heard, {own:.2f} with the own one only")
print("the modulation makes this start slower" if own > uniform else "the modulation makes this start faster")
raise SystemExit(0 if own > uniform else 1)
