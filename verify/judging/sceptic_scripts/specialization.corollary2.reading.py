"""Corollary 2: unaligned students of a critical point contribute an affine function, not zero."""

from fractions import Fraction


def relu(t):
    return max(t, Fraction(0))


# On (-2, 2): teacher relu(x); students relu(x), relu(x - 1), -relu(1 - x), -relu(x + 4), output bias 5.
def pair(x):
    return relu(x - 1) - relu(1 - x)


points = [Fraction(i, 64) for i in range(-127, 128)]
worst = max(abs(relu(x) - (relu(x) + pair(x) - relu(x + 4) + 5)) for x in points)
observed = max(abs(pair(x)) for x in points)  # of the pair alone, which is observed
everyone = max(abs(pair(x) - relu(x + 4)) for x in points)
print(f"largest residual {worst}: a critical point")
print(f"the unaligned students contribute up to {everyone}, the observed ones up to {observed}; claimed 0")
raise SystemExit(0 if worst == 0 and observed > 0 and everyone > 0 else 1)
