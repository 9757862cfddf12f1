"""A three-layer student of a two-layer teacher on (-2, 2)^2: must its first layer contain the teacher's nodes?"""

from fractions import Fraction


def relu(t):
    return max(t, Fraction(0))


teacher = [((1, 1), Fraction(1)), ((1, -2), Fraction(0))]  # (w, b); fan-outs 1 and 3
fan_outs = [1, 3]
first = [((1, 0), 2), ((0, 1), 2)]  # hands the inputs on: x_i + 2 > 0 everywhere in the region
worst = Fraction(0)
for i in range(-31, 32):
    for j in range(-31, 32):
        x = (Fraction(i, 16), Fraction(j, 16))
        target = sum(
            v * relu(w[0] * x[0] + w[1] * x[1] + b) for (w, b), v in zip(teacher, fan_outs, strict=True)
        )
        handed = [relu(w[0] * x[0] + w[1] * x[1] + b) for w, b in first]
        second = [relu(w[0] * handed[0] + w[1] * handed[1] + b - 2 * (w[0] + w[1])) for w, b in teacher]
        worst = max(worst, abs(target - sum(v * f for v, f in zip(fan_outs, second, strict=True))))


def multiples(a, b):
    return all(a[i] * b[j] == a[j] * b[i] for i in range(3) for j in range(i))


matched = sum(any(multiples((*w, b), (*u, a)) for u, a in first) for w, b in teacher)
print(f"largest residual on the region {worst}: every per-sample gradient is zero")
print(f"teacher nodes with a co-linear student in the first layer: {matched}, claimed {len(teacher)}")
raise SystemExit(0 if worst == 0 and matched < len(teacher) else 1)
