"""``luckproof compare``: one verdict, one exit code for each, and the files that were asked for."""

from __future__ import annotations

import json

import pytest

from verify.command.main import run

SMALL = ("--d", 4, "--m", 2, "--steps", 200, "--batch-size", 32)


def compared(*words: object) -> int:
    return run(["compare", *map(str, words)])


@pytest.mark.parametrize(
    ("words", "code", "verdict"),
    [
        ((), 0, "agree: every step is what the flow says"),
        (("--measure", "biased", "--threshold", 1), 1, "disagree: first between t = 0 and"),
        (("--networks", 1, "--steps", 30), 5, "unresolved: nothing disagrees"),
    ],
)
def test_the_exit_code_is_the_verdict(words, code, verdict, capsys):
    """Agree 0, disagree 1, unresolved 5; the last line says it."""
    assert compared(*SMALL, *words) == code
    shown, complaints = capsys.readouterr()
    assert complaints == ""
    assert shown.splitlines()[-1].startswith(verdict)


def test_files_are_written(tmp_path, capsys):
    """NetCDF, picture and JSON."""
    out, plot, told = tmp_path / "c.nc", tmp_path / "c.svg", tmp_path / "c.json"
    assert compared(*SMALL, "--out", out, "--plot", plot, "--json", told) == 0
    assert json.loads(told.read_text())["verdict"] == "agree"
    assert plot.read_text().startswith("<?xml")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.json", "c.nc", "c.svg"]


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (("--flow", "gradient", "--lr", 1e9), 3, "luckproof: descent along the flow: diverged: "),
        (("--level", 2), 2, "luckproof: --level: expected"),
        (("--resolve", 0), 2, "luckproof: --resolve: expected"),
        (("--products", "float32"), 2, "luckproof: No such option: --products"),
        (("--measure", "uniform"), 2, "luckproof: --measure: expected one of isotropic, biased"),
        (("--json", "same", "--out", "same"), 2, "luckproof: --json: expected another file than --out"),
    ],
)
def test_what_fails_is_a_line(words, code, named, capsys, tmp_path, monkeypatch):
    """Nothing is written."""
    monkeypatch.chdir(tmp_path)
    assert compared(*SMALL, *words) == code
    shown, complaint = capsys.readouterr()
    assert shown == ""
    assert complaint.startswith(named)
    assert complaint.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--measure", "anisotropic", "--flow", "gradient"), 0),
        (("--measure", "anisotropic", "--condition", 10), 1),
        (("--measure", "rademacher", "--flow", "gradient"), 0),
        (("--measure", "mixture", "--flow", "gradient"), 0),
        (("--measure", "sphere"), 0),
        (("--activation", "leaky_relu", "--slope", 0.2), 0),
    ],
)
def test_networks_on_other_laws_do_what_the_exact_flow_says(words, code):
    """The gradient flow on any law; Theorem 4's flow where it is that, and not where Assumption 1 fails."""
    sizes = ("--d", 4, "--m", 2, "--theta0", 0.3, "--steps", 150, "--batch-size", 128, "--networks", 8)
    assert compared(*sizes, *words) == code
