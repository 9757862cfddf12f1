"""A student that points away from the strongest of three teachers."""

import sys

student = (-1, 1)
teachers = [(1, 0), (0, 0.5), (0.2, 0.2)]  # fan-outs; the first is the longest
norms = [(a * a + b * b) ** 0.5 for a, b in teachers]
alpha = [student[0] * a + student[1] * b for a, b in teachers]
print("norms of the teachers' fan-outs", norms)
print("alpha_k1 of the strongest", alpha[0], "largest alpha of the others", max(alpha[1:]))
fails = norms[0] == max(norms) and max(alpha[1:]) > alpha[0]
print("another teacher's is larger" if fails else "the strongest teacher's is largest")
sys.exit(0 if fails else 1)
