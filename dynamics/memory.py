"""How much memory this process may still take: the system's word, or its control group's where that is less."""

from __future__ import annotations

from pathlib import Path

GIB = 2**30

FALLBACK_MEMORY = 8 * GIB
"""Memory assumed where the system does not tell: half of it, 4 GiB, is what a laptop spares for one run."""


def available_memory() -> int:
    """Bytes this process may still take: the system's, or its control group's where that is less."""
    candidates = [_meminfo(), _cgroup()]
    known = [value for value in candidates if value is not None]
    return min(known) if known else FALLBACK_MEMORY


def _meminfo() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            return 1024 * int(line.split()[1])
    return None


def _cgroup() -> int | None:
    folder = Path("/sys/fs/cgroup")
    try:
        limit = int((folder / "memory.max").read_text())  # "max", not a number, where there is no limit
        used = int((folder / "memory.current").read_text())
        counters = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return None
    reclaimable = int(counters.get("inactive_file", 0))  # file cache counts as used but gives way
    return max(limit - used + reclaimable, 0)


def in_gib(size: int) -> str:
    """Bytes in words, however many."""
    return f"{_in_digits(size // GIB)} GiB" if size >= 1000 * GIB else f"{size / GIB:.3g} GiB"


def _in_digits(count: int) -> str:
    """A count, by its order of magnitude where it is no sensible one."""
    return str(count) if abs(count) < 10**15 else "more than 10^15"


def check_fits(argument: str, numbers: int) -> None:
    """Refuse to make so many float64 numbers as do not fit the memory; raises ValueError naming ``argument``."""
    needed, available = 8 * numbers, available_memory()
    if needed > available:
        raise ValueError(
            f"{argument}: expected sizes that fit the memory, got {in_gib(needed)}, and "
            f"{in_gib(available)} are available"
        )


ROW = 16
"""Numbers in a row of the smallest array that a size stands for."""


def check_size(argument: str, size: int) -> None:
    """Refuse a size of which not even one array of so many rows fits the memory.

    Raises:
        ValueError: naming ``argument``, with the estimate.
    """
    needed, available = 8 * ROW * abs(size), available_memory()
    if needed > available:
        raise ValueError(
            f"{argument}: expected sizes that fit the memory, got {_in_digits(size)} rows of {in_gib(needed)} and more,"
            f" and {in_gib(available)} are available"
        )
