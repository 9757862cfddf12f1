"""Four equal students along w* by w' = r, the first with r + eps w*: does its lead grow like exp(eps t)?"""

import math
import sys

eps, n, a = 0.05, 4, 0.25
x, step, time = [1.0] * n, 0.01, 0.0
fails = False
for goal in (20.0, 40.0, 80.0):
    while time < goal - 1e-9:
        rest = 1 - a * sum(x)
        middle = [v + step / 2 * (rest + (eps if k == 0 else 0)) for k, v in enumerate(x)]
        rest = 1 - a * sum(middle)
        x = [v + step * (rest + (eps if k == 0 else 0)) for k, v in enumerate(x)]
        time += step
    measured, claimed = abs(x[0] / x[-1]), math.exp(eps * goal)
    print(
        f"t = {goal:g}: x_1 = {x[0]:.4f}, x_4 = {x[-1]:.4f}, ratio {measured:.4f}, exp(eps t) = {claimed:.4f}"
    )
    fails = abs(measured / claimed - 1) > 0.01
print("the ratio is not exp(eps t); it tends to n - 1" if fails else "the two agree")
sys.exit(0 if fails else 1)
