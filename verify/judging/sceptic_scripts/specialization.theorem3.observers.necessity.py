"""Theorem 3 without observers: g_1 = 0 on the region, an unaligned student with a fan-out, a residual."""

import numpy as np

x = np.linspace(-0.999, 0.999, 2001)
residual = np.maximum(x + 0.5, 0) - (
    np.maximum(x, 0) + 0.5
)  # teacher, and student relu(x) with output bias 1/2
fan_out = 1.0
gradient = np.abs((x > 0) * residual * fan_out).max()
print(f"largest g_1 on the region {gradient:.1e}, largest residual {np.abs(residual).max():.3f}")
print(f"fan-out of the unaligned student {fan_out}, claimed 0")
raise SystemExit(0 if gradient < 1e-12 and np.abs(residual).max() > 0.4 else 1)
