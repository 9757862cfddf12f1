"""Names, keys and patterns select statements; incomplete or clashing ones are refused."""

from __future__ import annotations

import dataclasses
from types import ModuleType

import pytest

import verify
from luckproof import Form, Outcome, Source
from tests.test_verify.judging.toy_statements import ALL, HOLDS, REFUTED
from verify.judging import collecting, registry


def module_of(**members) -> ModuleType:
    module = ModuleType("toy")
    vars(module).update(members)
    return module


@pytest.fixture
def toys(monkeypatch):
    collected = registry.collect([module_of(STATEMENTS=ALL)])
    monkeypatch.setattr(registry, "registered", lambda: collected)
    monkeypatch.setattr(registry, "catalogued", lambda: None)
    return verify.statements


def names(statements):
    return [statement.name for statement in statements]


def test_collection_is_read_only_and_in_reading_order(toys):
    """Keys in natural order, forms as printed, corrected, sharp; single statements and tuples alike."""
    assert list(toys) == [
        "toy.bound.printed",
        "toy.bound.sharp",
        "toy.never.corrected",
        "toy.squares.corrected",
    ]
    with pytest.raises(TypeError):
        toys["toy.more"] = HOLDS


def test_numbers_in_keys_sort_as_numbers():
    """Theorem 10 comes after Theorem 9, the first paper before the second."""
    keys = ["specialization.lemma1", "luckmatters.theorem10", "luckmatters.theorem9", "luckmatters.lemma2"]
    found = registry.collect([module_of(**{k[-6:]: dataclasses.replace(HOLDS, key=k) for k in keys})])
    assert [s.key for s in found.values()] == [keys[3], keys[2], keys[1], keys[0]]


def test_one_object_seen_twice_is_one_statement_but_a_shared_name_is_an_error():
    """Importing a statement from a sibling is fine; defining the name again is not."""
    assert list(registry.collect([module_of(A=HOLDS), module_of(A=HOLDS)])) == [HOLDS.name]
    with pytest.raises(ValueError, match=r"toy\.squares\.corrected is defined twice"):
        registry.collect([module_of(A=HOLDS, B=dataclasses.replace(HOLDS, title="Again"))])


@pytest.mark.parametrize(
    ("pattern", "selected"),
    [
        ("toy.bound.sharp", ["toy.bound.sharp"]),
        ("toy.bound", ["toy.bound.printed", "toy.bound.sharp"]),
        ("toy.*.corrected", ["toy.never.corrected", "toy.squares.corrected"]),
        ("toy", [s.name for s in ALL]),
    ],
)
def test_pattern_selects_name_key_prefix_or_glob(toys, pattern, selected):
    """The four ways to name statements."""
    assert names(registry.select([pattern])) == selected


def test_no_pattern_selects_all_and_a_form_narrows(toys):
    """An empty selection means every statement; overlapping patterns give each statement once."""
    assert names(registry.select()) == list(toys)
    assert names(registry.select(["toy"], form="printed")) == ["toy.bound.printed"]
    assert len(registry.select(["toy.bound", "toy.bound.sharp"])) == 2


def test_unknown_names_are_refused_with_the_nearest(toys):
    """A slip of the pen gets a suggestion; half a word is not a prefix."""
    with pytest.raises(ValueError, match=r"'toy\.bund'; did you mean toy\.bound"):
        registry.select(["toy.bund"])
    with pytest.raises(ValueError, match=r"did you mean toy\.never"):
        registry.select(["Toy.Never"])
    with pytest.raises(ValueError, match="luckproof list"):
        registry.select(["zzz"])
    with pytest.raises(ValueError, match="form: expected one of printed"):
        registry.select(["toy"], form="wrong")
    with pytest.raises(ValueError, match="form: no statement among toy"):
        registry.select(["toy.never"], form="sharp")


def test_check_wants_one_statement(toys):
    """A key with several forms lists them; with ``form``, or with a single form, it is judged."""
    with pytest.raises(ValueError, match=r"toy\.bound\.printed, toy\.bound\.sharp"):
        verify.check("toy.bound", device="cpu")
    assert verify.check("toy.bound", device="cpu", form="printed").outcome is Outcome.REFUTED
    assert verify.check("toy.squares", device="cpu").outcome is Outcome.HOLDS
    assert names(v.statement for v in verify.check_all(["toy.bound"], device="cpu")) == [
        "toy.bound.printed",
        "toy.bound.sharp",
    ]


@pytest.mark.parametrize(
    ("lacking", "named"),
    [
        ({"key": "Theorem 4"}, "key"),
        ({"title": " "}, "title"),
        ({"claim": ""}, "claim"),
        ({"source": Source("", "1")}, "source"),
        ({"controls": ()}, "control"),
        ({"controls": HOLDS.controls * 2}, "distinct control names"),
        ({"instances": None, "examples": ()}, "instances or examples"),
        ({"confirm": None}, "confirm"),
    ],
)
def test_incomplete_statement_is_refused(lacking, named):
    """Everything a verdict rests on is there before the first run."""
    with pytest.raises(ValueError, match=named):
        collecting.validate(dataclasses.replace(REFUTED, **lacking))


def test_forms_are_those_of_the_protocol():
    """The order of forms is the order of the report."""
    assert list(Form) == ["printed", "reading", "necessity", "corrected", "sharp"]
