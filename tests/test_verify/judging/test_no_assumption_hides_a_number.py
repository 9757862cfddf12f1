"""No assumption of the registry tests a number that its words do not say.

The numbers of :meth:`Assumption.at_least` and its like are in the words by construction. So the source may make an
assumption in no other way, may not write a threshold into a noun, and may not state a fact with a number in it.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from luckproof import statements
from tests.test_verify.judging.test_nothing_is_left_unguarded import assumptions_named

ROOT = Path(__file__).parents[3]
COMPARED = ("at_least", "at_most", "above", "below", "equal")
MADE_BY = (*COMPARED, "that")
WITH_NUMBERS = {
    "right-hand side of (41)": "an equation",
    "right-hand side of (42)": "an equation",
    "right-hand sides of (41), (42) and λ̄": "equations",
    "γ = cos θ₀ − (m−1) ε_d M_d": "the definition of γ",
    "v1's Eqn 8 with K_d = 0, both ways: smaller overlap less jump": "an equation of the first version",
    "Assumption 1: gap over its moments": "an assumption of the paper",
    "1 − K² 2 sin(θ₀/2)": "a formula",
    "min((B_v − B_δv) cos θ₀, 1 − κ)": "a formula",
    "ε / min(s², 1)": "a formula",
    "|Σa − 1|": "a formula",
    "1 − |cosine| of the first and the last direction": "a formula",
    "‖V_r(8)‖ / ‖V_r(0)‖": "two of the times at which the flow is read",
    "rate of W_u in [2, 8] less that in [0, 2] or 0": "windows between these times",
    "‖sin θ‖ at t = 100": "the last of these times",
    "teachers recovered: ‖sin θ‖ at t = 26/λ": "the end of the run",
    "distance from W_u = W*, V_u = V*, V_r = 0 at the end": "the solution",
    "R(0) / R₀, the radius for every m,": "the start",
    "R(0) / R₀(m)": "the start",
    "|z(0)| / the proved radius": "the start",
    "‖δv(0)‖ / ‖v*‖": "the start",
    "‖v_r(0)‖ / (α ‖v*‖)": "the start",
    "‖v*_1‖ largest: p": "the first teacher",
    "r_1, r_2 along one direction": "two residuals",
    "|g_1| on the region": "the first layer",
}
"""Words with digits that are no threshold, and what they are."""


def made_in(source: str) -> list[tuple[str, ast.Call]]:
    """Every call in ``source`` that makes an assumption: its constructor ("" for the bare one) and the call."""
    found: list[tuple[str, ast.Call]] = []
    if "Assumption" not in source:  # most files: to parse them takes a while
        return found
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        if isinstance(function, ast.Name) and function.id == "Assumption":
            found.append(("", node))
        if isinstance(function, ast.Attribute) and getattr(function.value, "id", "") == "Assumption":
            found.append((function.attr, node))
    return found


def complaint_of(constructor: str, call: ast.Call) -> str:
    """What lets words and code of one assumption drift apart; empty where nothing does."""
    if constructor not in MADE_BY:
        return "made by hand: its words need not be what it tests"
    words = call.args[0]
    parts = words.values if isinstance(words, ast.JoinedStr) else [words]
    said = ""
    for part in parts:
        if isinstance(part, ast.FormattedValue):
            if not (isinstance(part.value, ast.Call) and ast.unparse(part.value.func) == "in_words"):
                return "formats something else than in_words(number)"
        elif isinstance(part, ast.Constant):
            said += str(part.value)
        else:
            return "takes its words from a variable"
    if said in WITH_NUMBERS:
        return ""
    if re.search(r"[<>≤≥≠½⅓¼]", said):
        return "has a comparison of its own in its words"
    return "has a number in its words" if re.search(r"[0-9]", said) else ""


SOURCES = [path for path in sorted((ROOT / "verify").rglob("*.py")) if path.name != "assumption.py"]
MADE = [
    pytest.param(constructor, call, id=f"{path.relative_to(ROOT).as_posix()}:{call.lineno}")
    for path in SOURCES
    for constructor, call in made_in(path.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("constructor", "call"), MADE)
def test_words_say_the_number_that_is_tested(constructor, call):
    """By a constructor that takes the number once, or a fact without one."""
    assert not complaint_of(constructor, call), ast.unparse(call)


def test_listed_words_are_in_use():
    """No entry outlives its assumption."""
    used = {str(getattr(call.values[1].args[0], "value", "")) for call in MADE}
    assert set(WITH_NUMBERS) <= used


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ('Assumption("b ≥ ½", b - 0.499)', "made by hand"),
        ('Assumption.that("b ≥ 0.5", b >= 0.499)', "has a comparison"),
        ('Assumption.that("nodes 1e-3 apart", apart > 1e-4)', "has a number"),
        ('Assumption.above("K₀θ₀ ≤ 0.1", 0.1001 - x, 0)', "has a comparison"),
        ("Assumption.that(words, apart > 1e-4)", "takes its words from a variable"),
        ('Assumption.that(f"apart by {NEAR}", apart > 1e-4)', "formats something else"),
        ('Assumption.that(f"apart by {in_words(NEAR)}", apart > NEAR)', ""),
        ('Assumption.at_least("b", b, 0.5)', ""),
        ('Assumption.above("right-hand side of (41)", gamma, 0)', ""),
    ],
)
def test_drifting_apart_is_noticed(source, complaint):
    """Controls: what stood in the code once, and what may stand there."""
    ((constructor, call),) = made_in(source)
    found = complaint_of(constructor, call)
    assert found.startswith(complaint) if complaint else not found


ENDS_IN_A_NUMBER = re.compile(r" [<>≤≥=] −?[0-9π][^ ]*( rad| within [0-9.e-]+)?$")


@pytest.mark.parametrize("statement", statements.values(), ids=list(statements))
def test_what_is_shown_ends_in_its_number(statement):
    """The words that reports show: a noun, a relation and a number; or a fact without digits but those listed."""
    for name in assumptions_named(statement):
        bare = re.sub(r"within [0-9.e-]+ rad|\((?:to|by) [0-9.e-]+(?: rad)?\)", "", name)
        assert ENDS_IN_A_NUMBER.search(name) or name in WITH_NUMBERS or not re.search(r"[0-9<>≤≥]", bare), (
            name
        )
