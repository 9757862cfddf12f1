"""The registry: every module of the paper packages is imported and its statements are collected.

A new file in ``verify/<paper>/`` is found by itself. It holds module-level :class:`Statement` objects, or
tuples or lists of them (:mod:`verify.judging.collecting`). Beside the papers' there are statements of one's own: those
that installed packages offer, and those of a file that the user names (:mod:`verify.judging.own`).
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from dynamics.boundary import checked
from verify.judging.catalogue import PAPERS, Named, StatementEntry, catalogued, names_of
from verify.judging.collecting import FAILURES as FAILURES
from verify.judging.collecting import collect
from verify.judging.origin import Origin, told
from verify.judging.own import installed as packages
from verify.judging.own.files import load
from verify.judging.statement import AnyStatement

N = TypeVar("N", bound=Named)


@checked
def select(patterns: Sequence[str] = (), form: str | None = None) -> tuple[AnyStatement, ...]:
    """The statements named by ``patterns``, in reading order; all of them for no pattern.

    A pattern is a full name (``luckmatters.theorem4.sharp``), a key (all its forms), a paper, any other
    dotted prefix, or a shell pattern (``luckmatters.lemma*``). ``form`` keeps one form only. The papers' statements are
    looked at first, then those of installed packages (entry points ``luckproof.statements``).

    Raises:
        ValueError: a pattern or form that matches nothing, with the nearest names; where the catalogue is up to date
            this takes no import of the statements. A package whose statements cannot be imported.
    """
    entries, named = catalogued(), tuple(patterns)
    if entries is not None and not packages.offered():
        names_of(named, form, entries)
    return _named(named, form, registered(), offered)


def select_entries(patterns: Sequence[str] = (), form: str | None = None) -> tuple[StatementEntry, ...]:
    """:func:`select` for lists: no statement of the papers is imported where the catalogue is up to date."""
    papers = catalogued() or registered_entries()
    return _named(tuple(patterns), form, papers, lambda: _entries(offered()))


def _named(
    patterns: tuple[str, ...], form: str | None, papers: Mapping[str, N], more: Callable[[], Mapping[str, N]]
) -> tuple[N, ...]:
    """Among the papers' alone where they have it all; a package that is broken does not stand in their way."""
    if not packages.offered():
        return names_of(patterns, form, papers)
    if patterns:
        try:
            return names_of(patterns, form, papers)
        except ValueError:
            pass
    return names_of(patterns, form, {**papers, **more()})


@checked
def statements_from(path: str | PathLike[str]) -> Mapping[str, AnyStatement]:
    """The statements that a Python file of one's own defines at its top level, by name, read-only, in reading order.

    The file is run as a module is when it is imported; modules beside it can be imported from it. Statements of the
    papers that it imports are not among them. Each statement remembers the file: the commands that a report prints
    carry ``--from``.

    Args:
        path: a file that ends in ``.py``; ``luckproof new statement`` writes one to start from.
    Raises:
        ValueError: the file is not there or no Python, it raises, a statement is incomplete or has a name that is
            taken, or there is none; naming file and line.
    """
    return load(path, "path", _names())


def select_from(
    files: Sequence[Path], patterns: Sequence[str] = (), form: str | None = None
) -> tuple[AnyStatement, ...]:
    """The statements of files given with ``--from`` that ``patterns`` name, all of them for no pattern.

    A pattern that names none of theirs may name others (:func:`select`). Without files: :func:`select`.

    Raises:
        ValueError: as :func:`statements_from`, and two files with the same name of a statement.
    """
    if not files:
        return select(patterns, form)
    found: dict[str, AnyStatement] = {}
    for file in {path.resolve(): path for path in files}.values():
        held = {name: told(statement.origin.file) for name, statement in found.items() if statement.origin}
        found |= load(file, "--from", {**_names(), **held})
    if not patterns:
        return names_of((), form, found)
    chosen: dict[str, AnyStatement] = {}
    for pattern in patterns:
        try:
            matching = names_of((pattern,), form, found)
        except ValueError as error:
            try:
                matching = select([pattern], form)
            except ValueError:
                raise error from None
        chosen |= {statement.name: statement for statement in matching}
    return tuple(chosen.values())


def catalogue() -> Mapping[str, StatementEntry]:
    """Every statement of the papers as lists show it, by name; by import where the catalogue is out of date."""
    return catalogued() or registered_entries()


def registered_entries() -> Mapping[str, StatementEntry]:
    """Every registered statement as lists show it, by name."""
    return _entries(registered())


def _entries(statements: Mapping[str, AnyStatement]) -> Mapping[str, StatementEntry]:
    return {name: StatementEntry.shown(statement) for name, statement in statements.items()}


def _names() -> dict[str, str]:
    """The names of the papers' statements, with whose they are."""
    return dict.fromkeys(catalogue(), "one of the papers' statements")


def single(key: str, form: str | None = None) -> AnyStatement:
    """The one statement that ``key`` (and ``form``) name.

    Raises:
        ValueError: none, or several; then their names are listed.
    """
    return only(key, select([key], form))


def only(key: str, chosen: Sequence[AnyStatement]) -> AnyStatement:
    """The one statement that was ``chosen`` by ``key``; raises ValueError where there are several."""
    if len(chosen) > 1:
        raise ValueError(
            f"key: {key!r} has several statements, name one (or give its form): "
            + ", ".join(statement.name for statement in chosen)
        )
    return chosen[0]


def found_again(name: str, origin: Origin | None) -> AnyStatement:
    """The statement ``name`` of ``origin`` in another process, which imports it anew.

    Raises:
        ValueError: its code is not there, or is another than it was.
    """
    file = origin.file if origin is not None else ""
    statement = load(file, "--from", {}).get(name) if file else single(name)
    if statement is None or statement.origin != origin:
        place = told(file) if file else "its package"
        raise ValueError(f"{place}: expected the code of {name} as it was when the run began, got other code")
    return statement


def _paper_modules() -> Iterator[ModuleType]:
    for paper in PAPERS:
        name = f"verify.{paper}"
        if importlib.util.find_spec(name) is None:
            continue
        package = importlib.import_module(name)
        yield package
        for info in pkgutil.walk_packages(package.__path__, prefix=f"{name}."):
            yield importlib.import_module(info.name)


@functools.cache
def registered() -> Mapping[str, AnyStatement]:
    """Every statement of the paper packages by name, read-only, in reading order; imported on the first call."""
    return collect(_paper_modules())


@functools.cache
def offered() -> Mapping[str, AnyStatement]:
    """The statements of installed packages by name; imported on the first call, see :mod:`verify.judging.own`."""
    return packages.installed(_names())
