"""Two students 0.3 rad from one teacher, with shares 0.55 and 0.45 of its fan-out: does one take it all?"""

import numpy as np

teacher_w, teacher_v = np.eye(3)[:, :1], np.array([[1.0]])
theta = 0.3
W = np.array(
    [[np.cos(theta), np.sin(theta), 0], [np.cos(theta), -0.6 * np.sin(theta), -0.8 * np.sin(theta)]]
).T
V = np.array([[0.55], [0.45]])


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


W, V = follow(W, V, 10000, 0.1)  # to t = 1000
angle = np.sin(kernels(W, teacher_w)[0][:, 0])
print(
    f"shares at t = 1000: {V[0, 0]:.4f} and {V[1, 0]:.4f}; sines of the angles {angle[0]:.4f}, {angle[1]:.4f}"
)
print(f"largest share {V.max():.4f}; claimed: at least 0.9")
print("the teacher stays shared" if V.max() < 0.9 and angle.max() < 0.03 else "one takes it")
raise SystemExit(0 if V.max() < 0.9 and angle.max() < 0.03 else 1)
