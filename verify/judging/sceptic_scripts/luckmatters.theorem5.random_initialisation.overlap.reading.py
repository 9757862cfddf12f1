"""Random unit columns in 200 dimensions, zero bias: how much of node 1's active half-space is node 2's too?"""

import numpy as np

rng = np.random.default_rng(0)
W = rng.standard_normal((200, 2))
W /= np.linalg.norm(W, axis=0)
angle = np.arccos(W[:, 0] @ W[:, 1])
overlap = (np.pi - angle) / np.pi
x = rng.standard_normal((40_000, 200)) @ W > 0
sampled = (x[:, 0] & x[:, 1]).mean() / x[:, 0].mean()
print(f"angle {angle:.4f} rad, overlap {overlap:.4f} (sampled {sampled:.4f}); small would be 0.1 at most")
print("the overlap is larger" if overlap > 0.1 else "the overlap is small")
raise SystemExit(0 if overlap > 0.1 else 1)
