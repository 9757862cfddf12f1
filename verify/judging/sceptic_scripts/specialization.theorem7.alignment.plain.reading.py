"""Two students after w* = (1, 0) by w' = r, r = w* - (w_1 + w_2)/4, in exact fractions: where do they end?"""

import sys
from fractions import Fraction

target, w = (Fraction(1), Fraction(0)), [(Fraction(1), Fraction(0)), (Fraction(0), Fraction(1))]
weights = [Fraction(1, 4), Fraction(1, 4)]
rest = [t - sum(a * node[i] for a, node in zip(weights, w, strict=True)) for i, t in enumerate(target)]
# All move alike, so r' = -(sum a) r: each moves by r / sum a in all.
ends = [[x + r / sum(weights) for x, r in zip(node, rest, strict=True)] for node in w]
left = [t - sum(a * node[i] for a, node in zip(weights, ends, strict=True)) for i, t in enumerate(target)]
print("the students end at", [[str(x) for x in node] for node in ends], "with r =", [str(x) for x in left])
cosines = [float(node[0]) / float(node[0] ** 2 + node[1] ** 2) ** 0.5 for node in ends]
fails = left == [0, 0] and min(cosines) < 1
print(f"smallest cosine to w* {min(cosines):.6f}, claimed 1:", "smaller" if fails else "equal")
sys.exit(0 if fails else 1)
