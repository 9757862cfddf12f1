"""One teacher, one relevant and one irrelevant student: W_u speeds up when V_r has shrunk; does it stay fast?"""

import numpy as np

teacher_w, teacher_v = np.array([[-0.422713, -0.329588, 0.844207]]).T, np.array([[-1.0]])
W = np.array([[-0.493771, -0.155566, 0.855564], [-0.001663, 0.308838, 0.951113]]).T
V = np.array([[1.0], [1.0]])
teacher_w, W = teacher_w / np.linalg.norm(teacher_w), W / np.linalg.norm(W, axis=0)


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


logs, last = {}, 0.0
for time in (0.0, 2.0, 8.0, 50.0, 100.0):
    W, V = follow(W, V, round((time - last) / 0.02), 0.02)
    logs[time], last = np.log(np.sin(kernels(W, teacher_w)[0][0, 0])), time
early, middle, late = ((logs[a] - logs[b]) / (b - a) for a, b in ((0.0, 2.0), (2.0, 8.0), (50.0, 100.0)))
print(f"rate of sin theta: {early:.4f} in [0, 2], {middle:.4f} in [2, 8], {late:.4f} in [50, 100]")
print("the speed-up does not last" if early < middle and late < 0.9 * middle else "it lasts")
raise SystemExit(0 if early < middle and late < 0.9 * middle else 1)
