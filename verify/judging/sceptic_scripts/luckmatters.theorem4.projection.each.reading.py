"""Theorem 4, 'importance of projection': one node in the plane at 1 rad, Gaussian input, with and without P_perp."""

import numpy as np


def field(w, projected):
    """t psi(t, w) - w psi(w, w), psi = (pi - angle) / 2 pi; without its part along w when projected."""
    u = w / np.linalg.norm(w)
    pull = t * (np.pi - np.arccos(np.clip(u @ t, -1, 1))) / (2 * np.pi) - w / 2
    return pull - u * (u @ pull) if projected else pull


def time_to(target, projected, h=0.01):
    w = np.array([np.cos(1.0), np.sin(1.0)])
    for step in range(10_000):
        if np.arctan2(abs(w[1]), w[0]) <= target:
            return step * h, np.linalg.norm(w)
        a = field(w, projected)
        b = field(w + h / 2 * a, projected)
        c = field(w + h / 2 * b, projected)
        w = w + h / 6 * (a + 2 * b + 2 * c + field(w + h * c, projected))
    raise SystemExit("did not arrive")


t = np.array([1.0, 0.0])
(kept, _), (free, norm) = time_to(0.01, True), time_to(0.01, False)
print(f"time to 0.01 rad: {kept:.2f} with the projection, {free:.2f} without (the norm ends at {norm:.3f})")
print("without it the node is faster" if free < kept else "without it the node is slower")
raise SystemExit(0 if free < kept else 1)
