"""A solved student with one unlucky node: what does a step of 0.1 in a fan-out cost, lucky and unlucky?"""

import numpy as np

rng = np.random.default_rng(0)
d = 8
W = rng.standard_normal((d, 2))
W /= np.linalg.norm(W, axis=0)  # column 0 is the teacher's, column 1 unlucky
V = np.array([1.0, 0.0])
features = np.maximum(rng.standard_normal((200_000, d)) @ W, 0)
cost = [float(0.5 * np.mean((features @ (V + 0.1 * np.eye(2)[j]) - features[:, 0]) ** 2)) for j in (0, 1)]
print(f"loss after the step: lucky fan-out {cost[0]:.6f}, unlucky fan-out {cost[1]:.6f}")
print("the unlucky one costs as much" if cost[1] > 0.5 * cost[0] else "the unlucky one hardly matters")
raise SystemExit(0 if cost[1] > 0.5 * cost[0] else 1)
