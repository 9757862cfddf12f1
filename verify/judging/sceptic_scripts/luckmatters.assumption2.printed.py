"""Assumption 2 of v1 with K_d = 0 does not give Lemma 2: input uniform on 64 points of the circle."""

import math
import sys
from fractions import Fraction

atoms, turn = 64, 4  # w_j = e_1; w*_k lies half a step past the fourth point, w_k one step further


def share(*nodes):  # of the points that open all gates; angles in turns, a gate is half a turn wide
    points = [(i + Fraction(1, 4)) / atoms for i in range(atoms)]
    near = [
        all(abs((p - a + Fraction(1, 2)) % 1 - Fraction(1, 2)) < Fraction(1, 4) for a in nodes)
        for p in points
    ]
    return Fraction(sum(near), atoms)


teacher, student = (turn + Fraction(1, 2)) / atoms, (turn + Fraction(3, 2)) / atoms
d_star, d = share(Fraction(0), teacher), share(Fraction(0), student)
assumed = abs(d_star - d) <= min(
    d_star, d
)  # v1: |psi(w, w_1) - psi(w, w_2)| <= psi(w, w_1) (1 + 0), both ways
chord = 2 * math.sin(math.pi * float(student - teacher))
left = math.sqrt(float((d_star - d) ** 2) + float(d_star * d) * chord**2)
right = float(d_star) * chord
print(f"|w*_k d* - w_k d| = {left:.6f}, (1 + K_d) d* |w*_k - w_k| = {right:.6f} at K_d = 0:")
print(f"the {'left' if left > right else 'right'} is larger; the assumption holds with K_d = 0: {assumed}")
sys.exit(0 if assumed and left > right else 1)
