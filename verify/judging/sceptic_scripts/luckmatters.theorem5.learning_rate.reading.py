"""Largest curvature of the loss (along the sphere for W) at the start and at t = 100: does the stable step shrink?"""

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


def curvature(W, V, h=1e-5):
    """Largest eigenvalue of minus the Jacobian of the flow, by central differences; radial directions are flat."""

    def field(x):
        columns = x[: W.size].reshape(W.shape)
        w_speed, v_speed = speed(columns / np.linalg.norm(columns, axis=0), x[W.size :, None])
        return np.concatenate([w_speed.ravel(), v_speed.ravel()])

    x = np.concatenate([W.ravel(), V.ravel()])
    J = np.array([(field(x + h * e) - field(x - h * e)) / (2 * h) for e in np.eye(x.size)])
    return np.linalg.eigvalsh(-(J + J.T) / 2)[-1]


before = curvature(W, V)
W, V = follow(W, V, 5000, 0.02)
after = curvature(W, V)
print(
    f"largest curvature: {before:.4f} at the start, {after:.4f} at t = 100; claimed: at least {1.1 * before:.4f}"
)
print("it has not grown by a tenth" if after < 1.1 * before else "it has grown")
raise SystemExit(0 if after < 1.1 * before else 1)
