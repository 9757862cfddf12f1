"""Ball arithmetic sets python-flint's precision for the time of a call: what others compute keeps theirs."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

flint = pytest.importorskip("flint")

from dynamics.basins.balls import PRECISION, in_balls  # noqa: E402
from luckproof import TeacherStudent, basin, teachers  # noqa: E402

MODULES = (
    "balls basin expansion solution spurious third_derivative two_layer.local"
    " recipe.pair_lemma recipe.pair_table recipe.spread recipe.sweep"
)


def test_importing_leaves_it():
    """After every module of the basins is imported the precision is python-flint's own."""
    code = (
        "import importlib, flint; before = flint.ctx.prec\n"
        f"for name in {MODULES.split()}: importlib.import_module('dynamics.basins.' + name)\n"
        "assert flint.ctx.prec == before, flint.ctx.prec"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("precision", [53, 200])
def test_calls_leave_it(precision):
    """A basin, its rate and a failing call end at the precision that they found."""
    W = teachers.random_unit(5, 2, 0)
    with flint.ctx.workprec(precision):
        found = basin(TeacherStudent(W, W))
        assert flint.ctx.prec == precision
        assert found.rate(found.radius / 2) > 0
        assert flint.ctx.prec == precision
        with pytest.raises(ValueError, match="different lines"):
            basin(TeacherStudent(W[:, [0, 0]], W))
        assert flint.ctx.prec == precision


@pytest.mark.parametrize("precision", [53, 200])
def test_results_do_not_depend_on_it(precision):
    """Radius and rate are those at the basins' own precision, whatever the caller's."""
    W = teachers.random_unit(5, 2, 0)
    expected = basin(TeacherStudent(W, W))
    with flint.ctx.workprec(precision):
        found = basin(TeacherStudent(W, W))
    assert (found.radius, found.rate(0.0)) == (expected.radius, expected.rate(0.0))
    assert np.isfinite(found.radius)


def test_inside_it_is_the_basins_own():
    """The decorator does set it, also where calls nest."""

    @in_balls
    def nested(depth: int) -> list[int]:
        return [flint.ctx.prec, *(nested(depth - 1) if depth else [])]

    assert nested(2) == [PRECISION] * 3
