"""Definition 2 counted on samples of two clusters: samples on both sides of a boundary outside the region."""

import numpy as np

rng = np.random.default_rng(0)
x = rng.choice([-1.0, 1.0], 500) * rng.uniform(
    0.5, 1.0, 500
)  # the region is 1/2 < |x| < 1, the boundary x = 0
count = min((x > 0).sum(), (x <= 0).sum())
nearest = np.abs(x).min()
print(f"samples on the smaller side of the boundary: {count}, called observed")
print(f"nearest sample {nearest:.3f} from it: the boundary does not meet the region, so 0 was due")
raise SystemExit(0 if count > 0 and nearest >= 0.5 else 1)
