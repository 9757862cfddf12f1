"""Work-precision picture: true error against evaluations, one line a method.

Usage: python tests/benchmarks/work_precision.py [--case projected-100] [--docs docs]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from stiff_cases import CASES, SOLVERS, error, solve

TOLERANCES = {
    name: [10.0**-k for k in ((1, 2, 3, 4, 5) if name == "RKC" else (1, 2, 3, 4, 5, 6, 7))]
    for name in SOLVERS
}


def measure(case: str) -> dict[str, list[tuple[int, float]]]:
    """(evaluations, true error) for each method and tolerance."""
    points: dict[str, list[tuple[int, float]]] = {}
    for name, tolerances in TOLERANCES.items():
        runs = [solve(case, name, rtol) for rtol in tolerances]
        points[name] = [(run.nfev, error(case, run.end)) for run in runs]
    return points


def picture(case: str, points: dict[str, list[tuple[int, float]]]) -> Figure:
    """The diagram: down and left is better."""
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, values in points.items():
        axes.loglog(*zip(*values, strict=True), marker="o", markersize=3, label=name)
    span = CASES[case].span
    axes.set_xlabel("evaluations of the right-hand side")
    axes.set_ylabel(f"rms error at t = {span[1]:g}")
    axes.set_title(case)
    axes.legend()
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=CASES, default="projected-100")
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    options = parser.parse_args()
    points = measure(options.case)
    for name, values in points.items():
        print(name, "  ".join(f"{nfev}:{reached:.1e}" for nfev, reached in values))
    options.docs.mkdir(parents=True, exist_ok=True)
    picture(options.case, points).savefig(options.docs / f"work_precision_{options.case}.png", dpi=150)


if __name__ == "__main__":
    main()
