"""Exact margins of the statements: they are those of the claims, no float leaks into them, and false claims fail."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import math
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from luckproof import Context, make_context, statements
from verify.judging.enclosing.balls import Ball, UndecidedError
from verify.judging.enclosing.enclosure import (
    Attained,
    EnclosedOutcome,
    enclose,
    exact_margin,
    exactly,
)
from verify.judging.trials.trial import drawn_instances, evaluate

flint = pytest.importorskip("flint")

CONTEXT = make_context("quick", "cpu", 0)
WITH_MARGIN = {name: s for name, s in statements.items() if s.enclose is not None}
EVERY = pytest.mark.parametrize("statement", WITH_MARGIN.values(), ids=list(WITH_MARGIN))
DRAWN = 6
"""Instances of each statement beside its examples."""

CONSTANTS_APART = 1e-11
"""Relative: constants of the float evidence that are widened on purpose, such as the kernel bounds on caps."""

MOVED = 2
"""Instances of each statement whose fields are moved."""

COARSE, FINE = 2**-40, 2**-90
"""Relative steps of a field, above and below what a float64 resolves."""


def within_reach(statement: Any, instance: Any) -> bool:
    """Whether there is an exact margin; outside the assumptions there may be none, with an error or without."""
    try:
        return enclose(statement.enclose, instance) is not None
    except (ArithmeticError, ValueError):
        return False


@functools.cache
def judged_instances(statement: Any) -> list[tuple[Any, Any]]:
    """Instances within reach of the exact margin with their evidence, where the assumptions hold."""
    chosen = drawn_instances(statement, CONTEXT, DRAWN, seed=3)[: len(statement.examples) + DRAWN]
    within = [instance for instance in chosen if within_reach(statement, instance)]
    records = (evaluate(statement, instance, CONTEXT) for instance in within)
    return [(record.instance, record.evidence) for record in records if record.evidence is not None]


@EVERY
def test_it_takes_the_altered_arguments_of_the_evidence(statement):
    """Controls and ``--alter`` mean the same claim in floats and in balls."""
    names = [
        [p.name for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
        for function in (statement.evidence, statement.enclose)
    ]
    assert names[0] == names[1]


@EVERY
def test_its_middle_is_the_margin_in_floats(statement):
    """Of instances that are enclosed: the margin without its tolerance, to within the tolerance."""
    compared = 0
    for instance, evidence in judged_instances(statement):
        found = enclose(statement.enclose, instance)
        if found is None:
            continue
        sizes = [abs(x) for x in (evidence.predicted, evidence.measured) if math.isfinite(x)]
        room = evidence.tolerance + CONSTANTS_APART * max(sizes, default=0.0)
        exact = 0.0 if found.outcome == EnclosedOutcome.EQUAL else (found.low + found.high) / 2
        assert abs(exact - (evidence.margin - evidence.tolerance)) <= room, instance
        compared += 1
    assert compared


@EVERY
def test_a_false_claim_is_violated(statement):
    """At least one altered claim, or one instance of a refuted claim, is within reach and comes out negative."""
    own = [c for c in statement.controls if c.evidence is statement.evidence and not c.moved]
    found = [enclose(statement.enclose, c.instance, c.altered) for c in own if not c.must_hold]
    assert EnclosedOutcome.VIOLATED in [entry.outcome for entry in found if entry is not None]


# --- No float between the instance and the margin --------------------------------------------------------------------


def moved(instance: Any, name: str, step: float) -> Any:
    """The exact instance with one field times ``1 + step``."""
    twin = exactly(instance)
    object.__setattr__(twin, name, getattr(twin, name) * (1 + Ball(step)))
    return twin


def slopes_agree(
    function: Any, instance: Any, names: list[str], altered: Mapping[str, Any] | None = None
) -> list[bool]:
    """Whether the margin changes with each field at the same rate in steps that floats resolve and in ones they do not.

    A value that went through a float stands still in the finer steps. Left out are fields on which the margin does not
    depend, and margins that are zero by an argument, undecided or out of reach.
    """

    def margin_at(name: str, step: float) -> Any:
        try:
            return exact_margin(function, moved(instance, name, step), altered)
        except UndecidedError:
            return None

    agreed = []
    with flint.ctx.workprec(400):
        base = margin_at(names[0], 0.0) if names else None
        for name in names if isinstance(base, Ball) and abs(base) < 1_000_000 else ():
            coarse = (margin_at(name, COARSE) - base) / Ball(COARSE)
            if abs(coarse).arb < 1e-9:
                continue
            fine = (margin_at(name, FINE) - base) / Ball(FINE)
            agreed.append(bool(abs(coarse - fine).arb < 1e-4 * abs(coarse).arb))
    return agreed


def smooth_fields(instance: Any) -> list[str]:
    """Fields that are floats and not zero."""
    values = {f.name: getattr(instance, f.name) for f in dataclasses.fields(instance)}
    return [name for name, value in values.items() if type(value) is float and value]


DRAWN_IN_FLOATS = (
    "luckmatters.theorem1.",
    "luckmatters.theorem2.top.",
    "luckmatters.theorem5.random_initialisation.overlap.",
    "specialization.theorem1.",
    "specialization.theorem7.",
)
"""Margins of arrays that are drawn in floats (and then exact), or of integers: no field of the instance enters."""


@EVERY
def test_no_field_goes_through_a_float(statement):
    """The margin feels a change of 2⁻⁹⁰ in a field as it feels one of 2⁻⁴⁰."""
    own = [c for c in statement.controls if c.evidence is statement.evidence and not c.moved]
    claims = [(instance, {}) for instance, _ in judged_instances(statement)[:MOVED]]
    claims += [(c.instance, c.altered) for c in own if within_reach(statement, c.instance)][:MOVED]
    seen = [
        agreed
        for instance, altered in claims
        for agreed in slopes_agree(statement.enclose, instance, smooth_fields(instance), altered)
    ]
    assert False not in seen
    assert True in seen or statement.name.startswith(DRAWN_IN_FLOATS)


def leaking(instance: Any) -> Ball:
    """Lemma 4's margin with the sine of the angle by way of a float."""
    theta = instance.near * instance.theta0
    sine = Ball(math.sin(float(theta.arb)))
    return (
        exact_margin(WITH_MARGIN["luckmatters.lemma4.corrected"].enclose, instance)
        + sine
        - sine / (1 + theta)
    )


