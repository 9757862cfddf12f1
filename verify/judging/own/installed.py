"""Statements that installed packages offer, by the entry point group ``luckproof.statements``.

A package says in its ``pyproject.toml`` in which of its modules they are::

    [project.entry-points."luckproof.statements"]
    mytheorem = "mypackage.mytheorem"
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from types import MappingProxyType, ModuleType, SimpleNamespace

from verify.judging.collecting import collect, statements_in
from verify.judging.origin import Origin, is_own
from verify.judging.own.files import refuse_taken
from verify.judging.own.sources import digest_of, digest_of_folder
from verify.judging.statement import AnyStatement

GROUP = "luckproof.statements"


def offered() -> tuple[metadata.EntryPoint, ...]:
    """The entry points of the packages that are installed, by name. Cost: milliseconds; nothing is imported."""
    return tuple(sorted(metadata.entry_points(group=GROUP), key=lambda point: (point.name, point.value)))


def installed(taken: Mapping[str, str]) -> Mapping[str, AnyStatement]:
    """The statements that installed packages offer, by name; their modules are imported.

    Raises:
        ValueError: naming the entry point: it cannot be imported, holds no statement, an incomplete one, or one whose
            name is in ``taken`` or another package's.
    """
    found: dict[str, AnyStatement] = {}
    for point in offered():
        statements = _statements_of(point)
        refuse_taken(statements, {**taken, **dict.fromkeys(found, "another package")})
        found |= statements
    return MappingProxyType(found)


def _statements_of(point: metadata.EntryPoint) -> Mapping[str, AnyStatement]:
    where = f"entry point {point.name} = {point.value} ({GROUP})"
    try:
        module = importlib.import_module(point.module)
        found = collect([_only_own(module, point)])
    except (Exception, SystemExit) as error:
        words = " ".join(f"{error}".split()) if isinstance(error, ValueError) else f"{error!r}"
        raise ValueError(f"{where}: {words}") from error
    if not found:
        raise ValueError(f"{where}: expected statements (Item(...).claim), found none at its top level")
    origin = Origin("", _digest_of(point.module))
    for statement in found.values():
        object.__setattr__(statement, "origin", origin)
    return found


def _only_own(module: ModuleType, point: metadata.EntryPoint) -> ModuleType:
    """A module that holds what is the package's own of what the entry point names."""
    named = SimpleNamespace(named=point.load()) if point.attr else module
    own = ModuleType(point.module)
    vars(own).update(STATEMENTS=[s for s in statements_in(named) if is_own(s.evidence)])
    return own


def _digest_of(module: str) -> str:
    """Of the whole package in which a module is; of the file and what it imports from beside it, for one alone."""
    spec = importlib.util.find_spec(module.partition(".")[0])
    if spec is None or not spec.origin:
        return ""
    file = Path(spec.origin)
    return digest_of_folder(file.parent) if spec.submodule_search_locations else digest_of(file)
