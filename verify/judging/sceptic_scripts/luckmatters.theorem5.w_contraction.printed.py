"""Theorem 5, W_u-contraction: one teacher, an irrelevant node at 2 rad; does sin theta of the relevant one fall?

(41) and (42) are met: their right-hand sides are 0.00029 and 0.50, and the least overlap 0.47.
"""

import numpy as np

size, alpha, theta = 0.001, 2.0, 0.01
teacher_w, teacher_v = np.eye(3)[:, :1], size * np.array([[1.0, 0.0]])
W = np.array([[np.cos(theta), 0, -np.sin(theta)], [np.cos(alpha), 0, np.sin(alpha)]]).T
V = size * np.array([[1.01, 0.0], [1.0, 0.0]])


def kernels(A, B):
    """E[1_a 1_b] and E[relu(a.x) relu(b.x)] for unit columns and standard Gaussian x, and the angles."""
    angle = np.arctan2(np.linalg.norm(np.cross(A.T[:, None], B.T[None]), axis=-1), A.T @ B)
    gates = (np.pi - angle) / (2 * np.pi)
    return angle, gates, (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi)


def pull(W, A):
    """E[1_w relu(a.x) x] for every pair, shape (d, n, m)."""
    angle, gates, _ = kernels(W, A)
    return A[:, None, :] * gates[None] + W[:, :, None] * (np.sin(angle) / (2 * np.pi))[None]


def speed(W, V):
    """Gradient flow of half the mean squared error, columns kept on the sphere."""
    G = (pull(W, teacher_w) * (V @ teacher_v.T)).sum(-1) - (pull(W, W) * (V @ V.T)).sum(-1)
    return G - W * (W * G).sum(0), kernels(W, teacher_w)[2] @ teacher_v - kernels(W, W)[2] @ V


def follow(W, V, steps, h):
    """Midpoint rule."""
    for _ in range(steps):
        w_speed, v_speed = speed(W, V)
        w_speed, v_speed = speed(W + h / 2 * w_speed, V + h / 2 * v_speed)
        W, V = W + h * w_speed, V + h * v_speed
        W = W / np.linalg.norm(W, axis=0)
    return W, V


before = np.linalg.norm(W[1:, 0])
W, V = follow(W, V, 200, 0.05)  # to t = 10
after = np.linalg.norm(W[1:, 0])
print(f"sin theta at t = 10: {after:.9f}; claimed: at most {before:.9f}")
print("it has grown: the claim fails" if after > before + 1e-8 else "it has not grown")
raise SystemExit(0 if after > before + 1e-8 else 1)
