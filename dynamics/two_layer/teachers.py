"""Teachers: fan-in columns ``(..., d, m)`` and fan-outs ``(m, c)`` of the papers' fixed networks."""

from __future__ import annotations

import numpy as np

from dynamics.arrays import Array

SEPARATED_ENTRIES = (-0.5, -0.25, 0.0, 0.25, 0.5)
"""Entries of the authors' teacher weights before normalisation (first paper)."""

QUARTER_ENTRIES = (-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0)
"""Entries of the authors' teacher weights before normalisation (second paper)."""


def _require_size(name: str, value: int, least: int = 1) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name}: expected an integer >= {least}, got {value!r}")


def orthonormal(d: int, m: int, rng: np.random.Generator, batch: tuple[int, ...] = ()) -> Array:
    """Random orthonormal columns, Haar-distributed, shape ``(*batch, d, m)``. Needs ``m <= d``."""
    _require_size("d", d)
    _require_size("m", m)
    if m > d:
        raise ValueError(f"m: expected at most d = {d} orthonormal columns, got {m}")
    q, r = np.linalg.qr(rng.standard_normal((*batch, d, m)))
    return np.asarray(q * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :])


def random_unit(d: int, m: int, rng: np.random.Generator, batch: tuple[int, ...] = ()) -> Array:
    """Independent columns, uniform on the unit sphere, shape ``(*batch, d, m)``."""
    _require_size("d", d)
    _require_size("m", m)
    columns = rng.standard_normal((*batch, d, m))
    return np.asarray(columns / np.linalg.norm(columns, axis=-2, keepdims=True))


def separated(
    d: int,
    m: int,
    rng: np.random.Generator,
    batch: tuple[int, ...] = (),
    entries: tuple[float, ...] = SEPARATED_ENTRIES,
) -> Array:
    """Distinct non-zero columns whose entries are drawn from ``entries``, then normalised.

    Columns that are positive multiples of one another are counted as equal, so that the directions differ
    too. Shape ``(*batch, d, m)``. Raises ValueError when fewer than m such directions exist.
    Source: the authors' published teacher generator (Luck Matters, section 4.2 and Fig. 7).
    """
    columns = separated_entries(d, m, rng, batch, entries)
    return np.asarray(columns / np.linalg.norm(columns, axis=-2, keepdims=True))


def separated_entries(
    d: int,
    m: int,
    rng: np.random.Generator,
    batch: tuple[int, ...] = (),
    entries: tuple[float, ...] = SEPARATED_ENTRIES,
) -> Array:
    """The columns of :func:`separated` as they are drawn, before they are normalised."""
    _require_size("d", d)
    _require_size("m", m)
    if d <= 4 and m > (available := _count_separated(d, entries)):
        raise ValueError(f"m: expected at most {available} separated directions in d = {d}, got {m}")
    flat = [_separated_columns(d, m, rng, entries) for _ in range(int(np.prod(batch, dtype=int)))]
    return np.asarray(flat, dtype=np.float64).reshape(*batch, d, m)


def _distinct(candidates: Array) -> Array:
    """The non-zero columns, one for each direction, in order of first appearance."""
    scale = np.abs(candidates).max(axis=0)
    kept = candidates[:, scale > 0]
    _, first = np.unique(kept / scale[scale > 0], axis=1, return_index=True)
    return np.asarray(kept[:, np.sort(first)])


def _separated_columns(d: int, m: int, rng: np.random.Generator, entries: tuple[float, ...]) -> Array:
    columns = np.empty((d, 0))
    while columns.shape[1] < m:
        drawn = rng.choice(entries, size=(d, 2 * m))
        columns = _distinct(np.concatenate([columns, drawn], axis=1))
    return columns[:, :m]


def _count_separated(d: int, entries: tuple[float, ...]) -> int:
    grid = np.stack(np.meshgrid(*[entries] * d, indexing="ij")).reshape(d, -1)
    return int(_distinct(grid).shape[1])


def thresholded(
    input_dim: int, m: int, threshold: float, rng: np.random.Generator, batch: tuple[int, ...] = ()
) -> Array:
    """Unit augmented columns ``(u_j, -b) / sqrt(1 + b^2)`` with orthonormal directions u_j.

    Node j is active where ``u_j^T x > b``, so for the biased Gaussian measure ``d**_jj = Phi(-b)`` and the
    overlap ratio is ``eps_d = Phi(-b)`` exactly. Shape ``(*batch, input_dim + 1, m)``.
    """
    if not np.isfinite(threshold):
        raise ValueError(f"threshold: expected a finite number, got {threshold!r}")
    directions = orthonormal(input_dim, m, rng, batch)
    bias = np.full((*batch, 1, m), -float(threshold))
    return np.asarray(np.concatenate([directions, bias], axis=-2) / np.hypot(1.0, threshold))


def polarised(fan_out: Array, p: float) -> Array:
    """Fan-outs rescaled so that ``||v*_j|| = 1 / j^p``, j = 1..m: strong teachers first.

    ``fan_out``: (..., m, c), rows non-zero. ``p = 0`` makes all teachers equally strong.
    Source: Student Specialization, Eqn 13.
    """
    if not (np.isfinite(p) and p >= 0):
        raise ValueError(f"p: expected a finite polarity >= 0, got {p!r}")
    fan_out = np.asarray(fan_out, dtype=np.float64)
    length = np.linalg.norm(fan_out, axis=-1, keepdims=True)
    if not np.all(length > 0):
        raise ValueError("fan_out: expected non-zero rows, got a zero row")
    strength = np.arange(1, fan_out.shape[-2] + 1, dtype=np.float64) ** -p
    return np.asarray(fan_out / length * strength[:, None])
