"""Two students after w* = (1, 0) by w' = P_perp(w) r, r = w* - w_1 - w_2: do both align with w*?"""

import sys

import numpy as np

target = np.array([1.0, 0.0])
nodes = np.array([[np.cos(0.3), np.sin(0.3)], [np.cos(2.0), -np.sin(2.0)]])
step = 0.01
for _ in range(20_000):
    before = nodes.copy()
    for share in (0.5, 1.0):  # the midpoint rule
        rest = target - nodes.sum(axis=0)
        length = (nodes**2).sum(axis=1, keepdims=True)
        nodes = before + share * step * (rest - nodes * (nodes @ rest)[:, None] / length)
    nodes /= np.linalg.norm(nodes, axis=1, keepdims=True)
rest = np.linalg.norm(target - nodes.sum(axis=0))
cosines = nodes @ target
# |r| falls at least at the smallest eigenvalue of the sum of projections, so what is left to turn is below 2 |r| / it.
slowest = np.linalg.eigvalsh(2 * np.eye(2) - nodes.T @ nodes)[0]
more = 2 * rest / slowest
print(
    f"at t = {20_000 * step:g}: |r| = {rest:.2g}, cosines to w* {cosines}, at most {more:.2g} rad still to turn"
)
fails = bool(np.arccos(cosines.min()) - more > 1e-3)
print("the smallest cosine in the limit is below 1" if fails else "aligned as far as can be told")
sys.exit(0 if fails else 1)
