"""A file with two statements of one's own, and what it imports from beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

SOUND = '''
from dataclasses import dataclass

import hypothesis.strategies as st
from beside import power_of
from luckproof import Evidence, Instance, Item, Source, drawn, integers

CLAIM = Item("mine.powers", Source("My note", "Proposition 1"))


@dataclass(frozen=True)
class Number(Instance):
    n: int = drawn(1, st.integers(1, 100), integers(1))


@CLAIM.claim("corrected", expected="holds", on=Number, compares=("n", "≤", "its power"))
def grows(number, context, *, power: int = 2):
    """Powers are not smaller

    n ≤ n²
    """
    return Evidence.at_most(float(number.n), bound=power_of(number.n, power), tolerance=0.0)


grows.rejects("its root", Number(n=2), power=-1)


@CLAIM.claim("printed", expected="refuted", on=Number)
def shrinks(number, context):
    """Powers stay below fifty

    n² ≤ 50
    """
    return Evidence.at_most(power_of(number.n, 2), bound=50.0, tolerance=0.0)


shrinks.accepts("seven", Number(n=7))
shrinks.rejects("eight", Number(n=8))


@shrinks.confirmed_precisely(digits=0)
def in_integers(number):
    return Evidence.at_most(number.n * number.n, bound=50, tolerance=0.0)
'''
BESIDE = "def power_of(n, power):\n    return float(n) ** power\n"


def placed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``folder`` with the file and what it imports, outside this project; the current one from now on."""
    (folder / "mytheorem.py").write_text(SOUND, encoding="utf-8")
    (folder / "beside.py").write_text(BESIDE, encoding="utf-8")
    monkeypatch.chdir(folder)
    return folder
