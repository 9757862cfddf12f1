"""The null space of a rational matrix, in exact arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def null_space(rows: Sequence[Sequence[float | Fraction]]) -> list[list[Fraction]]:
    """A basis of ``{a : sum_i row_i a_i = 0 for every row}`` by Gauss-Jordan elimination in fractions."""
    columns = len(rows[0])
    reduced: list[list[Fraction]] = []
    pivots: list[int] = []
    for row in rows:
        rest = [Fraction(entry) for entry in row]
        for pivot, done in zip(pivots, reduced, strict=True):
            rest = [a - rest[pivot] * b for a, b in zip(rest, done, strict=True)]
        lead = next((at for at, entry in enumerate(rest) if entry), None)
        if lead is None:
            continue
        rest = [entry / rest[lead] for entry in rest]
        reduced = [[a - done[lead] * b for a, b in zip(done, rest, strict=True)] for done in reduced] + [rest]
        pivots.append(lead)
        if len(pivots) == columns:
            return []
    basis = []
    for free in sorted(set(range(columns)) - set(pivots)):
        vector = [Fraction(int(at == free)) for at in range(columns)]
        for pivot, done in zip(pivots, reduced, strict=True):
            vector[pivot] = -done[free]
        basis.append(vector)
    return basis
