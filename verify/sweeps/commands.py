"""What a sweep can run: a command's options by name, made into the run that they describe."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dynamics.deep.simulation import DeepSimulation
from dynamics.ode.run_options import RunOptions
from dynamics.options import OptionField, option_fields
from dynamics.two_layer.problem_options import FlowName
from dynamics.two_layer.simulation import TwoLayerSimulation
from dynamics.validation import one_of, shown
from nets.two_layer.training_options import TwoLayerTraining

DEEP = "deep"
"""The flow of deep networks, beside the two-layer ones by name."""

LONGEST = 63
"""Bits of a whole number."""

Options = Mapping[str, Any]


class _Planned(RunOptions):
    """A run that is talked about and not made here: this machine's memory does not matter."""

    def check_memory(self) -> None:
        """Left to the machine that runs it."""


class _PlannedTwoLayers(_Planned, TwoLayerSimulation):
    pass


class _PlannedDeep(_Planned, DeepSimulation):
    pass


class _PlannedTraining(_Planned, TwoLayerTraining):
    pass


@dataclass(frozen=True)
class SweptCommand:
    """A command at the points of a sweep.

    Attributes:
        name: as on the command line.
        kinds: the dataclass of its options for a two-layer flow and, where it has one, for the deep flow; each with
            the one that stands for it where a run is only planned.
        shortest: options that make any run short: what is imported at the first one is paid then.
        packages: whose source decides about the numbers.
        loaded_first: modules whose threads must be there before a run is held to one.
    """

    name: str
    kinds: tuple[tuple[type[RunOptions], type[RunOptions]], ...]
    shortest: Options
    packages: tuple[str, ...]
    loaded_first: tuple[str, ...] = ()

    @property
    def flows(self) -> list[str]:
        """The names that ``flow`` takes."""
        return [*FlowName, DEEP] if len(self.kinds) > 1 else [*FlowName]

    @functools.cached_property
    def fields(self) -> dict[str, OptionField]:
        """Every option of any kind but ``flow``, by name."""
        fields = {name: field for kind, _ in reversed(self.kinds) for name, field in fields_of(kind).items()}
        del fields["flow"]
        return fields


COMMANDS = {
    command.name: command
    for command in (
        SweptCommand(
            "simulate",
            ((TwoLayerSimulation, _PlannedTwoLayers), (DeepSimulation, _PlannedDeep)),
            {"t_end": 1e-6},
            ("dynamics",),
        ),
        SweptCommand(
            "train",
            ((TwoLayerTraining, _PlannedTraining),),
            {"steps": 1},
            ("dynamics", "nets"),
            loaded_first=("torch",),
        ),
    )
}
"""The commands that a sweep can run, by name."""


def check_command(value: Any) -> str:
    """``value`` where it names a command that a sweep can run; raises ValueError otherwise."""
    return one_of("command", value, list(COMMANDS))


@functools.cache
def fields_of(kind: type[RunOptions]) -> dict[str, OptionField]:
    """The options of one kind; looked up once, as a sweep reads them at every point."""
    return option_fields(kind)


def words_of(command: str, name: str) -> dict[str, str]:
    """What an option is, as the ``long_name`` of an axis: its help without the sentence about its default."""
    fields = COMMANDS[command].fields
    words = fields[name].words.partition(" (")[0].rstrip(".") if name in fields else ""
    return {"long_name": words} if words else {}


def checked_value(command: str, key: str, name: str, given: Any) -> Any:
    """One value of the option ``name``, in the option's own type.

    Args:
        command: whose option it is.
        key: where it stands in the configuration, for error messages (``base.d``).
        name: of the option.
        given: what stands there.
    Raises:
        ValueError: naming ``key``: no such option, or a value of another kind.
    """
    swept = COMMANDS[command]
    if name == "flow":
        return one_of(key, given, swept.flows)
    if name not in swept.fields:
        raise ValueError(
            f"{key}: expected an option of {command} (flow, {', '.join(swept.fields)}), got {shown(name)}"
        )
    return _of_kind(key, given, swept.fields[name])


def _of_kind(key: str, given: Any, field: OptionField) -> Any:
    if field.many:
        if isinstance(given, str):
            return field.read(given, key)
        if isinstance(given, list | tuple) and given:
            return tuple(_item(key, one, field, given) for one in given)
        raise ValueError(f"{key}: expected {field.expected}, got {shown(given)}")
    return _item(key, given, field, given)


def _item(key: str, one: Any, field: OptionField, given: Any) -> Any:
    """One text or number, held to the option's kind; a whole float is a whole number."""
    if issubclass(field.item, str):
        if isinstance(one, str):
            return field.read(one, key) if not field.many else field.item(one)
    elif isinstance(one, int) and one.bit_length() > LONGEST:
        raise ValueError(
            f"{key}: expected numbers of up to {LONGEST} bits, got one of {one.bit_length()} bits"
        )
    elif isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one):
        if field.item is float:
            return float(one)
        if float(one).is_integer():
            return int(one)
    raise ValueError(f"{key}: expected {field.expected}, got {shown(given)}")


def run_options_of(command: str, options: Options, *, planned: bool = False) -> RunOptions:
    """The run that ``options`` describe, ``flow`` among them or left at its default.

    ``planned``: it will run on another machine, or has run already; whether it fits this one's memory is not asked.

    Raises:
        ValueError: naming the option: it does not belong to the flow, or does not go with the others.
        TypeError: a value of another type than the option's.
    """
    given = dict(options)
    deep = given.get("flow") == DEEP
    kind = COMMANDS[command].kinds[deep][planned]
    if deep:
        del given["flow"]
    elif "flow" in given:
        given["flow"] = FlowName(given["flow"])
    fields = fields_of(kind)
    for name in given:
        if name not in fields:
            raise ValueError(
                f"{name}: {'the deep flow has no such option' if deep else 'only the deep flow has it'}"
            )
    made = {name: _made(value, fields[name]) for name, value in given.items()}
    return kind(**made)


def _made(value: Any, field: OptionField) -> Any:
    """``value`` as the dataclass has it: names of choices and tuples, which JSON knows as texts and lists."""
    if isinstance(value, list):
        return tuple(value)
    return field.item(value) if issubclass(field.item, StrEnum) and isinstance(value, str) else value


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, StrEnum) else value


def resolved(run: RunOptions) -> dict[str, Any]:
    """Every option of ``run`` with its value, the defaults too, as plain data that :func:`run_options_of` takes.

    Options at None are left out: they stand for what the others imply.
    """
    found: dict[str, Any] = {"flow": DEEP} if isinstance(run, DeepSimulation) else {}
    for name, value in vars(run).items():
        if value is not None:
            found[name] = _plain(value)
    return found
