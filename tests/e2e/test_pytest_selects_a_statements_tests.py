"""``pytest -k theorem4`` and ``pytest --statement luckmatters.theorem4`` run a theorem's tests, from any folder."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import verify
from tests.e2e.commands import ROOT, environment
from tests.statement_selection import names_of

TESTS = ROOT / "tests"


def collected(*words: str, cwd: Path = ROOT) -> tuple[int, list[str]]:
    """Exit code and lines of ``pytest --collect-only``."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=environment(),
    )
    return done.returncode, (done.stdout + done.stderr).strip().splitlines()


def files(lines: list[str]) -> set[str]:
    return {Path(line.partition("::")[0]).stem for line in lines if "::" in line}


def test_statement_selects_every_form_and_the_files_that_concern_it() -> None:
    """Its forms' generic tests, the files marked with it, and nothing of the other theorems."""
    code, lines = collected("--statement", "luckmatters.theorem4")
    assert code == 0
    verdicts = {line for line in lines if "test_verdict_is_the_expected_one" in line}
    assert len(verdicts) == len(verify.select(["luckmatters.theorem4"]))
    assert {
        "test_theorem4_constants",
        "test_theorem4_remarks",
        "test_networks_decay_at_the_spectral_rate",
        "test_registry_is_complete",
    } <= files(lines)
    assert not {"test_theorem3", "test_specialization_critical_points", "test_integrate_events"} & files(
        lines
    )


def test_k_finds_them_too_from_inside_a_test_folder() -> None:
    """By part of a name, both papers' theorems of that number; files that only their marker ties to it included."""
    code, lines = collected("-k", "theorem4", cwd=TESTS / "test_nets")
    assert code == 0
    assert files(lines) == {"test_networks_decay_at_the_spectral_rate", "test_networks_follow_the_flow"}


def test_unknown_names_are_one_line_with_the_nearest() -> None:
    """Before anything is collected."""
    code, lines = collected("--statement", "luckmatters.theorm4")
    assert code == pytest.ExitCode.USAGE_ERROR
    assert len(lines) == 1
    assert (
        "--statement: no statement is called 'luckmatters.theorm4'; did you mean luckmatters.theorem4"
        in lines[0]
    )


def test_markers_name_statements_that_exist() -> None:
    """A marker whose statement was renamed would select nothing."""
    named = [
        (path, argument.value)
        for path in TESTS.rglob("test_*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.statement"
        for argument in call.args
        if isinstance(argument, ast.Constant)
    ]
    assert len(named) > 40
    for path, name in named:
        assert names_of(str(name)), path
