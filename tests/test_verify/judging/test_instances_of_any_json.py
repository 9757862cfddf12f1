"""``--instance`` and ``--alter`` take any JSON: an instance inside its domains, or one line that names the field."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luckproof import AnyStatement, statements
from verify.judging.instances import altered_from_json, instance_from_json

VALUES = [
    "NaN", "-Infinity", "1e400", "null", "true", '"x"', '""', '"\\ud800"', "[]", "[1]", '["x"]', "[[1]]", "[null]",
    "[NaN]", "{}", '{"a": 1}', "-1", "0", "2", "0.5", "1e308", "1" + "0" * 400, f"[1{'0' * 400}]", "1" * 5000,
    '"' + "x" * 10_000 + '"', "[" * 200 + "]" * 200,
]  # fmt: skip
"""Values that JSON, or Python's reading of it, can have in the place of a field."""


def assert_named(error: ValueError, name: str) -> None:
    words = str(error)
    assert words.startswith("instance: ")
    assert name in words
    assert "\n" not in words
    assert len(words) < 1000


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value[:12])
def test_every_field_of_every_statement_refuses_what_it_is_not(value: str) -> None:
    """What is accepted is a value of the field's own kind, and the instance was made."""
    refused = 0
    for statement in statements.values():
        for field in dataclasses.fields(statement.instance_type):
            try:
                made = instance_from_json(statement, f"{{{json.dumps(field.name)}: {value}}}")
            except ValueError as error:
                if value != "1" * 5000:  # Python reads no such number, wherever it stands
                    assert_named(error, field.name)
                refused += 1
            else:
                assert isinstance(getattr(made, field.name), type(field.default))
    assert refused > 0


def words_of(read: Callable[[AnyStatement, str], object], statement: AnyStatement, text: str) -> str:
    """What a text is refused with."""
    try:
        read(statement, text)
    except ValueError as error:
        return str(error)
    return "accepted"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(data=st.data())
def test_whole_instances_of_drawn_json(data: st.DataObject) -> None:
    """Objects with known and unknown fields, and what is no object at all."""
    statement = data.draw(st.sampled_from(list(statements.values())))
    names = [field.name for field in dataclasses.fields(statement.instance_type)] or ["none"]
    value = data.draw(JSON | st.dictionaries(st.sampled_from(names) | st.text(max_size=3), JSON, max_size=4))
    for read in (instance_from_json, altered_from_json):
        words = words_of(read, statement, json.dumps(value))
        assert words.startswith(("instance: ", "alter: ", "accepted"))
        assert "\n" not in words


@pytest.mark.parametrize("text", ["", "{", "nul", "[1, 2]", "3", '{"a": }', "\x00", "[" * 100_000, "{}{}"])
def test_what_is_no_object_is_said_shortly(text: str) -> None:
    """In a line, however long it was."""
    statement = next(iter(statements.values()))
    with pytest.raises(ValueError, match=r"^instance: expected a JSON object, got") as caught:
        instance_from_json(statement, text)
    assert len(str(caught.value)) < 700
