"""What is swept: a command, the options that stay, and the axes along which others move."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any

from dynamics.files.places import check_readable
from dynamics.validation import shown
from verify.sweeps.axes import LONGEST, Axis, read_axis
from verify.sweeps.commands import check_command, checked_value

SECTIONS = ("command", "base", "grid", "zip")
TOGETHER = "zip"
"""The dimension along which the axes of ``[zip]`` move together."""


@dataclass(frozen=True)
class Configuration:
    """A sweep: every combination of the ``grid`` axes, and along one more dimension those of ``together``.

    Attributes:
        command: what is run at every point.
        base: options that are the same everywhere.
        grid: axes that are combined, the last one moving fastest.
        together: axes of one length that move in step; they come after the grid.
    """

    command: str
    base: Mapping[str, Any]
    grid: tuple[Axis, ...] = ()
    together: tuple[Axis, ...] = ()

    @property
    def dimensions(self) -> dict[str, int]:
        """The dimensions of the sweep with their sizes, in order."""
        sizes = {axis.name: len(axis.values) for axis in self.grid}
        return {**sizes, TOGETHER: len(self.together[0].values)} if self.together else sizes

    @property
    def options(self) -> set[str]:
        """The options that are swept."""
        return {axis.name for axis in (*self.grid, *self.together)}

    @property
    def size(self) -> int:
        """The number of points."""
        return math.prod(self.dimensions.values())

    def places(self, number: int) -> dict[str, int]:
        """Where point ``number`` stands along each dimension."""
        found = {}
        for name, size in reversed(self.dimensions.items()):
            number, found[name] = divmod(number, size)
        return dict(reversed(found.items()))

    def chosen(self, number: int) -> dict[str, Any]:
        """The values of the axes at point ``number``, by option."""
        places = self.places(number)
        grid = {axis.name: axis.values[places[axis.name]] for axis in self.grid}
        return grid | {axis.name: axis.values[places[TOGETHER]] for axis in self.together}

    def as_plain(self) -> dict[str, Any]:
        """The configuration as plain data, ranges written out, from which :func:`from_mapping` makes it again."""
        sections = {
            "grid": {axis.name: _plain(axis.values) for axis in self.grid},
            "zip": {axis.name: _plain(axis.values) for axis in self.together},
        }
        base = {name: _plain(value) for name, value in self.base.items()}
        return {"command": self.command, "base": base, **sections}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value


def read_configuration(path: str | PathLike[str]) -> Configuration:
    """The configuration in a TOML file.

    Raises:
        ValueError: no such file, no TOML, or what :func:`from_mapping` refuses.
    """
    place = check_readable("CONFIG", path)
    try:
        parsed = tomllib.loads(place.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError, RecursionError) as error:
        raise ValueError(f"CONFIG: cannot read {str(path)!r} as TOML: {error}") from None
    return from_mapping(parsed)


def from_mapping(given: Mapping[str, Any]) -> Configuration:
    """The configuration in a mapping, as a TOML file has it: ``command``, ``base``, ``grid`` and ``zip``.

    Raises:
        ValueError: naming the key, what was expected and what stands there.
    """
    for name in given:
        if name not in SECTIONS:
            raise ValueError(f"{name}: expected the keys {', '.join(SECTIONS)}, got {shown(name)}")
    if "command" not in given:
        raise ValueError("command: expected what to run, such as 'simulate', got nothing")
    command = check_command(given["command"])
    base = {
        name: checked_value(command, f"base.{name}", name, value)
        for name, value in _table(given, "base").items()
    }
    grid = tuple(read_axis(command, "grid", name, value) for name, value in _table(given, "grid").items())
    together = tuple(read_axis(command, "zip", name, value) for name, value in _table(given, "zip").items())
    _check_once(base, grid, together)
    if len({len(axis.values) for axis in together}) > 1:
        lengths = ", ".join(f"{axis.name} {len(axis.values)}" for axis in together)
        raise ValueError(f"zip: expected axes of one length, got {lengths}")
    found = Configuration(command, base, grid, together)
    if found.size > LONGEST:
        raise ValueError(f"grid: expected up to {LONGEST} points, got {found.size}")
    return found


def _table(given: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    table = given.get(section, {})
    if not isinstance(table, Mapping):
        raise ValueError(f"{section}: expected a table of options, got {shown(table)}")
    return table


def _check_once(base: Mapping[str, Any], grid: tuple[Axis, ...], together: tuple[Axis, ...]) -> None:
    """No option in two places."""
    seen = dict.fromkeys(base, "base")
    for section, axes in (("grid", grid), ("zip", together)):
        for axis in axes:
            if axis.name in seen:
                raise ValueError(
                    f"{section}.{axis.name}: expected it in one table, got it in [{seen[axis.name]}] too"
                )
            seen[axis.name] = section
