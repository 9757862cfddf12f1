"""Nodes without positive multiples need not be independent: three antiparallel pairs on a line."""

from fractions import Fraction


def relu(t):
    return max(t, Fraction(0))


# t_1 - 2 t_2 + t_3 = 0 for t_i = x + i - 2; and relu(t) - relu(-t) = t.
weights = [Fraction(1), Fraction(-2), Fraction(1)]
largest = Fraction(0)
for step in range(-127, 128):
    x = Fraction(step, 64)
    total = sum(c * (relu(x + i) - relu(-x - i)) for c, i in zip(weights, (-1, 0, 1), strict=True))
    largest = max(largest, abs(total))
print(f"largest value of the combination on (-2, 2): {largest}; claimed > 0, its largest coefficient is 2")
raise SystemExit(0 if largest == 0 else 1)
