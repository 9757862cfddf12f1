"""Which sums over batches a training run sees, as an integer matrix."""

from __future__ import annotations

from itertools import combinations, combinations_with_replacement

SCHEMES = ("every subset", "with replacement", "one partition")
"""All batches of B distinct samples; all multisets of B samples; the N / B batches of one fixed split of the data."""


def exchanges(samples: int, size: int, scheme: str) -> list[list[int]]:
    """N of the rows that :func:`batches` lists: the first batch with one member exchanged for one outside it.

    With replacement, B copies of one sample; for one partition, and for the full batch, none.
    """
    if scheme == "with replacement":
        return [[size * (at == sample) for at in range(samples)] for sample in range(samples)]
    if scheme != "every subset" or not 1 <= size < samples:
        return []
    first = set(range(size))
    members = [first, *(first - {0} | {new} for new in range(size, samples))]
    members += [first - {old} | {size} for old in range(1, size)]
    return [[int(sample in batch) for sample in range(samples)] for batch in members]


def batches(samples: int, size: int, scheme: str) -> list[list[int]]:
    """Rows of the batch-sum map: how often each sample occurs in each batch.

    Raises ValueError on an unknown scheme, a size outside 1..N, and a partition that does not divide the samples.
    """
    if not 1 <= size <= samples:
        raise ValueError(f"size: expected a batch size from 1 to {samples}, got {size!r}")
    if scheme == "one partition":
        if samples % size:
            raise ValueError(f"size: expected a divisor of {samples} for one partition, got {size!r}")
        members = [tuple(range(start, start + size)) for start in range(0, samples, size)]
    elif scheme in SCHEMES:
        choose = combinations if scheme == "every subset" else combinations_with_replacement
        members = list(choose(range(samples), size))
    else:
        raise ValueError(f"scheme: expected one of {', '.join(SCHEMES)}, got {scheme!r}")
    return [[batch.count(sample) for sample in range(samples)] for batch in members]
