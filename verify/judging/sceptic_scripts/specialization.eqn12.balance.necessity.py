"""One student at pi - 0.4 from its teacher, |w| = 1, v = 0.5: time to a right angle, flow against fixed norms."""

import math
import sys


def slope(state):
    delta, rho, v = state
    lift = (math.sin(delta) - delta * math.cos(delta)) / (2 * math.pi)
    turn = v / rho * delta * math.sin(delta) / (2 * math.pi)
    return (turn, v * lift - v * v * rho / 2, rho * lift - v * rho * rho / 2)


state, time, step = (0.4, 1.0, 0.5), 0.0, 0.005
while state[0] < math.pi / 2:
    k1 = slope(state)
    k2 = slope(tuple(s + step / 2 * k for s, k in zip(state, k1, strict=True)))
    state = tuple(s + step * k for s, k in zip(state, k2, strict=True))
    time += step
n, claimed = 200_000, 0.0
width = (math.pi / 2 - 0.4) / n
for i in range(n):
    delta = 0.4 + (i + 0.5) * width
    claimed += width * 2 * math.pi / 0.5 / (delta * math.sin(delta))
print(f"time under the gradient flow {time:.3f}, with norm and fan-out kept fixed {claimed:.3f}")
fails = time > 1.1 * claimed
print("the first is larger" if fails else "they agree")
sys.exit(0 if fails else 1)
