"""The sentence after Theorem 2 (v4): beta_{l+1} depends on weights above only. Three matrices, W_0 alone replaced."""

import sys
from fractions import Fraction

inputs = [Fraction(1), Fraction(2), Fraction(-3)]


def mean_beta_1(w_0, w_1=1, w_2=1):
    total = Fraction(0)
    for x in inputs:
        f_1 = max(w_0 * x, Fraction(0))
        gate_2 = Fraction(w_1 * f_1 > 0)
        total += w_1**2 * gate_2 * w_2**2  # Eqn 3: w_1 f'_2 beta_2 f'_2 w_1 with beta_2 = w_2 w_2
    return total / len(inputs)


before, after = mean_beta_1(1), mean_beta_1(-1)
print(
    f"E[beta_1] at W_0 = 1: {before}, at W_0 = -1: {after}: the {'first' if before > after else 'second'} is larger"
)
sys.exit(0 if before != after else 1)
