"""Theorem 4, a largest angle alone: 20 orthonormal teachers, all students at 0.6 rad, one of them never returns."""

import numpy as np

m, c, s = 20, np.cos(0.6), np.sin(0.6)
teacher, W = np.eye(m), c * np.eye(m)
W[0, 2:] = s  # w_k = cos e_k + sin e_1 for k >= 3
W[1, 0] = s  # w_1 = cos e_1 + sin e_2
W[0, 1] = -s  # w_2 = cos e_2 - sin e_1


def overlap(A, B):
    """P(a.x > 0 and b.x > 0) for standard normal x."""
    return 0.25 + np.arcsin(np.clip(A.T @ B, -1, 1)) / (2 * np.pi)


def velocity(W):
    pull = teacher @ overlap(W, teacher).T - W @ overlap(W, W).T
    return pull - W * np.sum(W * pull, axis=0)


def kernel(A, B):
    """E[relu(a.x) relu(b.x)]."""
    t = np.arccos(np.clip(A.T @ B, -1, 1))
    return (np.sin(t) + (np.pi - t) * np.cos(t)) / (2 * np.pi)


start = np.degrees(np.arccos(np.diagonal(W))).max()
for _ in range(1500):  # Heun steps of 0.2, to t = 300
    first = velocity(W)
    ahead = W + 0.2 * first
    W = W + 0.1 * (first + velocity(ahead / np.linalg.norm(ahead, axis=0)))
    W /= np.linalg.norm(W, axis=0)
left = np.degrees(np.arccos(np.clip(np.diagonal(W), -1, 1))).max()
loss = (kernel(W, W).sum() - 2 * kernel(W, teacher).sum() + kernel(teacher, teacher).sum()) / 2
print(
    f"largest angle: {start:.1f} degrees at t = 0, {left:.1f} at t = 300, speed {np.abs(velocity(W)).max():.1e}"
)
print(f"loss there {loss:.5f}, of the teachers 0: larger, the students did not converge to them")
raise SystemExit(0 if left > 30 and loss > 0.01 else 1)
