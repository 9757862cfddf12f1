"""Problems, flows, runs and verdicts show themselves in a few lines, and in notebooks as tables that are escaped."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import luckproof as lp
from luckproof import (
    EmpiricalMeasure,
    Flow,
    ProjectedFlow,
    TeacherStudent,
    check,
    compare,
    integrate,
    teachers,
)
from tests.fuzz import calls

SCREEN = (12, 120)
"""Lines, and characters of one."""


def problem(batch: tuple[int, ...] = ()) -> TeacherStudent:
    return TeacherStudent.at_angle(teachers.orthonormal(50, 40, 0, batch), 0.3, 0)


@pytest.fixture(scope="module")
def verdict():
    return check("luckmatters.lemma6.printed", budget="quick", device="cpu")


def test_problems_and_flows_tell_sizes_and_law() -> None:
    """In one line; an ensemble by its shape."""
    assert repr(problem()) == "TeacherStudent(d=50, m=40, n=40, c=1, IsotropicGaussian(dim=50, std=1.0))"
    assert repr(problem((3, 2))).endswith(", ensemble (3, 2))")
    assert repr(ProjectedFlow(problem())) == f"ProjectedFlow({problem()!r})"
    assert repr(calls.Decay()) == "Decay(x (3,))"


def test_a_flow_that_is_not_what_it_must_be_still_shows_itself() -> None:
    """What is wrong with it is told when it is integrated."""

    class Unfinished(Flow):
        @property
        def initial_arrays(self):
            raise RuntimeError("not yet")

        def __call__(self, t, y):
            return -y

    assert repr(Unfinished()) == "Unfinished(...)"


def test_everything_fits(verdict) -> None:
    """On a screen of a terminal, whatever its arrays are."""
    samples = EmpiricalMeasure(np.random.default_rng(0).standard_normal((1000, 50)))
    small = TeacherStudent.at_angle(teachers.orthonormal(3, 2, 0), 0.3, 0)
    found = compare(ProjectedFlow, small, lr=0.1, batch_size=8, steps=20, networks=3, device="cpu")
    shown = [
        problem((100,)),
        TeacherStudent.at_angle(teachers.orthonormal(50, 3, 0), 0.3, 0, measure=samples),
        integrate(ProjectedFlow(small), (0.0, 1.0)),
        calls.deep_problem(),
        found,
        verdict,
        verdict.statement,
    ]
    for value in shown:
        lines = repr(value).splitlines()
        assert len(lines) <= SCREEN[0]
        assert max(map(len, lines)) <= SCREEN[1] or len(lines) == 1, lines
        assert len(repr(value)) <= SCREEN[0] * SCREEN[1]


def test_a_verdict_says_what_it_rests_on(verdict) -> None:
    """Name, outcome, claim, place, strength, both sides, controls."""
    text = repr(verdict)
    assert text.startswith("Verdict on luckmatters.lemma6.printed\n")
    for part in ("outcome: refuted (as expected)", "place: ", "judged: ", "counterexample: ", "controls: "):
        assert part in text


def test_notebooks_get_tables_that_are_escaped(verdict) -> None:
    """Words of a statement of someone else's are words, no markup."""
    odd = dataclasses.replace(verdict.statement, title="<script>alert(1)</script>", claim="a < b & c")
    shown = dataclasses.replace(verdict, statement=odd)._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "a &lt; b &amp; c" in shown
    assert "<table>" in shown
    run = integrate(calls.Decay(), (0.0, 1.0))
    assert "xarray" in run._repr_html_()


def test_names_are_public() -> None:
    """Control: what is shown here is what users hold."""
    assert {"TeacherStudent", "ProjectedFlow", "Verdict", "Trajectory", "Comparison"} <= set(lp.__all__)
