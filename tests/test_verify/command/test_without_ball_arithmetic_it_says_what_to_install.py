"""Where python-flint is missing, what needs it ends with one line that says what to install, and never with code 1."""

from __future__ import annotations

import sys

import pytest

from verify.command.main import run
from verify.judging import registry
from verify.judging.enclosing.balls import balls_available

INSTALL = "python-flint, which is not installed: pip install 'luckproof[certify]'"


@pytest.fixture(autouse=True)
def without_flint(monkeypatch):
    """The module is missing, as far as any import can see."""
    monkeypatch.setitem(sys.modules, "flint", None)
    for name in ("checker", "two_layer_checker"):
        monkeypatch.delitem(sys.modules, f"verify.certificates.{name}", raising=False)
    balls_available.cache_clear()
    yield
    monkeypatch.undo()
    balls_available.cache_clear()


@pytest.mark.parametrize(
    "words",
    [
        ["verify", "luckmatters.theorem4.basin_general"],
        ["verify", "luckmatters.theorem5.local", "--seed", "3"],
        ["verify", "luckmatters.theorem5.local", "luckmatters.theorem4.basin_general"],
        ["verify", "theorem5.local", "--instance", "{}"],
        ["verify", "theorem5.local", "--report", "report.html", "--json", "verdicts.json"],
        ["certify", "--m", "2", "--d", "3"],
        ["certify", "--flow", "two-layer", "--m", "2", "--d", "3"],
    ],
    ids=" ".join,
)
def test_it_ends_with_bad_input_and_one_line(words, capsys, tmp_path, monkeypatch):
    """Code 2, nothing on stdout, one line, no file."""
    monkeypatch.chdir(tmp_path)
    assert run(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("luckproof: ")
    assert said.err.endswith(INSTALL + "\n")
    assert list(tmp_path.iterdir()) == []


def test_a_certificate_is_not_called_unproved(tmp_path, capsys):
    """``--check``: code 2, not 1, which says that a proof has failed."""
    path = tmp_path / "c.json"
    path.write_text("{}", encoding="utf-8")
    assert run(["certify", "--check", str(path)]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"luckproof: certificates need {INSTALL}\n")


def test_other_statements_are_judged_all_the_same(capsys):
    """What needs no balls is judged, and what was left out is named."""
    assert run(["verify", "luckmatters.theorem4.basin_general", "specialization.theorem1.corrected"]) == 0
    said = capsys.readouterr()
    assert "specialization.theorem1.corrected" in said.out
    assert "basin_general" not in said.out
    assert f"luckproof: not judged: luckmatters.theorem4.basin_general.sharp needs {INSTALL}\n" in said.err


def test_the_statements_that_need_it_are_known():
    """Those whose own numbers are balls; of all others only the exact margins are."""
    needing = [s.name for s in registry.select() if s.needs_balls]
    assert needing == ["luckmatters.theorem4.basin_general.sharp", "luckmatters.theorem5.local.sharp"]
