"""An option of ``simulate`` and a setting of ``figure`` are written once: as the field of a dataclass."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Annotated

import pytest
import typer

from dynamics.deep.simulation import DeepSimulation
from dynamics.options import option, option_fields
from dynamics.two_layer.problem_options import TeacherName
from dynamics.two_layer.simulation import TwoLayerSimulation
from nets.two_layer.training_options import TwoLayerTraining
from verify.command.generated_options import from_options, naming_options, with_options
from verify.figures import figures


@dataclasses.dataclass(frozen=True)
class Shape:
    """Options of two kinds and a plain field."""

    sides: int = option(4, "Number of sides.")
    teacher: TeacherName = option(TeacherName.RANDOM, "Kind of teacher.")
    lengths: tuple[float, ...] = option((1.0, 0.5), "Their lengths.", separator="/")
    plain: float | None = None


@dataclasses.dataclass(frozen=True)
class Solid:
    """Shares a field with :class:`Shape` and has one of its own."""

    sides: int = option(6, "Number of faces.")
    volume: float = option(2.0, "What it holds.")


def command(options: dict, name: Annotated[str, typer.Option(help="A name.")] = "a") -> None:
    """Some command."""
    raise RuntimeError(name, options)


def test_options_are_made_from_the_fields():
    """Flags, types, words, choices and defaults; a shared field is one option, without the default they differ in."""
    made = inspect.signature(with_options(command, {"shape": Shape, "solid": Solid}, leave=())).parameters
    assert list(made) == ["name", "sides", "teacher", "lengths", "plain", "volume"]
    shown = {name: one.annotation.__metadata__[0] for name, one in made.items()}
    assert shown["sides"].help == "Number of sides."
    assert shown["teacher"].help == "Kind of teacher: orthonormal, random, separated (default random)."
    assert shown["lengths"].help == "Their lengths (default 1/0.5)."
    assert shown["volume"].help == "Solid: what it holds (default 2)."
    assert made["sides"].annotation.__origin__ == int | None
    assert made["lengths"].annotation.__origin__ == str | None
    with pytest.raises(RuntimeError) as told:
        with_options(command, {"shape": Shape}, leave=("plain",))(
            name="b", sides=3, teacher=None, lengths=None
        )
    assert told.value.args == ("b", {"sides": 3, "teacher": None, "lengths": None})


def test_errors_name_the_option_and_not_the_field():
    """Only where the message begins with a field; others are left as they are."""
    for told, seen in [("p_W: expected", "--p-w: expected"), ("other: bad", "other: bad"), ("flat", "flat")]:
        with pytest.raises(ValueError, match=f"^{seen}$"), naming_options(TwoLayerSimulation):
            raise ValueError(told)


def test_options_become_the_dataclass():
    """Texts are read by the field's type; an option of another kind or a text that fits no field is refused."""
    given = {"sides": 3, "teacher": "separated", "lengths": "2/3", "plain": None}
    assert from_options(Shape, given, "no") == Shape(3, TeacherName.SEPARATED, (2.0, 3.0))
    with pytest.raises(ValueError, match=r"^--volume: only solids have it$"):
        from_options(Shape, {"volume": 1.0}, "only solids have it")
    with pytest.raises(
        ValueError, match=r"^--teacher: expected one of orthonormal, random, separated, got 'x'$"
    ):
        from_options(Shape, {"teacher": "x"}, "no")
    with pytest.raises(ValueError, match=r"^--lengths: expected numbers such as 1/0\.5, got '1/x'$"):
        from_options(Shape, {"lengths": "1/x"}, "no")


@pytest.mark.parametrize("kind", [TwoLayerSimulation, DeepSimulation, TwoLayerTraining])
def test_every_option_of_a_simulation_says_what_it_is(kind):
    """Words for the help page, a type that text can give, and a default that is read as itself."""
    for field in option_fields(kind).values():
        assert field.words.endswith("."), field
        if field.default is not None:
            assert field.read(field.written(field.default)) == field.default


@pytest.mark.parametrize("name", list(figures()))
def test_every_setting_of_a_figure_can_be_given_as_text(name):
    """For both budgets: the text that the page of figures shows is read as the setting."""
    for settings in figures()[name].settings.values():
        for field in option_fields(type(settings)).values():
            value = getattr(settings, field.name)
            assert field.read(field.written(value)) == value


def test_a_field_that_no_text_gives_is_refused():
    """When the options are made, not when one is given."""

    @dataclasses.dataclass
    class Odd:
        mapping: dict[str, int] = dataclasses.field(default_factory=dict)

    with pytest.raises(TypeError, match=r"^mapping: expected a field of numbers, texts or names"):
        option_fields(Odd)
