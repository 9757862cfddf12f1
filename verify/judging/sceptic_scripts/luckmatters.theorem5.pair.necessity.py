"""A student 0.1 rad from its teacher and two irrelevant nodes 1 rad apart with fan-outs +-1.5: does V_r vanish?"""

import math

import numpy as np

teacher_w, teacher_v = np.eye(4)[:, :1], np.array([[1.0, 0.0]])
c, s = math.cos(0.5), math.sin(0.5)
W = np.array([[math.cos(0.1), 0, 0], [0, c, c], [0, s, -s], [math.sin(0.1), 0, 0]])
V = np.array([[1.0, 0.0], [0.0, 1.5], [0.0, -1.5]])


def kernels(A, B):
    """The angle between unit columns and E[relu(a.x) relu(b.x)] for standard Gaussian x."""
    cosine = np.clip(A.T @ B, -1, 1)
    angle = np.arccos(cosine)
    return angle, (np.sin(angle) + (np.pi - angle) * cosine) / (2 * np.pi)


def speed(W, V):
    """Gradient flow of half the mean squared error, columns kept on the sphere."""
    gates_t, gates_s = ((np.pi - kernels(A, W)[0]) / (2 * np.pi) for A in (teacher_w, W))
    G = teacher_w @ (gates_t * (teacher_v @ V.T)) - W @ (gates_s * (V @ V.T))
    G -= W * (W * G).sum(0)
    return G, kernels(W, teacher_w)[1] @ teacher_v - kernels(W, W)[1] @ V


h = 0.02
for _ in range(3000):  # midpoint rule to t = 60
    w_speed, v_speed = speed(W, V)
    w_speed, v_speed = speed(W + h / 2 * w_speed, V + h / 2 * v_speed)
    W, V = W + h * w_speed, V + h * v_speed
    W /= np.linalg.norm(W, axis=0)
left = np.linalg.norm(V[1:], axis=1).min()
print(f"norms of v_r at t = 60: at least {left:.4f}; claimed limit: 0")
print(f"angle of the student to its teacher: {math.acos(min(1.0, W[0, 0])):.1e} rad")
print("V_r stays" if left > 0.7 else "V_r vanishes as claimed")
raise SystemExit(0 if left > 0.7 else 1)
