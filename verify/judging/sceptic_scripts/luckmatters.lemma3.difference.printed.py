"""Lemma 3, Eqn 30 (v4): |v*_k l*_jk - v_k l_jk| <= (1 + K_l) l*_jk |dw_k|, isotropic Gaussian input."""

import math
import sys

angle, step, moved = 1.5, 0.05, 0.5  # w_j = w*_j; w_k turns by step towards w_j, v_k = v*_k (1 + moved)


def psi_l(t):  # E[relu(w.x) relu(w'.x)] of unit vectors at angle t
    return (math.sin(t) + (math.pi - t) * math.cos(t)) / (2 * math.pi)


# K_l on balls of radius step: largest slope (at t = 2.03 at most 0.92/pi) over the smallest value, arc over chord
slope = max((math.pi - t) * math.sin(t) for t in [angle + 2 * step * i / 1000 for i in range(1001)])
K_l = (step / 2 / math.sin(step / 2)) * slope / (2 * math.pi) / psi_l(angle + step)
left = abs(psi_l(angle) - (1 + moved) * psi_l(angle - step))
right = (1 + K_l) * psi_l(angle) * 2 * math.sin(step / 2)
print(
    f"|Delta q_jk| = {left:.6f}, printed bound = {right:.6f}: the {'left' if left > right else 'right'} side is larger"
)
sys.exit(0 if left > right else 1)
