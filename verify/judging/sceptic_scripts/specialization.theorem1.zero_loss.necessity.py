"""Zero loss without a trained output bias: a student that is dead on the data."""

import numpy as np

x = np.linspace(-1, 1, 9)
z = x - 2  # the student's only node, fan-out 1
residual = 2 * np.maximum(x + 1, 0) - np.maximum(z, 0)
back = (z > 0) * residual
gradient = max(np.abs(back * x).max(), np.abs(back).max(), np.abs(np.maximum(z, 0) * residual).max())
print(f"largest gradient of a sample {gradient}, largest residual {np.abs(residual).max()}; claimed 0")
raise SystemExit(0 if gradient == 0 and np.abs(residual).max() > 0 else 1)
