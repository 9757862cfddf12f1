"""What the tutorials show is what runs: the cells of each, one after the other, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.commands import ROOT, environment

TUTORIALS = ROOT / "docs" / "tutorials"
CELL = re.compile(r"^```\{code-cell\} python\n(.*?)^```", re.MULTILINE | re.DOTALL)

RUN = """cells = {cells!r}
if __name__ == "__main__":  # worker processes import the script that started them
    names = {{"__name__": "__main__"}}
    for cell in cells:
        exec(cell, names)
"""


def cells(page: str) -> list[str]:
    return CELL.findall((TUTORIALS / f"{page}.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("page", "count"),
    [
        ("theorem4", 5),
        ("rate_bound", 3),
        ("phase_portrait", 5),
        ("certificate", 3),
        ("own_theorem", 3),
        ("sweep", 4),
    ],
)
def test_cells_run_in_order(page: str, count: int, tmp_path: Path) -> None:
    """As a script: their own assertions hold, and no warning is given."""
    found = cells(page)
    assert len(found) == count
    script = tmp_path / "page.py"
    script.write_text(RUN.format(cells=found), encoding="utf-8")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", str(script)],
        cwd=tmp_path, env=environment(PYTHONPATH=path, MPLBACKEND="Agg"), capture_output=True, text=True,
        check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr


def test_every_tutorial_is_run() -> None:
    """None is left out, and each stands in the table of contents."""
    pages = {path.stem for path in TUTORIALS.glob("*.md")}
    assert pages == {"theorem4", "rate_bound", "phase_portrait", "certificate", "own_theorem", "sweep"}
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    assert all(f"tutorials/{page}\n" in index for page in pages)
