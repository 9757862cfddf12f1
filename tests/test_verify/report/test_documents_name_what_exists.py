"""Statements and figures that the documentation names are there, under that name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from luckproof import select
from verify.figures.registry import figures

ROOT = Path(__file__).parents[3]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
NAME = re.compile(r"(?<![\w./-])(?:luckmatters|specialization)\.[\w.*-]*[\w*]")
FILE = re.compile(r".*\.(py|md|nc|png|svg|json|html)$")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_name_on_the_page_is_known(page):
    """Each `luckmatters.…` or `specialization.…` is a statement, a key, a prefix of some, or a figure."""
    unknown = {name for name in NAME.findall(page.read_text(encoding="utf-8")) if not known(name)}
    assert not unknown


def known(name: str) -> bool:
    if name in figures() or FILE.fullmatch(name):
        return True
    try:
        return bool(select([name]))
    except ValueError:
        return False


def test_names_are_found_and_wrong_ones_told():
    """The page of errata names many statements; a name that does not exist would be noticed."""
    assert len(NAME.findall((ROOT / "docs" / "errata.md").read_text(encoding="utf-8"))) > 30
    assert NAME.findall("as `luckmatters.theorem0.printed` shows") == ["luckmatters.theorem0.printed"]
    assert not known("luckmatters.theorem0.printed")
