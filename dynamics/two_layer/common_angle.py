"""A start at one common angle that may end in a spurious minimum: for any number of teachers seven unknowns.

Teachers e_1 .. e_m, students all at the angle theta from theirs: ``w_1 = cos e_1 + sin e_2``, ``w_2 = cos e_2 - sin
e_1``, ``w_k = cos e_k + sin e_1`` for k >= 3. The flow of Theorem 4 keeps the symmetry among e_3 .. e_m, so that w_1
and w_2 have one common entry on them, and every w_k three entries in common and one of its own: ten numbers, three
norms.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from dynamics.arrays import Array
from dynamics.ode.flow import Flow
from dynamics.validation import number, positive_int, real_numbers


class CommonAngleFlow(Flow):
    """``ProjectedFlow`` from the start at a common angle, in its symmetric subspace; of any number of teachers.

    State: ``pair`` (2, 3), the entries of w_1 and w_2 on e_1, e_2 and each of e_3 .. e_m; ``other`` (4,), those of w_k
    on e_1, e_2, e_k and each of the rest. Observables: ``theta`` (3,), the angles of w_1, w_2 and w_k to their
    teachers.

    Args:
        m: number of teachers, at least 3.
        theta: the common angle, radians.
    Raises:
        ValueError: m < 3, or an angle that is not finite.
    Cost: an evaluation costs the same for every m.
    Source: our own; thresholds of theta beyond which w_1 does not return, in docs/theorems.md.
    """

    def __init__(self, m: int, theta: float) -> None:
        self.m = positive_int("m", m)
        if m < 3:
            raise ValueError(f"m: expected at least 3, got {m}")
        self.theta = number("theta", theta)

    @property
    def dimensions(self) -> Mapping[str, tuple[str, ...]]:
        """Names of the axes."""
        return {"pair": ("node", "entry"), "other": ("other_entry",), "theta": ("kind",)}

    @property
    def initial_arrays(self) -> Mapping[str, Array]:
        """The start at the common angle."""
        c, s = np.cos(self.theta), np.sin(self.theta)
        return {"pair": np.array([[c, s, 0.0], [-s, c, 0.0]]), "other": np.array([s, 0.0, c, 0.0])}

    # Python's numbers: of ten of them an array operation costs a hundred times what it does.
    def __call__(self, t: float, y: Array) -> Array:
        n = self.m - 2
        a1, a2, ar, b1, b2, br, p, q, own, rest = self._unit(y.tolist())
        # What w_k shows a node whose entries on e_3 .. e_m are all alike.
        seen = (own + (n - 1) * rest) / n
        both = _overlap(a1 * b1 + a2 * b2 + n * ar * br)
        with_a, with_b = _overlap(a1 * p + a2 * q + n * ar * seen), _overlap(b1 * p + b2 * q + n * br * seen)
        among = _overlap(p * p + q * q + 2 * own * rest + (n - 2) * rest * rest)
        f1 = _overlap(a1) - 0.5 * a1 - both * b1 - n * with_a * p
        f2 = _overlap(a2) - 0.5 * a2 - both * b2 - n * with_a * q
        fr = _overlap(ar) - 0.5 * ar - both * br - n * with_a * seen
        g1 = _overlap(b1) - 0.5 * b1 - both * a1 - n * with_b * p
        g2 = _overlap(b2) - 0.5 * b2 - both * a2 - n * with_b * q
        gr = _overlap(br) - 0.5 * br - both * ar - n * with_b * seen
        along_a, along_b = a1 * f1 + a2 * f2 + n * ar * fr, b1 * g1 + b2 * g2 + n * br * gr
        h1 = _overlap(p) - with_a * a1 - with_b * b1 - 0.5 * p - among * (n - 1) * p
        h2 = _overlap(q) - with_a * a2 - with_b * b2 - 0.5 * q - among * (n - 1) * q
        h = _overlap(own) - with_a * ar - with_b * br - 0.5 * own - among * (n - 1) * rest
        hr = _overlap(rest) - with_a * ar - with_b * br - 0.5 * rest - among * (own + (n - 2) * rest)
        along = p * h1 + q * h2 + own * h + (n - 1) * rest * hr
        return np.array(
            [
                f1 - a1 * along_a, f2 - a2 * along_a, fr - ar * along_a,
                g1 - b1 * along_b, g2 - b2 * along_b, gr - br * along_b,
                h1 - p * along, h2 - q * along, h - own * along, hr - rest * along,
            ]
        )  # fmt: skip

    def _unit(self, y: Sequence[float]) -> list[float]:
        """The state at unit norms: the field across them keeps norms, so that their rounding does not grow."""
        n = self.m - 2
        a1, a2, ar, b1, b2, br, p, q, own, rest = y
        a = math.sqrt(a1 * a1 + a2 * a2 + n * ar * ar)
        b = math.sqrt(b1 * b1 + b2 * b2 + n * br * br)
        c = math.sqrt(p * p + q * q + own * own + (n - 1) * rest * rest)
        a, b, c = (size or math.nan for size in (a, b, c))  # a student of no direction has no velocity
        return [a1 / a, a2 / a, ar / a, b1 / b, b2 / b, br / b, p / c, q / c, own / c, rest / c]

    def observables(self, y: Array) -> dict[str, Array]:
        """The angles to the teachers of w_1, w_2 and each w_k."""
        state = self.unpack(y)
        pair, other = state["pair"], state["other"]
        cosines = np.stack([pair[..., 0, 0], pair[..., 1, 1], other[..., 2]], axis=-1)
        return {"theta": np.arccos(np.clip(cosines, -1, 1))}

    def students(self, y: ArrayLike) -> Array:
        """The students W (m, m) of a flat state."""
        state = self.unpack(real_numbers("y", y))
        (p, q, own, rest), W = state["other"], np.empty((self.m, self.m))
        W[:, :2] = np.concatenate(
            [state["pair"][:, :2], np.repeat(state["pair"][:, 2:], self.m - 2, axis=1)], axis=1
        ).T
        W[:, 2:] = rest
        W[0, 2:], W[1, 2:] = p, q
        W[np.arange(2, self.m), np.arange(2, self.m)] = own
        return W


def _overlap(cosine: float) -> float:
    """psi_d of unit columns: ``1/4 + arcsin(cosine) / 2 pi``."""
    return 0.25 + math.asin(max(-1.0, min(cosine, 1.0))) / (2 * math.pi)
