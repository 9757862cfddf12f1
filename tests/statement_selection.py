"""A pytest plugin: ``--statement luckmatters.theorem4`` runs the tests of a statement, and ``-k theorem4`` knows them.

A test belongs to the statements that it is parametrised with, and to those that its marker ``statement`` names, by key,
full name, dotted prefix or shell pattern as ``luckproof verify`` takes them.
"""

from __future__ import annotations

import functools

import pytest

CHOSEN = pytest.StashKey[frozenset[str]]()
MARKER = "statement"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--statement",
        action="append",
        default=[],
        metavar="NAME",
        help="only the tests of this statement: luckmatters.theorem4, luckmatters.theorem4.sharp, 'luckmatters.lemma*'",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Resolve the names before anything is collected, so that a slip of the pen is one line."""
    asked = config.getoption("--statement")
    if not asked:
        return
    try:
        config.stash[CHOSEN] = frozenset().union(*map(names_of, asked))
    except ValueError as error:
        raise pytest.UsageError(f"--statement: {str(error).removeprefix('key: ')}") from error


@functools.cache
def names_of(pattern: str) -> frozenset[str]:
    """The full names of the statements that ``pattern`` selects; a ValueError with the nearest ones where none is."""
    from luckproof import select

    return frozenset(statement.name for statement in select([pattern]))


def patterns_of(item: pytest.Item) -> list[str]:
    """What the markers of a test name, its module's included."""
    return [pattern for mark in item.iter_markers(MARKER) for pattern in mark.args]


def statements_of(item: pytest.Item) -> frozenset[str]:
    """The full names of the statements that a test concerns."""
    from luckproof import Statement

    drawn = item.callspec.params.values() if hasattr(item, "callspec") else ()
    own = {value.name for value in drawn if isinstance(value, Statement)}
    return frozenset(own).union(*map(names_of, patterns_of(item)))


def pytest_itemcollected(item: pytest.Item) -> None:
    """``-k`` matches marked tests by the names of their statements, as it does parametrised ones."""
    item.extra_keyword_matches.update(patterns_of(item))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    chosen = config.stash.get(CHOSEN, None)
    if chosen is None:
        return
    kept = [item for item in items if statements_of(item) & chosen]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept
