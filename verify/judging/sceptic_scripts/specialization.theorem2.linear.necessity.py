"""Two linear networks with the same output on every input: must each teacher node have a co-linear student?"""

from fractions import Fraction

teachers, teacher_fan_outs = [(1, 0, 1), (0, 1, -1)], [Fraction(1), Fraction(2)]  # columns (w, b)
students = [(1, 1, 0), (1, 2, -1), (2, 1, 1)]  # combinations of the two, none a multiple of either
fan_outs = [Fraction(-3, 2), Fraction(3, 2), Fraction(1, 2)]
worst = Fraction(0)
for i in range(-31, 32):
    for j in range(-31, 32):
        x = (Fraction(i, 16), Fraction(j, 16), 1)
        target = sum(
            v * sum(a * b for a, b in zip(w, x, strict=True))
            for w, v in zip(teachers, teacher_fan_outs, strict=True)
        )
        output = sum(
            v * sum(a * b for a, b in zip(w, x, strict=True)) for w, v in zip(students, fan_outs, strict=True)
        )
        worst = max(worst, abs(target - output))


def multiples(a, b):
    return all(a[i] * b[j] == a[j] * b[i] for i in range(3) for j in range(i))


missing = sum(not any(multiples(w, u) for u in students) for w in teachers)
print(f"largest residual {worst}: every per-sample gradient is zero")
print(f"teachers without a co-linear student: {missing}, 0 if linear nodes did as ReLUs do")
raise SystemExit(0 if worst == 0 and missing > 0 else 1)
