"""What a user's code raised is one line; where a name is not there, the one that was probably meant is proposed."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from verify.judging.told_errors import told_error


@dataclass(frozen=True)
class Pair:
    theta: float = 0.0
    dimension: int = 2


def angle_of(theta, *, degrees=False):
    return theta


CASES = {
    "Pair().tetha": r"AttributeError: 'Pair' object has no attribute 'tetha'; did you mean 'theta'\?",
    "Pair().colour": r"AttributeError: 'Pair' object has no attribute 'colour'",
    "Pair(tetha=1)": r"TypeError: Pair.* unexpected keyword argument 'tetha'; did you mean 'theta'\?",
    "angle_of(1, degree=True)": r"TypeError: .* unexpected keyword argument 'degree'; did you mean 'degrees'\?",
    "angle_off(1)": r"NameError: name 'angle_off' is not defined; did you mean 'angle_of'\?",
    "xy": r"NameError: name 'xy' is not defined",
    "exec('from math import squrt')": r"ImportError: cannot import name 'squrt' from 'math'.*; did you mean 'sqrt'\?",
    "1 / 0": r"ZeroDivisionError: division by zero",
    "exec('raise ValueError')": r"ValueError",
    "exec('raise KeyError(1)')": r"KeyError: 1",
}


@pytest.mark.parametrize("code", CASES)
def test_an_error_is_one_line(code):
    """With its kind; no name is proposed that is little like the one written."""
    try:
        eval(code, globals())
    except Exception as error:
        told = told_error(error)
    assert re.fullmatch(CASES[code], told), told


def test_lines_of_an_error_become_one():
    assert told_error(ValueError("two\n   lines")) == "ValueError: two lines"
