"""The documentation names every public name, every page is reached from the start, and links lead somewhere.

The site itself is built, with warnings as errors, by ``tox run -e docs``.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import luckproof

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def documented() -> list[str]:
    """The headings of the pages of names."""
    return re.findall(
        r"^## `?(\w+)`?$", "\n".join(p.read_text() for p in (DOCS / "api").glob("*.md")), re.MULTILINE
    )


def test_every_public_name_has_its_place():
    """Once, and nothing else has one."""
    assert sorted(documented()) == sorted(luckproof.__all__)


@pytest.mark.parametrize("name", documented())
def test_what_a_page_shows_is_the_public_name(name):
    """The path under a heading leads to the object that the public face offers."""
    text = "\n".join(page.read_text() for page in (DOCS / "api").glob("*.md"))
    shown = re.search(rf"^## {name}\n\n```\{{eval-rst\}}\n\.\. auto(\w+):: (\S+)$", text, re.MULTILINE)
    found = getattr(luckproof, name)
    if shown is None:  # a value: described in words
        assert re.search(rf"^## `{name}`\n\n[A-Z].{{20,}}\.$", text, re.MULTILINE)
    else:
        module = found.__name__ if shown[1] == "module" else f"{found.__module__}.{name}"
        assert shown[2] == module
        assert (found.__doc__ or "").strip()


def test_every_page_is_reached_from_the_start():
    """The contents of the first page list each page once."""
    contents = re.findall(r"```\{toctree\}(.*?)```", (DOCS / "index.md").read_text(), re.DOTALL)
    listed = [line for block in contents for line in block.splitlines() if re.fullmatch(r"[\w/]+", line)]
    pages = [str(page.relative_to(DOCS).with_suffix("")) for page in PAGES if page.name != "index.md"]
    assert sorted(listed) == sorted(pages)


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    """Links to other files of the project stand on files that are there."""
    links = [link for link in _LINK.findall(page.read_text()) if "://" not in link and "mailto:" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []
