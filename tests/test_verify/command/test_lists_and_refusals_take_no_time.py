"""Lists, and the refusal of a mistyped name, answer without importing what takes seconds."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

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
