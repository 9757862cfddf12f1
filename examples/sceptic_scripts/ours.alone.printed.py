"""Two teachers e_1, e_2 in three dimensions, standard normal input: does Theorem 4's flow come home at rate 1/2?

Near W = W* it is the gradient flow of the loss E[(sum_j relu(w_j.x) - relu(e_j.x))^2] / 2, so no late rate is above the
curvature along a direction. Here student 1 moves along e_3 and student 2 against it.
"""

import sys

import numpy as np

x = np.random.default_rng(0).standard_normal((1_000_000, 3))
moved = (x[:, 0] > 0) * x[:, 2] - (x[:, 1] > 0) * x[:, 2]  # how the output moves with both
curvature, error = np.mean(moved**2) / 2, np.std(moved**2) / 2 / len(x) ** 0.5
print(
    f"claimed: slowest rate at least 0.5; at most {curvature:.4f} +- {error:.4f} (exactly 1/4) along this direction"
)
sys.exit(0 if curvature + 5 * error < 0.5 else 1)
