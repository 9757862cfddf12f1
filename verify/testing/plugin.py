"""The pytest plugin: ``pytest --luckproof mytheorem.py`` makes a test of every statement in the file.

It costs nothing where the option is not given: whatever it needs is imported when a file is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from verify.judging import Context
    from verify.judging.statement import AnyStatement


def pytest_addoption(parser: pytest.Parser) -> None:
    """The file, and what ``luckproof verify`` is told by options without prefix."""
    group = parser.getgroup("luckproof", "statements judged as tests")
    group.addoption(
        "--luckproof",
        action="append",
        default=[],
        metavar="FILE",
        help="judge the statements that this file defines, each a test; may be given several times",
    )
    group.addoption(
        "--luckproof-budget", default="quick", metavar="NAME", help="quick (default), full or deep"
    )
    group.addoption("--luckproof-device", default="auto", metavar="NAME", help="auto (default), cpu or cuda")
    group.addoption(
        "--luckproof-seed", type=int, default=0, metavar="N", help="seed of everything drawn (default 0)"
    )
    group.addoption(
        "--luckproof-attack",
        type=int,
        default=None,
        metavar="N",
        help="evaluations of an attack on what holds",
    )


def pytest_configure(config: pytest.Config) -> None:
    """The files are collected: alone where no other was named, else beside those."""
    files = config.getoption("--luckproof")
    if not files:
        return
    named = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
    known = {_resolved(config, word) for word in named}
    config.args = [*named, *(file for file in files if _resolved(config, file) not in known)]


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A file of statements in place of a module of tests, where the option names it."""
    files = parent.config.getoption("--luckproof")
    if module_path.resolve() not in {_resolved(parent.config, file) for file in files}:
        return None
    return StatementFile.from_parent(parent, path=module_path)


def _resolved(config: pytest.Config, word: str) -> Path:
    return (config.invocation_params.dir / word.partition("::")[0]).resolve()


class StatementFile(pytest.File):
    """A file of statements."""

    def collect(self) -> Iterator[pytest.Item]:
        """A test for every statement; what is wrong with the file is one line."""
        from verify.judging.registry import statements_from
        from verify.judging.trials.runner import make_context

        option = self.config.getoption
        try:
            context = make_context(
                option("--luckproof-budget"),
                option("--luckproof-device"),
                option("--luckproof-seed"),
                option("--luckproof-attack"),
            )
            found = statements_from(self.path)
        except (ValueError, TypeError) as error:
            raise self.CollectError(str(error)) from error
        for name, statement in found.items():
            yield StatementTest.from_parent(self, name=name, statement=statement, context=context)


class StatementTest(pytest.Item):
    """A statement, judged as a test."""

    def __init__(self, *, statement: AnyStatement, context: Context, **more: Any) -> None:
        super().__init__(**more)
        self.statement, self.context = statement, context

    def runtest(self) -> None:
        """Judge it; strength and outcome go along with the test's report."""
        from verify.testing.judged import judge_as_test

        verdict = judge_as_test(self.statement, self.context)
        self.user_properties += [("outcome", str(verdict.outcome)), ("strength", verdict.strength)]

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The complaint alone, where it is one."""
        from verify.testing.judged import UnexpectedVerdictError

        if isinstance(excinfo.value, UnexpectedVerdictError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the statement stands, and what the test is called."""
        code = getattr(self.statement.evidence, "__code__", None)
        return self.path, code.co_firstlineno - 1 if code is not None else None, f"statement {self.name}"
