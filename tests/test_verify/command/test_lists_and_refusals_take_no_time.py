"""Lists, and the refusal of a mistyped name, answer without importing what takes seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.e2e.own_file import BESIDE, SOUND

SLOW = ("torch", "scipy", "matplotlib", "xarray", "hypothesis", "jinja2")
"""Packages whose import is felt; NumPy's is not."""

PROGRAM = """
import json, sys
from verify.command.main import run
code = run(json.loads(sys.argv[1]))
print("\\n" + json.dumps([code, sorted(set(json.loads(sys.argv[2])) & set(sys.modules))]))
"""


def imported(*words: str) -> tuple[int, list[str]]:
    """The exit code of the command and the slow packages that it imported."""
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(words), json.dumps(SLOW)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    code, found = json.loads(ended.stdout.splitlines()[-1])
    return code, found


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("list",), 0),
        (("list", "luckmatters.theorem4", "--form", "printed"), 0),
        (("list", "luckmatters.theorm4"), 2),
        (("verify", "luckmatters.theorm4"), 2),
        (("verify", "theorem99", "--budget", "deep"), 2),
        (("show", "luckmatters.lema1"), 2),
        (("figure",), 0),
        (("figure", "luckmatters.teacher"), 2),
        (("--help",), 0),
        (("simulate", "--help"), 0),
    ],
)
def test_lists_and_refusals_import_nothing_slow(words: tuple[str, ...], code: int) -> None:
    """Names and titles come from the catalogues."""
    assert imported(*words) == (code, [])


def test_a_simulation_imports_what_it_integrates_with_and_no_more() -> None:
    """A flow needs SciPy; networks, pictures and the report it does not."""
    code, found = imported("simulate", "--d", "3", "--m", "2", "--t-end", "1")
    assert code == 0
    assert not {"torch", "matplotlib", "jinja2", "hypothesis"} & set(found)


def test_a_verdict_on_a_statement_of_ones_own_imports_no_picture_and_no_network(tmp_path: Path) -> None:
    """A page that nobody asked for, and a torch built for the CPU alone, stay where they are."""
    (tmp_path / "mytheorem.py").write_text(SOUND, encoding="utf-8")
    (tmp_path / "beside.py").write_text(BESIDE, encoding="utf-8")
    code, found = imported("verify", "--from", str(tmp_path / "mytheorem.py"), "--jobs", "1")
    assert code == 0
    assert "hypothesis" in found
    assert not {"matplotlib", "jinja2"} & set(found)
    assert ("torch" in found) == (torch.version.cuda is not None or torch.version.hip is not None)
