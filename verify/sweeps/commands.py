"""What a sweep can run: a command's options by name, made into the run that they describe."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from dynamics.deep.simulation import DeepSimulation
from dynamics.ode.simulation import Simulation
from dynamics.options import OptionField, option_fields
from dynamics.two_layer.problem_options import FlowName
from dynamics.two_layer.simulation import TwoLayerSimulation
from dynamics.validation import one_of

COMMANDS = ("simulate",)
"""The commands that a sweep can run."""

DEEP = "deep"
"""The flow of deep networks, beside the two-layer ones by name."""

Options = Mapping[str, Any]


def check_command(value: Any) -> str:
    """``value`` where it names a command that a sweep can run; raises ValueError otherwise."""
    if value == "train":
        raise ValueError(
            "command: expected 'simulate' (training has no options that could be swept yet), got 'train'"
        )
    return one_of("command", value, COMMANDS)


@functools.cache
def _fields_of(kind: type[Simulation]) -> dict[str, OptionField]:
    """The options of one kind; looked up once, as a sweep reads them at every point."""
    return option_fields(kind)


def known_fields() -> dict[str, OptionField]:
    """Every option of any kind of simulation but ``flow``, by name."""
    fields = {**_fields_of(DeepSimulation), **_fields_of(TwoLayerSimulation)}
    del fields["flow"]
    return fields


def checked_value(key: str, name: str, given: Any) -> Any:
    """One value of the option ``name``, in the option's own type.

    Args:
        key: where it stands in the configuration, for error messages (``base.d``).
        name: of the option.
        given: what stands there.
    Raises:
        ValueError: naming ``key``: no such option, or a value of another kind.
    """
    if name == "flow":
        return one_of(key, given, [*FlowName, DEEP])
    fields = known_fields()
    if name not in fields:
        raise ValueError(f"{key}: expected an option of simulate (flow, {', '.join(fields)}), got {name!r}")
    return _of_kind(key, given, fields[name])


def _of_kind(key: str, given: Any, field: OptionField) -> Any:
    if field.many:
        if isinstance(given, str):
            return field.read(given, key)
        if isinstance(given, list | tuple) and given:
            return tuple(_item(key, one, field, given) for one in given)
        raise ValueError(f"{key}: expected {field.expected}, got {given!r}")
    return _item(key, given, field, given)


def _item(key: str, one: Any, field: OptionField, given: Any) -> Any:
    """One text or number, held to the option's kind; a whole float is a whole number."""
    if issubclass(field.item, str):
        if isinstance(one, str):
            return field.read(one, key) if not field.many else field.item(one)
    elif isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one):
        if field.item is float:
            return float(one)
        if float(one).is_integer():
            return int(one)
    raise ValueError(f"{key}: expected {field.expected}, got {given!r}")


class _Planned(Simulation):
    """A simulation that is talked about and not run here: this machine's memory does not matter."""

    def check_memory(self) -> None:
        """Left to the machine that runs it."""


class _PlannedTwoLayers(_Planned, TwoLayerSimulation):
    pass


class _PlannedDeep(_Planned, DeepSimulation):
    pass


def simulation_of(options: Options, *, planned: bool = False) -> Simulation:
    """The simulation that ``options`` describe, ``flow`` among them or left at its default.

    ``planned``: it will run on another machine, or has run already; whether it fits this one's memory is not asked.

    Raises:
        ValueError: naming the option: it does not belong to the flow, or does not go with the others.
        TypeError: a value of another type than the option's.
    """
    given = dict(options)
    deep = given.get("flow") == DEEP
    kinds = (_PlannedTwoLayers, _PlannedDeep) if planned else (TwoLayerSimulation, DeepSimulation)
    kind: type[Simulation] = kinds[deep]
    if deep:
        del given["flow"]
    elif "flow" in given:
        given["flow"] = FlowName(given["flow"])
    fields = _fields_of(kind)
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


def resolved(simulation: Simulation) -> dict[str, Any]:
    """Every option of ``simulation`` with its value, the defaults too, as plain data that :func:`simulation_of` takes.

    Options at None are left out: they stand for what the others imply.
    """
    found: dict[str, Any] = {"flow": DEEP} if isinstance(simulation, DeepSimulation) else {}
    for name, value in vars(simulation).items():
        if value is not None:
            found[name] = _plain(value)
    return found
