"""In a table a name is whole on one line: columns go and titles are cut, elsewhere than on a terminal nothing is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.command.list_statements import COLUMNS
from verify.command.main import run
from verify.command.tables import VERDICTS, lines_of
from verify.judging import registry

NAMES = list(registry.catalogue())
ROWS = [
    (name, "not observed", "500 evaluations", "A title of some length, longer than most") for name in NAMES
]


def joined(width, rows=ROWS, columns=COLUMNS):
    return lines_of(columns, rows, width)


@given(width=st.integers(40, 200))
def test_names_and_outcomes_are_whole_at_any_width(width):
    """One line a statement, within the terminal wherever name and outcome fit it."""
    lines = joined(width)
    assert len(lines) == len(ROWS) + 1
    for name, line in zip(NAMES, lines[1:], strict=True):
        assert line.split()[0] == name
        assert "not observed" in line
    longest = max(map(len, NAMES)) + len(" not observed")
    assert max(map(len, lines)) <= max(width, longest)


def test_eighty_columns_hold_every_statement():
    """The longest name of the registry and its outcome fit."""
    assert max(map(len, joined(80))) <= 80


def test_elsewhere_than_on_a_terminal_nothing_is_left_out():
    """Every column, every title whole."""
    assert all(line.endswith("A title of some length, longer than most") for line in joined(None)[1:])


def test_columns_go_in_order_and_titles_are_cut_last():
    """The attack goes first, then the title is cut, then it goes as well."""
    row = [("a.b", "holds", "500 evaluations", "x" * 60)]
    assert "evaluations" in joined(100, row)[1]
    assert joined(60, row)[1].endswith("…")
    assert joined(20, row)[1] == "a.b        holds"
    verdict = [("a.b", "holds", "9/9", "9 instances, more or less", "500 evaluations", "1.0 s")]
    assert joined(40, verdict, VERDICTS)[1].split() == ["a.b", "holds", "9/9", "1.0", "s"]


def test_a_list_is_given_as_json(tmp_path, capsys):
    """To a file or to standard output, with the attack."""
    assert run(["list", "luckmatters.theorem4.printed", "--json", "-"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert (entry["name"], entry["expected"], entry["attack"]) == (
        "luckmatters.theorem4.printed",
        "refuted",
        0,
    )
    assert run(["list", "--json", str(tmp_path / "all.json")]) == 0
    assert [entry["name"] for entry in json.loads((tmp_path / "all.json").read_text())] == NAMES
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]] == NAMES
    assert run(["list", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(NAMES)


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (
            "theorem4",
            "'theorem4' is a statement of several papers; name luckmatters.theorem4 or specialization",
        ),
        ("theorm4", "did you mean luckmatters.theorem4, specialization.theorem4"),
        ("Theorem 5", "did you mean luckmatters.theorem5, specialization.theorem5?"),
        ("basin", "did you mean luckmatters.theorem4.basin"),
        ("no such thing at all", "luckproof list shows them"),
    ],
)
def test_near_misses_are_near(key, told, capsys):
    """A part of a name, a slip of the pen, words; nothing far-fetched."""
    assert run(["list", key]) == 2
    assert told in capsys.readouterr().err


def test_a_key_of_one_paper_needs_no_paper(capsys):
    """All its forms, or one of them."""
    assert run(["list", "lemma7.reading"]) == 0
    shown = capsys.readouterr().out
    assert "luckmatters.lemma7.reading" in shown
    assert len(shown.splitlines()) == 2
