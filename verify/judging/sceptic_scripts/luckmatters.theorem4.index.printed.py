"""v1's (36) with the overlap d*_jk on both sides: two teachers at a right angle, students 0.1 rad off, in the plane."""

from math import pi, sin

alpha, theta0 = pi / 2, 0.1


def overlap(angle):
    """P(both gates open) of two unit nodes under isotropic Gaussian input."""
    return (pi - angle) / (2 * pi)


K = theta0 / 2 / sin(theta0 / 2) / (pi - alpha - theta0)  # Assumption 2 on the balls of radius theta0
eps = overlap(alpha) / overlap(0)  # Assumption 3
star = overlap(alpha + theta0)  # student j turned away from teacher k
left = (1 + K) * star
right = eps * (1 + K) * (1 + 2 * K * sin(theta0 / 2)) ** 2 * star
mended = right / star * overlap(theta0)
print(f"left {left:.6f}, right as printed {right:.6f}, right as v4 prints it {mended:.6f}")
print("the left side is larger than the printed right side" if left > right else "as printed")
raise SystemExit(0 if left > right and left <= mended else 1)
