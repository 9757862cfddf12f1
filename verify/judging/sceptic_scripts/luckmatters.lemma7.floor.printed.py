"""Eqns 43 and 55 (v4): d*_jj(t) >= d*_jj(0) (1 - K_d C_d,u), C_d,u = 2 K_d sin(theta0/2)."""

import math
import sys

theta0 = 0.3  # the student starts on its teacher and is met at this angle
K_d = (theta0 / 2 / math.sin(theta0 / 2)) / (math.pi - theta0)
left = (math.pi - theta0) / math.pi
right = 1 - K_d * (2 * K_d * math.sin(theta0 / 2))
print(
    f"d*_jj(t)/d*_jj(0) = {left:.6f}, claimed floor = {right:.6f}: the {'right' if right > left else 'left'} is larger"
)
sys.exit(0 if left < right else 1)
