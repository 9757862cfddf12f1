"""A start at one common angle that may end in a spurious minimum: for any number of teachers seven unknowns.

Teachers e_1 .. e_m, students all at the angle theta from theirs: ``w_1 = cos e_1 + sin e_2``, ``w_2 = cos e_2 - sin
e_1``, ``w_k = cos e_k + sin e_1`` for k >= 3. The flow of Theorem 4 keeps the symmetry among e_3 .. e_m, so that w_1
and w_2 have one common entry on them, and every w_k three entries in common and one of its own: ten numbers, three
norms.
"""

from __future__ import annotations

from collections.abc import Mapping

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

    def __call__(self, t: float, y: Array) -> Array:
        pair, other = self._unit(y)
        n = self.m - 2
        one, two = pair
        p, q, own, rest = other
        weight = np.array([1.0, 1.0, n])
        # What w_k shows a node whose entries on e_3 .. e_m are all alike.
        as_seen = np.array([p, q, (own + (n - 1) * rest) / n])
        both = _overlap(np.sum(weight * one * two))
        with_others = _overlap(pair @ (weight * as_seen))
        among = _overlap(p**2 + q**2 + 2 * own * rest + (n - 2) * rest**2)
        forces = _overlap(pair) - 0.5 * pair - both * pair[::-1] - n * with_others[:, None] * as_seen
        forces -= pair * np.sum(weight * pair * forces, axis=1)[:, None]
        entries = np.array([1.0, 1.0, 1.0, n - 1.0])
        from_pair = with_others @ pair[:, [0, 1, 2, 2]]
        from_others = among * np.array([(n - 1) * p, (n - 1) * q, (n - 1) * rest, own + (n - 2) * rest])
        force = _overlap(other) - from_pair - 0.5 * other - from_others
        force -= other * np.sum(entries * other * force)
        return self.pack({"pair": forces, "other": force})

    def _unit(self, y: Array) -> tuple[Array, Array]:
        """The state at unit norms: the field across them keeps norms, so that their rounding does not grow."""
        state, n = self.unpack(y), self.m - 2
        pair = state["pair"] / np.sqrt(np.sum(np.array([1.0, 1.0, n]) * state["pair"] ** 2, axis=-1))[:, None]
        other = state["other"] / np.sqrt(np.sum(np.array([1.0, 1.0, 1.0, n - 1.0]) * state["other"] ** 2))
        return pair, other

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


def _overlap(cosine: Array) -> Array:
    """psi_d of unit columns: ``1/4 + arcsin(cosine) / 2 pi``."""
    return np.asarray(0.25 + np.arcsin(np.clip(cosine, -1.0, 1.0)) / (2 * np.pi))
