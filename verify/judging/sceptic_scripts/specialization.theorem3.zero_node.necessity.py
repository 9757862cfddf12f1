"""Theorem 3 with a node without weights: it is silent everywhere, whatever its fan-out."""

import numpy as np

x = np.linspace(-1, 1, 201)
fan_out = 1.0
residual = np.maximum(x + 0.5, 0) - (np.maximum(x + 0.5, 0) + fan_out * np.maximum(0 * x, 0))
print(f"largest residual {np.abs(residual).max()}: a critical point, and 0 x + 0 = 0 at every point")
print(f"fan-out of the node without weights {fan_out}, claimed 0")
raise SystemExit(0 if np.abs(residual).max() == 0 and fan_out > 0 else 1)
