"""Theorem 2 on finitely many samples: random nodes interpolate, and nothing is aligned."""

import numpy as np

rng = np.random.default_rng(0)
w = rng.standard_normal(4)  # the teacher: weights and bias
nodes = rng.standard_normal((4, 60))


def augmented(count):
    return np.concatenate([rng.uniform(-2, 2, (count, 3)), np.ones((count, 1))], axis=1)


x, elsewhere = augmented(20), augmented(2000)
top = np.linalg.lstsq(np.maximum(x @ nodes, 0), np.maximum(x @ w, 0), rcond=None)[0]
error = [np.abs(np.maximum(p @ nodes, 0) @ top - np.maximum(p @ w, 0)).max() for p in (x, elsewhere)]
cosine = np.abs(w @ nodes / np.linalg.norm(nodes, axis=0)).max() / np.linalg.norm(w)
print(f"largest residual at the samples {error[0]:.1e}, elsewhere {error[1]:.2f}")
print(f"largest cosine of a student to the teacher {cosine:.3f}, claimed 1")
raise SystemExit(0 if error[0] < 1e-10 and error[1] > 0.1 and cosine < 0.999 else 1)
