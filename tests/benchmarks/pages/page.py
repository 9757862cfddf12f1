"""The page of benchmarks, from pytest-benchmark's JSON: targets, tables, pictures.

Usage: python -m tests.benchmarks.pages.page bench.json [--docs docs]
"""

from __future__ import annotations

import argparse
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.benchmarks.pages import pictures, tables
from tests.benchmarks.pages.targets import Entry, targets

HEADER = """# Benchmarks

Made by `tox run -e bench`, which takes about half an hour; nothing here is typed by hand. Every timed result is
compared with a reference in the same run, and the run fails where one is not as accurate as its row says. Times are
processor time on one core, to which the process is tied, unless they say wall; ratios are of processor times, which
other load distorts least.
"""

CONTEST = """The flows of the papers are mildly stiff: their fastest eigenvalue grows with the number of students. Every
integrator gets the loosest tolerance (rtol = atol, four to a decade) at which its error at the end of the span, root
mean square over directions and fan-outs, is below the one stated; at the largest sizes, where peers take minutes, the
next one below that of the size before. `luckproof auto` is `integrate` as it comes (it takes CVODE here, in the
teachers' own basis where these are orthonormal); `scikit-sundae CVODE` is SUNDIALS on our right-hand side as it stands,
left to its defaults. diffrax and torchdiffeq integrate the same flows written for jax and torch
(`tests/benchmarks/contest/peer_flows.py`), compilation not counted. Up to 128 students ours are stepped in deviations
from the teacher, which have no floor and cost up to 1.4 times as much an evaluation. `projected-n`: Theorem 4's flow
with n orthonormal teachers in R^n, n² unknowns, t = 0 … 30. `two-layer-kx`: Theorem 5's flow, d = 10, m = 20, c = 30, k
times as many students, t = 0 … 100.
"""

ENSEMBLE = """32 or 1,000 instances of Theorem 4's flow, from easy to hard starts, t = 0 … 30, at rtol 1e-8 and, looser,
where ours are as accurate as the best of diffrax's (at n = 50 stability sets the steps: no looser one is quicker). 32
instances are compared with references of their own, and in the stack with their own solo runs (or with rtol / 20, where
that is more). Stacks run on machine code (numba, the extra `compiled`), but in the rows that say NumPy; its loading
and diffrax's compilation are not counted.
"""

GPU = """A GPU was not at hand: the same code runs on one (`tox run -e gpu` tests it), but no times are given."""


def entries_of(data: dict[str, Any]) -> list[Entry]:
    """extra_info of every benchmark with its median wall time."""
    return [b["extra_info"] | {"wall": b["stats"]["median"]} for b in data["benchmarks"]]


def machine(data: dict[str, Any]) -> str:
    """Processor, system and versions."""
    info = data["machine_info"]
    cpu = info.get("cpu", {})
    packages = ("numpy", "scipy", "scikit-sundae", "torch", "diffrax", "jax", "torchdiffeq", "numba")
    software = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"{cpu.get('brand_raw', info['machine'])}, {cpu.get('count', '?')} cores, {info['system']} "
        f"{platform.release()}, Python {info['python_version']}, {software}; {data['datetime'][:10]}."
    )


def sections(entries: list[Entry]) -> list[str]:
    """Headings, words and tables."""
    found = ["## Integrators at equal true error\n", CONTEST]
    pairs = list(dict.fromkeys((e["contest"], e["target"]) for e in entries if "contest" in e))
    for case, target in pairs:
        found += [f"### {case}, error ≤ {target:g}\n", tables.contest_table(entries, case, target) + "\n"]
    for e in entries:
        if e.get("growth"):
            powers = e["exponents"]
            found.append(
                f"Evaluations at rtol 1e-4 on the projected flow grow like n^{powers['auto']:.2f} for auto "
                f"({', '.join(map(str, e['evaluations']['auto']))} at n = {', '.join(map(str, e['sizes']['auto']))}) "
                f"and like n^{powers['RK45']:.2f} for RK45 ({', '.join(map(str, e['evaluations']['RK45']))}).\n"
            )
    found.append("![Error against work](work_precision.png)\n")
    groups: list[tuple[str, str, list[tables.Column], str]] = [
        ("Ensembles", ENSEMBLE, tables.ENSEMBLE, "ensemble"),
        ("Right-hand sides", "One evaluation beside its own matrix products and one arccos a pair.\n", tables.FIELD,
         "roofline_ms"),
        ("Training: the two-layer experiments", "d = 100, c = 50, m = 10, n = 50, batch 16, 1,000 steps an epoch, "
         "float64, 32 networks.\n", tables.TWO_LAYER, "ms_per_seed_epoch"),
        ("Training: matrix form", "10-20-30 teachers, batch 64, float32, 32 networks, `nets.train`.\n", tables.MATRIX,
         "plain_loop_steps_per_second"),
        ("Training: deep", "20 inputs, teacher 50-75-100-125, 100 outputs, students ten times as wide, batch 64, "
         "float32.\n", tables.DEEP, "gemm_gflops"),
        ("Training: products in float32", "The same students in float64 on one thread; times of a step as shares of "
         "float64's ([Precision of trainings](precision.md)).\n", tables.PRODUCTS, "share_of_float64"),
    ]  # fmt: skip
    for heading, words, columns, key in groups:
        rows = [e for e in entries if any(k.endswith(key) for k in e)]
        found += [f"## {heading}\n", words, tables.of_entries(rows, columns) + "\n"]
    found += [
        GPU + "\n",
        "## Growth\n",
        tables.scaling_table(entries) + "\n",
        "![Growth with size](scaling.png)\n",
    ]
    found += [
        f"## Statements\n\n`luckproof verify --jobs 2`: {e['summary']} Wall {e['wall']:.0f} s, processor "
        f"{e['cpu_seconds']:.0f} s.\n"
        for e in entries
        if "verify" in e
    ]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("--docs", type=Path, help="write benchmarks.md and its pictures here")
    options = parser.parse_args()
    data = json.loads(options.results.read_text(encoding="utf-8"))
    entries = entries_of(data)
    aims = tables.targets_table(targets(entries))
    text = "\n".join([HEADER, f"Machine: {machine(data)}\n", "## Targets\n", aims + "\n", *sections(entries)])
    print(text)
    if options.docs:
        (options.docs / "benchmarks.md").write_text(text, encoding="utf-8")
        pictures.work_precision(entries, options.docs / "work_precision.png")
        pictures.scaling(entries, options.docs / "scaling.png")


if __name__ == "__main__":
    main()
