"""Irrelevant fan-outs that stay: do they keep the relevant column from its teacher?"""

import numpy as np

teacher_w, teacher_v = np.eye(4)[:, :1], np.array([[1.0, 0.0]])
w_u = [np.cos(0.3), 0.1, 0.2, np.sqrt(np.sin(0.3) ** 2 - 0.05)]
W = np.stack([w_u, [0, np.cos(0.75), np.sin(0.75), 0], [0, np.cos(0.75), -np.sin(0.75), 0]], axis=1)
V = np.array([[1.0, 0.0], [0.0, 1.5], [0.0, -1.5]])


def kernels(A, B):
    """E[1_a 1_b] and E[relu(a.x) relu(b.x)] for unit columns and standard Gaussian x."""
    angle = np.arccos(np.clip(A.T @ B, -1, 1))
    return (np.pi - angle) / (2 * np.pi), (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi)


def speed(W, V):
    """Theorem 5's flow of both layers, columns kept on the sphere."""
    (d_star, l_star), (d, own_l) = kernels(W, teacher_w), kernels(W, W)
    G = teacher_w @ (d_star * (V @ teacher_v.T)).T - W @ (d * (V @ V.T)).T
    return G - W * (W * G).sum(0), l_star @ teacher_v - own_l @ V


def sine(W):
    return np.linalg.norm(W[1:, 0]) / np.linalg.norm(W[:, 0])


start, h = sine(W), 0.02
for _ in range(2000):  # midpoint rule to t = 40
    w_speed, v_speed = speed(W, V)
    w_speed, v_speed = speed(W + h / 2 * w_speed, V + h / 2 * v_speed)
    W, V = W + h * w_speed, V + h * v_speed
    W /= np.linalg.norm(W, axis=0)
left, share = np.linalg.norm(V[1:], axis=1).min(), sine(W) / start
print(f"fan-outs of the irrelevant pair at t = 40: {left:.4f}; angle's sine over its start: {share:.2e}")
fails = left > 0.2 and share < 1e-3
print("V_r stays and the column arrives all the same" if fails else "as the paper says")
raise SystemExit(0 if fails else 1)
