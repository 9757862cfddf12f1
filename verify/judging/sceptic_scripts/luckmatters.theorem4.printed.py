"""Theorem 4, one teacher at angle 1 rad, isotropic Gaussian input: decay of sin(theta) at t = 0 against the claim."""

import math

theta = 1.0
gates = (math.pi - theta) / (2 * math.pi)  # d*_jj(0)
# K_d: largest relative change of the gates over the ball, attained at its rim (closed form for this input)
k_d = (theta / 2 / math.sin(theta / 2)) / (math.pi - theta)
claimed = (1 + 2 * k_d * math.sin(theta / 2)) * gates * math.cos(theta)  # gamma = cos(theta0) for m = 1
# theta' = -(pi - theta) sin(theta) / 2 pi, so -(log sin theta)' = (pi - theta) cos(theta) / 2 pi
true = gates * math.cos(theta)
print(f"claimed rate {claimed:.6f}, true decay at the start {true:.6f}")
print("the claimed rate is larger" if claimed > true else "the decay is as fast as claimed")
raise SystemExit(0 if claimed > true else 1)