def test_a_leak_is_noticed():
    """A margin with a value that was a float on its way stands still where it should move."""
    instance = WITH_MARGIN["luckmatters.lemma4.corrected"].instance_type(theta0=1.0, near=0.7)
    assert slopes_agree(WITH_MARGIN["luckmatters.lemma4.corrected"].enclose, instance, ["theta0"]) == [True]
    assert slopes_agree(leaking, instance, ["theta0"]) == [False]


def leaks_in(source: str) -> list[str]:
    """What in a function's source could bring a rounded number in: math, NumPy or SciPy, ``float(...)``, a decimal."""
    found = []
    for node in ast.walk(ast.parse(textwrap.dedent(source))):
        if isinstance(node, ast.Name) and node.id in ("math", "np", "numpy", "scipy", "mp"):
            found.append(node.id)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
            found.append("float(...)")
        if isinstance(node, ast.Constant) and type(node.value) is float and node.value != int(node.value):
            found.append(repr(node.value))
    return found


READS_ARRAYS = ("exact_columns", "angle_table", "rational_matrix", "rationals")
"""Functions that take float arrays exactly; what they do is tested below."""


def test_no_constant_is_a_float():
    """Neither ``math.pi`` nor a decimal stands in the functions that enclose (defaults of a claim's knobs aside)."""
    folder = Path(inspect.getfile(Ball)).parents[2] / "mathematics" / "enclosed"
    functions = [
        node
        for path in sorted(folder.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name not in READS_ARRAYS
    ]
    assert len(functions) > 30
    bodies = ["\n".join(map(ast.unparse, function.body)) for function in functions]
    bodies += [
        "\n".join(map(ast.unparse, ast.parse(textwrap.dedent(inspect.getsource(s.enclose))).body[0].body))
        for s in WITH_MARGIN.values()
    ]
    assert [leak for body in bodies for leak in leaks_in(body)] == []


def test_a_float_constant_is_noticed():
    """The check above sees each kind of leak."""
    for leak in ("math.pi * x", "x + 0.1", "np.sin(x)", "Ball(float(x))"):
        assert leaks_in(f"def f(x):\n    return {leak}"), leak
    assert not leaks_in("def f(x):\n    return 2 * REAL.sin(x / 2)")


def test_arrays_are_taken_exactly():
    """Columns and matrices hold the very doubles."""
    from verify.mathematics.enclosed.layered_gradients import rational_matrix
    from verify.mathematics.enclosed.two_node_motion import rationals
    from verify.mathematics.enclosed.vectors import exact_columns

    matrix = np.random.default_rng(0).standard_normal((3, 2))
    with flint.ctx.workprec(53):
        balls = exact_columns(matrix)
        fractions = rational_matrix(matrix)
        for i, j in np.ndindex(3, 2):
            assert balls[j][i] == Ball(float(matrix[i, j]))
            assert fractions[i, j] == flint.fmpq(*float(matrix[i, j]).as_integer_ratio())
            assert rationals(matrix[i])[j] == float(matrix[i, j])


@EVERY
def test_more_bits_tell_the_same(statement):
    """Balls at 200 and at 500 bits overlap, and the finer ones are narrower."""
    for instance, _ in judged_instances(statement)[:3]:
        balls = []
        for bits in (200, 500):
            with flint.ctx.workprec(bits):
                try:
                    margin = exact_margin(statement.enclose, exactly(instance))
                except UndecidedError:
                    continue
            balls.append(margin.margin if isinstance(margin, Attained) else margin)
        if len(balls) == 2 and all(isinstance(ball, Ball) for ball in balls):
            assert balls[0].arb.overlaps(balls[1].arb)
            assert float(balls[1].arb.rad()) <= float(balls[0].arb.rad())


def test_the_context_of_sampling_does_not_matter():
    """An exact margin is of the instance alone."""
    statement = WITH_MARGIN["luckmatters.lemma7.reading"]
    instance = statement.examples[0]
    assert statement.evidence(instance, Context()) == statement.evidence(instance, CONTEXT)
    assert enclose(statement.enclose, instance) == enclose(statement.enclose, instance)
