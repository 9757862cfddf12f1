"""Every file that the packages write goes through one function."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
WRITING = re.compile(
    r"\.write_text\(|\.write_bytes\(|\.to_netcdf\(|save_file\(|torch\.save\(|np\.savez?\(|os\.replace\(|\.rename\(Path"
    r"|\bopen\([^)]*[\"'][wax]b?\+?[\"']"
)
ALLOWED = {
    "dynamics/files/writing.py",  # the place
    "verify/command/surroundings.py",  # standard streams that were closed
}


def writers(folder: Path) -> set[str]:
    """The files under ``folder`` that write by themselves."""
    packages = ("dynamics", "nets", "verify", "luckproof")
    return {
        path.relative_to(folder).as_posix()
        for package in packages
        for path in (folder / package).rglob("*.py")
        if WRITING.search(path.read_text(encoding="utf-8"))
    }


def test_one_place_writes_files() -> None:
    assert writers(ROOT) <= ALLOWED
    assert "dynamics/files/writing.py" in writers(ROOT)


def test_a_second_place_would_be_seen(tmp_path: Path) -> None:
    """Control."""
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "one.py").write_text("path.write_text('x')\n")
    (tmp_path / "nets" / "two.py").write_text("with open(path, 'wb') as file:\n    pass\n")
    (tmp_path / "nets" / "three.py").write_text("with open(path, 'rb') as file:\n    pass\n")
    assert writers(tmp_path) == {"nets/one.py", "nets/two.py"}
