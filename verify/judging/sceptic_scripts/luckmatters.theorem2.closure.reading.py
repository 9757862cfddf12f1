"""Eqn 6 closed by E[beta_l] = W_l H_{l+1} W_l^T (our reading): four weight matrices of one entry 1, inputs 1 and -1."""

import sys
from fractions import Fraction

weights, inputs = [1, 1, 1, 1], [Fraction(1), Fraction(-1)]


def gates(x):  # f'_1, f'_2, f'_3 of the three hidden nodes
    opened = []
    for w in weights[:3]:
        x = max(w * x, Fraction(0))
        opened.append(Fraction(x > 0))
    return opened


def mean(values):
    return sum(values) / len(values)


beta_2 = [weights[2] ** 2 * weights[3] ** 2 * gates(x)[2] for x in inputs]  # Eqn 3, from the top
beta_1 = [weights[1] ** 2 * gates(x)[1] * b for x, b in zip(inputs, beta_2, strict=True)]
left = mean(beta_1)
right = weights[1] ** 2 * mean(beta_2) * mean([gates(x)[1] for x in inputs])  # W_1 (E[beta_2] D_2) W_1
print(f"E[beta_1] = {left}, W_1 H_2 W_1 = {right}: the {'left' if left > right else 'right'} is larger")
sys.exit(0 if left != right else 1)
