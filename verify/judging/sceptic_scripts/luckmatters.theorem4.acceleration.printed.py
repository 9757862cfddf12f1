"""Theorem 4, 'faster near w*': two orthonormal teachers, theta0 = 0.1, gamma > 0: is the late rate above the first?"""

import numpy as np


def gates(A, B):
    """Probability that two gates are open together: (pi - angle) / 2 pi for Gaussian input."""
    return (np.pi - np.arccos(np.clip(A.T @ B, -1, 1))) / (2 * np.pi)


def field(W):
    pull = T @ gates(T, W) - W @ gates(W, W)
    return pull - W * np.sum(W * pull, axis=0)


def rate(W):
    """-x'/x of x = ||(sin theta_j)||."""
    cosines = np.sum(W * T, axis=0)
    return np.sum(cosines * np.sum(T * field(W), axis=0)) / np.sum(1 - cosines**2)


T, aside = np.eye(4)[:, :2], np.eye(4)[:, 2:]
W = np.cos(0.1) * T + np.sin(0.1) * aside
first, h = rate(W), 0.05
for _ in range(int(24 / h)):
    a = field(W)
    b = field(W + h / 2 * a)
    c = field(W + h / 2 * b)
    W = W + h / 6 * (a + 2 * b + 2 * c + field(W + h * c))
    W = W / np.linalg.norm(W, axis=0)
late = rate(W)
print(
    f"rate at the start {first:.4f}, at t = 24, where the largest sin is {np.abs(W[2:]).max():.1e}: {late:.4f}"
)
print(
    "convergence is slower near the teachers" if late < first else "convergence is faster near the teachers"
)
raise SystemExit(0 if late < first else 1)
