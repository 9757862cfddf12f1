"""Every command line ends with a code of one meaning, and where it is refused with one line of reason and no file.

Each of :data:`~tests.fuzz.command_lines.LINES` is right; one or two of the command's options are added with any text as
their value. Options are read off the command itself, so that a new one is drawn too.

On record: 2026-11-27, 336 lines while this was written, one fault (a text of 3,000 characters told whole). The
deep run, some 1,400 lines, has not been made.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz import command_lines
from tests.fuzz.command_lines import LINES, NOT_DRAWN, SLOW, line_came_out, odd_words, options, registered

ORDINARY, DEEP, DEEP_OF_SLOW = 3, 150, 20
"""Lines of one command."""


def fuzz(command: str, lines: int) -> None:
    """Draw so many lines of one command, and fail with the smallest that is a fault."""

    @settings(max_examples=lines, suppress_health_check=[HealthCheck.too_slow])
    @given(odd=odd_words(command))
    def ends_in_order(odd: Sequence[str]) -> None:
        fault = line_came_out(command, odd)
        assert fault is None, f"{command} {odd!r}: {fault}"

    ends_in_order()


def test_every_command_and_option_is_drawn() -> None:
    """No command is left out, and none that is gone is listed."""
    assert set(LINES) == registered()
    assert all(options(command) for command in LINES)
    assert "--t-end" in {option.name for option in options("simulate")}
    assert not set(NOT_DRAWN) & {option.name for command in LINES for option in options(command)}


@pytest.mark.parametrize("command", [command for command in LINES if command not in SLOW])
def test_the_lines_are_right_as_they_are(command: str) -> None:
    """Control: with nothing added each is done, or refused by name where its file is not there."""
    assert line_came_out(command, []) is None


@pytest.mark.parametrize("command", [command for command in LINES if command not in SLOW])
def test_odd_words_end_in_order(command: str) -> None:
    """A few lines of every command that is quick."""
    fuzz(command, ORDINARY)


@pytest.mark.deep
@pytest.mark.parametrize("command", LINES)
def test_many_odd_words_end_in_order(command: str) -> None:
    """Some 1,400 lines over all commands."""
    fuzz(command, DEEP_OF_SLOW if command in SLOW else DEEP)


@pytest.mark.parametrize(
    ("command", "odd"),
    [
        ("list", ["--form", "a" * 3000]),
        ("bn-bias", ["\udcff"]),
        ("simulate", ["--theta0", "nan"]),
        ("train", ["--lr", "1e308"]),
        ("simulate", ["--out", "../x", "--instances", "0"]),
    ],
)
def test_what_was_found_stays_mended(command: str, odd: Sequence[str]) -> None:
    """Texts without end, halves of characters, numbers that are none; and what was right from the first."""
    assert line_came_out(command, odd) is None


def writes(words: Sequence[str]) -> int:
    with open("x.json", "w") as file:
        file.write("{")
    print("luckproof: --out: full", file=sys.stderr)
    return 2


def says(code: int, told: str, out: str = "") -> Callable[[Sequence[str]], int]:
    def run(words: Sequence[str]) -> int:
        print(told, file=sys.stderr)
        print(out, end="")
        return code

    return run


def crashes(words: Sequence[str]) -> int:
    raise KeyError("x")


@pytest.mark.parametrize(
    ("run", "kind"),
    [
        (says(4, "luckproof: something of ours broke"), "something of ours broke"),
        (says(7, "luckproof: --x: no"), "an exit code of no meaning"),
        (says(2, "luckproof: --x: no\nsecond line"), "not one line of reason"),
        (says(2, "luckproof: no"), "option not named"),
        (says(2, "luckproof: --x: no", out="1"), "output of what was refused"),
        (says(0, "Traceback (most recent call last)"), "a traceback or a warning"),
        (says(0, "x" * 3000), "an error without end"),
        (writes, "partial file"),
        (crashes, "KeyError"),
    ],
)
def test_the_judge_sees_each_kind_of_fault(
    run: Callable[[Sequence[str]], int], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: commands that do what must not be done."""
    monkeypatch.setattr(command_lines, "run", run)
    fault = line_came_out("list", [])
    assert fault is not None
    assert fault.kind == kind
