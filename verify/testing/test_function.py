"""A test function of statements, for a test file of one's own."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike

import pytest

from verify.judging.collecting import complete
from verify.judging.registry import statements_from
from verify.judging.statement import AnyStatement, Statement
from verify.judging.trials.runner import make_context
from verify.testing.judged import judge_as_test


def statement_test(
    *statements: AnyStatement | str | PathLike[str],
    budget: str = "quick",
    device: str = "auto",
    seed: int = 0,
    attack: int | None = None,
) -> Callable[..., None]:
    """A test function that judges statements, one test for each: it fails where a verdict is not the expected one.

    In a test file::

        from luckproof.testing import statement_test

        test_mytheorem = statement_test("mytheorem.py")  # or statements themselves

    Args:
        statements: statements, and files of them.
        budget: ``quick``, ``full`` or ``deep``.
        device: ``auto``, ``cpu`` or ``cuda``: where networks are trained.
        seed: with the same seed the same instances are drawn.
        attack: evaluations of an attack on each statement that holds; None: 500 at the deep budget, else none.
    Raises:
        TypeError, ValueError: what is no statement and no file of any, an incomplete one, or a setting out of range.
    Cost: that of ``luckproof verify``, when the test runs.
    """
    context = make_context(budget, device, seed, attack)
    chosen: list[AnyStatement] = []
    for given in statements:
        if isinstance(given, Statement):
            chosen.append(complete(given))
        elif isinstance(given, str | PathLike):
            chosen += statements_from(given).values()
        else:
            raise TypeError(f"statements: expected statements and files of them, got {given!r}")
    if not chosen:
        raise ValueError("statements: expected at least one, got none")

    @pytest.mark.parametrize("statement", chosen, ids=[statement.name for statement in chosen])
    def test(statement: AnyStatement) -> None:
        judge_as_test(statement, context)

    return test
