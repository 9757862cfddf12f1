"""Markdown tables of the benchmark page, one a group of entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.benchmarks.pages.targets import Entry, Target

Column = tuple[str, Callable[[Entry], str]]


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]], words: Sequence[int] = (0,)) -> str:
    """A table; the columns ``words`` hold words, the others numbers."""
    rule = ["---" if index in words else "---:" for index in range(len(header))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, rule, *rows])


def of_entries(entries: Sequence[Entry], columns: Sequence[Column]) -> str:
    return markdown([name for name, _ in columns], [[cell(e) for _, cell in columns] for e in entries])


def shown(key: str, form: str = ".3g") -> Callable[[Entry], str]:
    """The cell that holds one number of an entry, or a dash."""

    def cell(entry: Entry) -> str:
        value: Any = entry.get(key)
        return "–" if value is None else format(value, form)

    return cell


def targets_table(found: Sequence[Target]) -> str:
    rows = [
        [
            target.name,
            f"{target.measured:{'.3g' if target.measured < 1e3 else ',.0f'}} {target.unit}",
            f"{'≤' if target.at_most else '≥'} {target.aim:,g}",
            "met" if target.met else "**not met**",
            target.bound,
        ]
        for target in found
    ]  # fmt: skip
    return markdown(["target", "measured", "aim", "", "remarks"], rows, words=(0, 3, 4))


def contest_table(entries: Sequence[Entry], case: str, target: float) -> str:
    """One row a contestant, quickest first; those left out follow with their reasons."""
    rows = [e for e in entries if e.get("contest") == case and e["target"] == target]
    rows.sort(key=lambda e: float(e["cpu_seconds"]))
    columns: list[Column] = [
        ("integrator", shown("contestant", "")),
        ("rtol", shown("rtol", ".2g")),
        ("true error", shown("error", ".1e")),
        ("evaluations", shown("nfev", ",")),
        ("processor s", shown("cpu_seconds")),
        ("wall s", shown("wall")),
    ]
    excluded = next((e["excluded"] for e in rows if "excluded" in e), {})
    lines = [f"| {name} | – | – | – | – | {why} |" for name, why in excluded.items()]
    return "\n".join([of_entries(rows, columns), *lines])


ENSEMBLE: list[Column] = [
    ("way", shown("contestant", "")),
    ("instances", shown("stacked", ",d")),
    ("n", shown("ensemble", "d")),
    ("rtol", shown("rtol", ".2g")),
    ("worst error of an instance", shown("error", ".1e")),
    ("worst over its solo run", shown("worst_over_solo")),
    ("processor s", shown("cpu_seconds")),
    ("wall s", shown("wall")),
]
FIELD: list[Column] = [
    ("flow", shown("case", "")),
    ("ms", shown("cost_ms")),
    ("its products and arccosines, ms", shown("roofline_ms")),
    ("ratio", shown("ratio_to_roofline")),
    ("error / scale of terms", shown("max_error", ".1e")),
]
TWO_LAYER: list[Column] = [
    ("run", shown("case", "")),
    ("processor ms a seed and epoch", shown("cpu_ms_per_seed_epoch")),
    ("wall ms a seed and epoch", shown("wall_ms_per_seed_epoch")),
    ("its matrix products, ms", shown("matrix_products_ms")),
    ("plain torch loop, ms", shown("plain_torch_loop_ms")),
    ("evaluation, ms", shown("evaluation_ms")),
    ("error against autograd", shown("max_error", ".1e")),
]
MATRIX: list[Column] = [
    ("students", shown("case", "")),
    ("seed-iterations/s", shown("steps_per_second", ",.0f")),
    ("plain torch loop", shown("plain_loop_steps_per_second", ",.0f")),
    ("times faster", shown("times_faster_than_plain_loop")),
    ("error against float64", shown("max_error", ".1e")),
]
DEEP: list[Column] = [
    ("training", shown("case", "")),
    ("GFLOP/s", shown("gflops")),
    ("bare products, GFLOP/s", shown("gemm_gflops")),
    ("share", shown("share_of_roofline", ".0%")),
    ("error against autograd", shown("max_error", ".1e")),
]
PRODUCTS: list[Column] = [
    ("batch", shown("case", "")),
    ("float64, ms a step", shown("float64_step_ms")),
    ("products `float32-backward`", shown("backward_share_of_float64", ".2f")),
    ("products `float32`", shown("products_share_of_float64", ".2f")),
    ("all in float32", shown("single_share_of_float64", ".2f")),
    ("error of a step, `float32-backward`", shown("backward_error", ".1e")),
    ("error of a step, `float32`", shown("max_error", ".1e")),
]


def scaling_table(entries: Sequence[Entry]) -> str:
    rows = []
    for e in (e for e in entries if "scaling" in e):
        first, last = (f"{e['axis']} = {e['sizes'][i]:,}: {1e3 * e['seconds'][i]:.3g} ms, "
                       f"{e['peak_bytes'][i] / 2**20:.3g} MiB" for i in (0, -1))  # fmt: skip
        powers = [f"{e['exponents'][key]:.2f}" for key in ("time", "memory")]
        rows.append([e["scaling"], first, last, *powers, f"{e['error']:.1e}"])
    header = ["operation", "smallest", "largest", "time exponent", "memory exponent", "error"]
    return markdown(header, rows, words=(0, 1, 2))
