"""The bar says what runs and about how long it takes still: never a time below zero, and nothing outside a terminal."""

from __future__ import annotations

import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamics.ode.progress_bar import LONGEST, Bar, in_words, progress_bar, time_left


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("done", "seconds", "told"),
    [
        (0.5, 10.0, "about 10 s left"),
        (0.25, 60.0, "about 3 min left"),
        (0.1, 3600.0, "about 9 h 0 min left"),
        (0.01, 3600.0, "about 4 d 3 h left"),
        (0.999, 10.0, "about 1 s left"),
        (0.0, 10.0, ""),
        (0.5, 0.5, ""),
        (1.0, 10.0, ""),
    ],
)
def test_the_time_left_is_that_of_the_pace_so_far(done: float, seconds: float, told: str) -> None:
    """Nothing is said before there is a pace, and nothing at the end."""
    assert time_left(done, seconds) == told


@given(st.floats(allow_nan=True), st.floats(allow_nan=True))
def test_the_time_left_is_never_nonsense(done: float, seconds: float) -> None:
    """Whatever comes: empty, or a time above zero and below the longest."""
    told = time_left(done, seconds)
    assert "-" not in told
    assert "nan" not in told
    assert "inf" not in told
    if told:
        assert 0.0 < seconds * (1 - done) / done <= LONGEST


@given(st.floats(0.0, LONGEST))
def test_times_in_words_have_at_most_two_units(seconds: float) -> None:
    """The number says the time to within its smallest unit."""
    units = {"s": 1, "min": 60, "h": 3600, "d": 86400}
    numbers, names = in_words(seconds).split()[::2], in_words(seconds).split()[1::2]
    assert 1 <= len(names) <= 2
    meant = sum(int(number) * units[name] for number, name in zip(numbers, names, strict=True))
    assert math.isclose(meant, seconds, abs_tol=units[names[-1]] * 1.01)


def test_a_share_never_falls_and_never_passes_one() -> None:
    """Whatever a run reports; what was done before the bar began counts for no pace."""
    bar = Bar()
    for share, held in ((0.4, 0.4), (0.2, 0.4), (7.0, 1.0)):
        bar(share)
        assert bar.done == held
    assert bar.left == ""
    bar = Bar(done=0.9, first=0.9)
    bar.started -= 100.0
    assert bar.left == ""
    bar(0.95)
    assert bar.left == "about 2 min left"


def test_a_terminal_gets_the_words_and_a_pipe_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs, how far, how long; no carriage return where nobody watches, nor where it is not wanted."""
    for stream, wanted, shown in (
        (Terminal(), True, True),
        (io.StringIO(), True, False),
        (Terminal(), False, False),
    ):
        monkeypatch.setattr("sys.stderr", stream)
        monkeypatch.setenv("COLUMNS", "100")
        with progress_bar("theorem [4]", wanted=wanted, at="1/3 points") as bar:
            bar.started -= 60.0
            bar(0.5)
            bar.tell(what="theorem [5]", at="2/3 points")
        told = stream.getvalue()
        for words in ("theorem [4]", "theorem [5]", "1/3 points", "2/3 points", "about 60 s left"):
            assert (words in told) is shown, (words, told)
        assert bool(told) is shown


def test_a_line_above_the_bar_is_a_line_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the line and its end goes to a pipe."""
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    with progress_bar("x") as bar:
        bar.above("[a]: holds")
    assert stream.getvalue() == "[a]: holds\n"
