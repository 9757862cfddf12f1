"""The catalogues say what a full import says, and are left aside as soon as they might not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from verify.command.catalogues import catalogues
from verify.figures import registry as figures
from verify.judging import catalogue, registry
from verify.judging.catalogue import Catalogue


def test_catalogues_on_disk_are_those_of_a_full_import() -> None:
    """To mend this: python -m verify.command.catalogues."""
    for path, text in catalogues().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: python -m verify.command.catalogues"


def test_a_changed_header_puts_the_catalogue_aside_and_a_changed_body_does_not(tmp_path: Path) -> None:
    """The digest is over what defines an entry."""
    source = tmp_path / "item.py"
    source.write_text('A = Item("x")\n@A.claim("sharp")\ndef f():\n    """Title."""\n    return 1\n')
    made = Catalogue(tmp_path / "c.json", (tmp_path,), re.compile(r'\.claim\(.*?""".*?"""', re.DOTALL))
    assert made.entries() is None
    made.file.write_text(made.content([{"name": "x.sharp"}]))
    assert made.entries() == [{"name": "x.sharp"}]
    source.write_text(source.read_text().replace("return 1", "return 2"))
    assert made.entries() == [{"name": "x.sharp"}]
    source.write_text(source.read_text().replace("Title", "Another"))
    assert made.entries() is None


def test_without_a_catalogue_lists_come_from_the_statements_themselves(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A new statement is found before anybody has written the catalogue again."""
    with_it = registry.catalogue()
    monkeypatch.setattr(registry, "catalogued", lambda: None)
    assert dict(registry.catalogue()) == dict(with_it)
    monkeypatch.setattr(figures, "FIGURES", Catalogue(tmp_path / "none.json", (), re.compile("x")))
    assert figures.titles() == {name: figure.title for name, figure in figures.figures().items()}


def test_every_header_is_seen() -> None:
    """As many claims in the sources as statements in the registry: none is made where the digest does not look."""
    headers = [
        found
        for folder in catalogue.STATEMENTS.folders
        for path in folder.glob("*.py")
        for found in catalogue.STATEMENTS.header.findall(path.read_text(encoding="utf-8"))
        if ".claim(" in found or "Statement(" in found
    ]
    assert len(headers) == len(registry.registered())
