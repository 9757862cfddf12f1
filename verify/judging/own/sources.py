"""The code that a file of statements is made of: the file, and what it imports from beside it."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

from verify.judging.origin import OURS


def digest_of(file: Path) -> str:
    """A hash of the file and of every file beside it that it imports, by whatever way. Cost: reading them."""
    found = hashlib.sha256()
    for path in sources_of(file):
        found.update(f"{path.relative_to(file.parent).as_posix()}\0".encode())
        found.update(path.read_bytes())
    return found.hexdigest()


def digest_of_folder(folder: Path) -> str:
    """A hash of all Python files of a package."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        found.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        found.update(path.read_bytes())
    return found.hexdigest()


def package_of(file: Path) -> Path | None:
    """The folder of the outermost package that a file belongs to; None for a file that stands by itself."""
    found = None
    for folder in file.parents:
        if not (folder / "__init__.py").is_file():
            break
        found = folder
    return found


def sources_of(file: Path) -> list[Path]:
    """``file`` and, in order, the Python files beside it that its imports (those inside functions too) lead to."""
    found, waiting = {file}, [file]
    while waiting:
        for name in _imported(waiting.pop()):
            fresh = set(_beside(file.parent, name)) - found
            found |= fresh
            waiting += fresh
    return sorted(found)


def _imported(file: Path) -> Iterator[str]:
    """The first words of what a file imports; nothing of a file that is no Python."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _beside(folder: Path, name: str) -> Iterator[Path]:
    """The module ``name`` of a folder: a file, or all files of a package."""
    if name in OURS:
        return
    module, package = folder / f"{name}.py", folder / name
    if module.is_file():
        yield module
    if (package / "__init__.py").is_file():
        yield from package.rglob("*.py")
