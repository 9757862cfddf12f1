"""What the benchmarks aim at, and whether a run reached it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Entry = dict[str, Any]
"""extra_info of one benchmark, with ``wall``, its median wall seconds."""


@dataclass(frozen=True)
class Target:
    """An aim: ``measured`` is to be at least (or, with ``at_most``, at most) ``aim``. ``bound``: what limits it."""

    name: str
    measured: float
    aim: float
    unit: str = "×"
    at_most: bool = False
    bound: str = ""

    @property
    def met(self) -> bool:
        return self.measured <= self.aim if self.at_most else self.measured >= self.aim


PEERS = ("SciPy", "diffrax", "torchdiffeq")
OURS = ("luckproof",)
PLAIN_CVODE = ("scikit-sundae",)
"""How the contestants of a kind begin."""


def fastest(entries: list[Entry], kind: tuple[str, ...]) -> Entry:
    """The quickest of a kind by processor time."""
    chosen = [e for e in entries if e["contestant"].startswith(kind)]
    return min(chosen, key=lambda e: float(e["cpu_seconds"]))


CONTEST = {
    ("projected-200", 1e-5): (20.0, 1.7),
    ("projected-400", 1e-5): (35.0, 1.7),
    ("two-layer-20x", 1e-5): (18.0, 1.2),
    ("projected-200", 1e-8): (6.0, 1.7),
    ("projected-400", 1e-8): (10.0, 1.7),
    ("two-layer-20x", 1e-8): (9.0, 1.2),
}
"""How many times faster than the best of SciPy, diffrax and torchdiffeq, and than plain CVODE."""


def contest(entries: list[Entry]) -> list[Target]:
    """Time of the best peer, and of plain CVODE, over ours at equal true error."""
    found = []
    for (case, target), aims in CONTEST.items():
        rows = [e for e in entries if e.get("contest") == case and e["target"] == target]
        for kind, aim in zip((PEERS, PLAIN_CVODE), aims, strict=True):
            if rows:
                own, peer = fastest(rows, OURS), fastest(rows, kind)
                by_wall = peer["wall"] / own["wall"]
                found.append(
                    Target(
                        f"{case}, error ≤ {target:g}: {own['contestant']} against {peer['contestant']}",
                        peer["cpu_seconds"] / own["cpu_seconds"],
                        aim,
                        bound=f"evaluations {peer['nfev']:,} / {own['nfev']:,}; by wall time {by_wall:.2g} ×",
                    )
                )
    return found


def ensembles(entries: list[Entry]) -> list[Target]:
    """A stack against diffrax's vmap, at one rtol and at one accuracy, NumPy and a loop; members against solo runs."""
    found = []
    for S, n in dict.fromkeys((e["stacked"], e["ensemble"]) for e in entries if "ensemble" in e):
        rows = {e["contestant"]: e for e in entries if (e.get("stacked"), e.get("ensemble")) == (S, n)}
        own, looser, plain = (rows[f"luckproof stack{way}"] for way in ("", ", looser", ", looser, NumPy"))
        looped = rows.get("luckproof loop")
        peer = fastest(list(rows.values()), PEERS)
        title = f"{S:,} instances, n = {n}: stack against"
        found += [
            Target(f"{title} {peer['contestant']}, both at rtol 1e-8", peer["cpu_seconds"] / own["cpu_seconds"], 3.0,
                   bound=f"errors {peer['error']:.1e} / {own['error']:.1e}"),
            Target(f"{title} {peer['contestant']}, at its error", peer["cpu_seconds"] / looser["cpu_seconds"], 3.0,
                   bound=f"errors {peer['error']:.1e} / {looser['error']:.1e}"),
            Target(f"{title} NumPy, without machine code", plain["cpu_seconds"] / looser["cpu_seconds"], 1.0),
            *([Target(f"{title} loop", looped["cpu_seconds"] / own["cpu_seconds"], 1.0)] if looped else []),
            Target(f"{S:,} instances, n = {n}: worst error in the stack over that alone (or over rtol / 20)",
                   own["worst_over_solo"], 2.0, at_most=True),
        ]  # fmt: skip
    return found


SINGLE: list[tuple[str, Callable[[Entry], bool], str, float, str, bool]] = [
    ("right-hand side n = 200 over its roofline", lambda e: e.get("case") == "projected n=200",
     "ratio_to_roofline", 2.0, "×", True),
    ("right-hand side n = 400 over its roofline", lambda e: e.get("case") == "projected n=400",
     "ratio_to_roofline", 2.0, "×", True),
    ("two-layer training, one core: time a seed and epoch", lambda e: "cpu_ms_per_seed_epoch" in e,
     "cpu_ms_per_seed_epoch", 25.0, "ms", True),
    ("two-layer training, two cores: wall time a seed and epoch",
     lambda e: e.get("case") == "2 processes", "wall_ms_per_seed_epoch", 13.0, "ms", True),
    ("two-layer training: evaluation over training", lambda e: "evaluation_share" in e,
     "evaluation_share", 0.5, "×", True),
    ("matrix form 10-20-30, n = 20: seed-iterations a second", lambda e: e.get("case") == "n = 20",
     "steps_per_second", 20_000, "/s", False),
    ("matrix form 10-20-30, n = 100: seed-iterations a second", lambda e: e.get("case") == "n = 100",
     "steps_per_second", 20_000, "/s", False),
    ("fully connected at 10×: share of the measured GEMM rate", lambda e: "gemm_gflops" in e,
     "share_of_roofline", 0.8, "×", False),
    ("verify, quick budget, two processes", lambda e: "verify" in e, "wall", 70.0, "s", True),
]  # fmt: skip


def singles(entries: list[Entry]) -> list[Target]:
    """Targets on one number of one benchmark."""
    found = []
    for name, chosen, key, aim, unit, at_most in SINGLE:
        found += [Target(name, e[key], aim, unit, at_most) for e in entries if chosen(e)]
    return found


def growth(entries: list[Entry]) -> list[Target]:
    """Evaluations against n, and against the span."""
    with_n = [
        Target(
            "evaluations grow like n to the power", e["exponents"]["auto"], 0.1, "", True,
            f"RK45: {e['exponents']['RK45']:.2f}",
        )
        for e in entries if e.get("growth")
    ]  # fmt: skip
    with_span = [
        Target(
            f"{e['long_span']}: evaluations over T = 1e5 against T = 1e3", last / first, 2.0, at_most=True,
            bound=f"{last:,} / {first:,}; norms drift by {e['norm_drift']:.1e}",
        )
        for e in entries if "long_span" in e for first, last in [e["evaluations"]]
    ]  # fmt: skip
    return with_n + with_span


def targets(entries: list[Entry]) -> list[Target]:
    """All of them, in the order of the page."""
    return contest(entries) + growth(entries) + ensembles(entries) + singles(entries)
