"""The pictures of the benchmark page: work against precision, and growth with size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from tests.benchmarks.pages.targets import Entry


def work_precision(entries: Sequence[Entry], path: Path) -> None:
    """True error against evaluations and against processor time: down and left is better."""
    chosen = [e for e in entries if "work_precision" in e]
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained", sharey=True)
    for entry in chosen:
        ours = entry["contestant"].startswith("luckproof")
        style = (
            {"marker": "o", "markersize": 4, "linewidth": 2.2} if ours else {"marker": "x", "linewidth": 1}
        )
        points = entry["points"]
        errors = [p["error"] for p in points]
        axes[0].loglog([p["nfev"] for p in points], errors, label=entry["contestant"], **style)
        axes[1].loglog([p["seconds"] for p in points], errors, **style)
    axes[0].set(xlabel="evaluations of the right-hand side", ylabel="root mean square error at t = 30")
    axes[1].set_xlabel("processor seconds")
    axes[0].set_ylim(1e-11, 10)  # errors beyond one, at the loosest tolerances, are off the picture
    for one, ticks in zip(axes, ((100, 200, 500, 1000, 2000), (0.1, 0.2, 0.5, 1, 2)), strict=True):
        label_sizes(one, ticks)
        one.grid(alpha=0.3)
    figure.legend(loc="outside right center", frameon=False)
    figure.suptitle("Projected flow, n = 100: tolerances from 1e-1 to 1e-8")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def label_sizes(axes: Axes, ticks: Sequence[float]) -> None:
    """Plain numbers on a logarithmic axis, where these are."""
    axes.set_xticks(ticks, [f"{tick:,g}" for tick in ticks])
    axes.xaxis.set_minor_formatter(NullFormatter())


def scaling(entries: Sequence[Entry], path: Path) -> None:
    """Time and peak memory against size, each curve with the exponent of its largest sizes."""
    chosen = [e for e in entries if "scaling" in e]
    figure, axes = plt.subplots(
        2, len(chosen), figsize=(3.6 * len(chosen), 5.6), layout="constrained", squeeze=False
    )
    for column, entry in zip(axes.T, chosen, strict=True):
        milliseconds = [1e3 * s for s in entry["seconds"]]
        mebibytes = [b / 2**20 for b in entry["peak_bytes"]]
        for one, values, key in zip(column, (milliseconds, mebibytes), ("time", "memory"), strict=True):
            one.loglog(entry["sizes"], values, "o-", markersize=4)
            one.text(0.05, 0.9, f"exponent {entry['exponents'][key]:.2f}", transform=one.transAxes)
            one.set_ylim(min(values) / 2, max(values) * 4)
            one.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            one.yaxis.set_minor_formatter(NullFormatter())
            label_sizes(one, entry["sizes"])
            one.grid(alpha=0.3)
        column[0].set_title(entry["scaling"], fontsize=9)
        column[1].set_xlabel(entry["axis"])
    axes[0, 0].set_ylabel("processor time, ms")
    axes[1, 0].set_ylabel("peak memory, MiB")
    figure.savefig(path, dpi=150)
    plt.close(figure)
