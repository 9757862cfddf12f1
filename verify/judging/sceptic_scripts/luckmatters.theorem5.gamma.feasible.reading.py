"""gamma = 1 under Theorem 5's (42), read with <= as the induction needs, at overlaps as small as you like."""

from math import cos, sin

eps, K, m, n, theta0, B_dv, C_0 = 1e-6, 1.0, 2, 3, 0.01, 0.1, 0.5
C_u = (
    2 * K * sin(theta0 / 2)
)  # (47); the drift C_r of the irrelevant nodes taken as zero, which favours the claim
M_uu = (1 + K) * (1 + C_u) ** 2 / cos(theta0 / 2)  # (49)
M_ur = (1 + K) * (1 + C_u)  # (50)
M_ru, M_rr = M_ur / cos(theta0 / 2), 1 + K  # (51), (52)
B_u = (m - 1) * M_uu + (n - m) * M_ur  # (53)
B_r = (m - 1) * M_ru + (n - m) * M_rr  # (54)
kappa = 2 * C_0 * sin(theta0 / 2) * (1 + B_dv)  # (46)
side = 1 - eps * max(B_u, B_r) - kappa
print(f"right-hand side of (42): {side:.9f}; gamma = 1 would have to be at most that")
print("1 is larger" if side < 1 else "1 is feasible")
raise SystemExit(0 if side < 1 else 1)
