"""Where trainings level off in each precision, as docs/precision.md has it."""

from __future__ import annotations

from pathlib import Path

import torch

from nets.products import Products

ROWS: dict[str, tuple[Products, torch.dtype]] = {
    "float64": ("own", torch.float64),
    "float64, products `float32-backward`": ("float32-backward", torch.float64),
    "float64, products `float32`": ("float32", torch.float64),
    "float32": ("own", torch.float32),
}
"""The rows of both tables of runs: products and number format."""


def levels(row: str, table: int) -> list[float]:
    """The numbers of a row in table 0, of deep networks, or 1, of two layers."""
    page = Path(__file__).parents[2] / "docs" / "precision.md"
    lines = [text for text in page.read_text("utf-8").splitlines() if text.startswith(f"| {row} |")]
    return [float(cell) for cell in lines[table].split("|")[2:-1]]
