"""The benchmark table and the picture of bounds against measured rates, from pytest-benchmark's JSON.

Usage: python -m tests.benchmarks.pages.summarise bench.json [--docs docs]
"""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

MARKERS = {"printed": "x", "corrected": "o", "certificate": "s", "basin": "d", "local": "d", "spectral": "."}


def rows(path: Path) -> list[dict[str, Any]]:
    """One row a rate-bound entry: its extra_info and the median time in milliseconds."""
    data = json.loads(path.read_text(encoding="utf-8"))
    return [
        entry["extra_info"] | {"ms": 1e3 * entry["stats"]["median"]}
        for entry in data["benchmarks"]
        if "flow_late_rate" in entry["extra_info"]
    ]


def number(value: float | None) -> str:
    return "vacuous" if value is None else f"{value:.4g}"


def table(entries: list[dict[str, Any]]) -> str:
    """A Markdown table: case, bound, its rate, the measured ones, tightness and cost."""
    lines = [
        "| case | bound | rate | flow, slowest | flow, late | networks | tightness | ms |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in sorted(entries, key=lambda row: (row["bound"][:8], row["case"])):
        networks = "–" if row["network_rate"] is None else number(row["network_rate"])
        tightness = "–" if row["tightness"] is None else f"{row['tightness']:.3g}"
        lines.append(
            f"| {row['case']} | {row['bound']} | {number(row['rate'])} | {number(row['flow_slowest_decay'])} "
            f"| {number(row['flow_late_rate'])} | {networks} | {tightness} | {row['ms']:.3g} |"
        )
    return "\n".join(lines)


def draw(entries: list[dict[str, Any]], path: Path) -> None:
    """Every non-vacuous bound against the measured rate it speaks of (slowest decay; late rate if spectral)."""
    figure, axes = plt.subplots(figsize=(6.4, 5.0), layout="constrained")
    for kind, marker in MARKERS.items():
        for theorem, colour in ((4, "C0"), (5, "C1")):
            chosen = [
                r for r in entries if r["bound"] == f"theorem{theorem}.{kind}" and r["rate"] is not None
            ]
            if chosen:
                against = "flow_late_rate" if kind == "spectral" else "flow_slowest_decay"
                axes.plot(
                    [r[against] for r in chosen],
                    [r["rate"] for r in chosen],
                    marker,
                    color=colour,
                    fillstyle="none" if marker in "osd" else "full",
                    label=f"Theorem {theorem}, {kind}",
                )
    ends = axes.get_xlim()
    line = [max(min(r["flow_slowest_decay"] for r in entries) * 0.7, 1e-6), ends[1] * 1.2]
    axes.plot(line, line, color="0.5", linewidth=1, zorder=0, label="bound = measured")
    axes.set(xscale="log", yscale="log", xlabel="measured rate of the flow", ylabel="bound")
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--docs", type=Path, help="write rate_bounds.md and rate_bounds.png here")
    options = parser.parse_args()
    entries = rows(options.results)
    text = table(entries)
    print(text)
    if options.docs:
        machine = (
            f"{platform.machine()}, Python {platform.python_version()}; times are medians of repeated calls"
        )
        header = (
            "# Rate bounds, measured\n\nMade by `tox run -e bench`. Tightness is bound / measured; "
            "the decay that a basin bounds is that of ‖W − W*‖_F, with moving fan-outs (local) of |z|.\n"
        )
        page = (
            f"{header}\n![Bounds against measured rates](rate_bounds.png)\n\nMachine: {machine}.\n\n{text}\n"
        )
        (options.docs / "rate_bounds.md").write_text(page, encoding="utf-8")
        draw(entries, options.docs / "rate_bounds.png")


if __name__ == "__main__":
    main()
