"""Statements of a file of the user's: ``luckproof verify --from mytheorem.py``."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from os import PathLike
from pathlib import Path
from types import MappingProxyType, ModuleType

from dynamics.files.places import check_readable
from verify.judging.collecting import collect, statements_in
from verify.judging.origin import Origin, is_own, place_in, place_of, told
from verify.judging.own.sources import digest_of
from verify.judging.statement import AnyStatement
from verify.judging.told_errors import told_error

_loaded: dict[tuple[Path, str], Mapping[str, AnyStatement]] = {}
"""By absolute path and digest: the same code is run once in a process, so that its instances stay of one type."""


def load(path: str | PathLike[str], argument: str, taken: Mapping[str, str]) -> Mapping[str, AnyStatement]:
    """The statements of the file at ``path``; see :func:`verify.judging.registry.statements_from`.

    ``argument``: the name of the path in complaints about it. ``taken``: names that the statements may not have, each
    with who has it.
    """
    given = check_readable(argument, path)
    if given.suffix != ".py":
        raise ValueError(f"{argument}: expected a Python file that ends in .py, got {given}")
    file = given.resolve()
    digest = digest_of(file)
    if (file, digest) not in _loaded:
        _loaded[file, digest] = _statements(file, digest)
    refuse_taken(_loaded[file, digest], taken)
    return _loaded[file, digest]


def _statements(file: Path, digest: str) -> Mapping[str, AnyStatement]:
    module = _run(file, digest)
    own = ModuleType(module.__name__)
    vars(own).update(STATEMENTS=[s for s in statements_in(module) if is_own(s.evidence)])
    found = collect([own])
    if not found:
        raise ValueError(
            f"{told(file)}: expected statements (Item(...).claim), found none at its top level; "
            "luckproof new statement NAME writes a file with one"
        )
    for statement in found.values():
        object.__setattr__(statement, "origin", Origin(str(file), digest))
    return MappingProxyType(dict(found))


def refuse_taken(found: Mapping[str, AnyStatement], taken: Mapping[str, str]) -> None:
    """Raises ValueError, with the place, where a statement has a name that is known already."""
    for name, statement in found.items():
        if name in taken:
            raise ValueError(
                f"{place_of(statement.evidence)}: statement {name}: expected another key, {taken[name]} has this one"
            )


def _run(file: Path, digest: str) -> ModuleType:
    """The module that the file is, under a name that no other file and no other version of it has."""
    mark = hashlib.sha256(f"{file}\0{digest}".encode()).hexdigest()[:12]
    module = ModuleType(f"luckproof_own_{re.sub(r'[^a-zA-Z0-9_]', '_', file.stem)}_{mark}")
    module.__file__ = str(file)
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))  # last: what is installed is not hidden by a file beside this one
    sys.modules[module.__name__] = (
        module  # dataclasses and instances on their way between processes look here
    )
    try:
        code = compile(file.read_bytes(), str(file), "exec", dont_inherit=True)
        exec(code, vars(module))  # the user's own file, which the user names
    except SyntaxError as error:
        _forget(module)
        place = f"{told(error.filename or file)}:{error.lineno}" if error.lineno else told(file)
        raise ValueError(f"{place}: {type(error).__name__}: {error.msg}") from error
    except (Exception, SystemExit) as error:
        _forget(module)
        place = place_in(error, str(file)) or told(file)
        raise ValueError(f"{place}: {told_error(error)}") from error
    return module


def _forget(module: ModuleType) -> None:
    with suppress(KeyError):
        del sys.modules[module.__name__]
