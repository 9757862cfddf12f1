"""Theorem 4, 'super-linear convergence': one node's rate at angles ten thousand times apart, Gaussian input."""

import math

import mpmath as mp

mp.mp.dps = 30


def rate(theta):
    """-(log sin theta)' along theta' = -(pi - theta) sin theta / 2 pi."""
    return (mp.pi - theta) * mp.cos(theta) / (2 * mp.pi)


earlier, later = mp.mpf("1e-4"), mp.mpf("1e-8")
ratio = rate(later) / rate(earlier)
# Of any order p > 1, x(t) = exp(-p^t), the rate is log(p) |log x|, so it rises by this:
needed = math.log(1e-8) / math.log(1e-4)
print(f"rate at angle 1e-4: {mp.nstr(rate(earlier), 12)}, at 1e-8: {mp.nstr(rate(later), 12)}")
print(f"ratio {mp.nstr(ratio, 8)}; convergence of an order above 1 needs {needed:g}")
print("linear: the ratio is smaller" if ratio < needed else "super-linear")
raise SystemExit(0 if ratio < needed else 1)
