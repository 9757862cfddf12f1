"""``luckproof new`` writes files that run as they are, and overwrites nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from luckproof import statements_from
from tests.e2e.commands import environment
from verify.command.main import run


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def executed(folder, file):
    """Standard output of a file, which complains of nothing."""
    done = subprocess.run(
        [sys.executable, "-W", "error", file],
        cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def test_a_statement_is_judged_at_once(folder, capsys):
    """It holds within its assumptions, survives an attack, and its controls come out."""
    assert run(["new", "statement", "my_theorem"]) == 0
    assert capsys.readouterr().out == (
        "my_theorem.py is written; run it: luckproof verify --from my_theorem.py\n"
    )
    (statement,) = statements_from("my_theorem.py").values()
    assert statement.name == "my_theorem.first.printed"
    assert statement.instance_type.__name__ == "MyTheorem"
    assert run(["verify", "--from", "my_theorem.py", "--jobs", "1", "--attack", "200"]) == 0
    assert "survived 200 evaluations" in capsys.readouterr().out
    text = (folder / "my_theorem.py").read_text(encoding="utf-8")
    assert "NAME" not in text
    assert "CLASS" not in text


def test_a_flow_runs_at_once(folder):
    """It ends where it has converged, and each instance decays at its rate."""
    assert run(["new", "flow", "decay"]) == 0
    status, rates = executed(folder, "decay.py").splitlines()
    assert status.startswith("converged 30.8")
    assert [float(rate) for rate in rates.strip("[]").split()] == pytest.approx([0.5, 0.5], abs=1e-5)


def test_a_measure_runs_at_once(folder):
    """Its kernels are those of its samples, and the flow on it recovers the teachers."""
    assert run(["new", "measure", "sphere", "--out", "on_spheres.py"]) == 0
    difference, end, rate = (line.split()[-1] for line in executed(folder, "on_spheres.py").splitlines())
    assert float(difference) < 1e-3
    assert float(end) < 0.3
    assert float(rate) == pytest.approx(0.09084505690810465 / 6, rel=1e-6)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["statement", "there"], "NAME: there.py is there already, and nothing is overwritten"),
        (["flow", "a", "--out", "there.py"], "--out: there.py is there already, and nothing is overwritten"),
        (["flow", "a", "--out", "a.txt"], "--out: expected a file that ends in .py, got a.txt"),
        (["flow", "numpy"], "NAME: expected a name that no module has, got 'numpy'"),
        (["flow", "class"], "NAME: expected small letters, digits and underscores, a letter first, and no word of "
         "Python, got 'class'"),
        (["flow", "../a"], "NAME: expected small letters, digits and underscores, a letter first, and no word of "
         "Python, got '../a'"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_one_line(folder, capsys, words, complaint):
    """With exit code 2; what is there stays as it is."""
    (folder / "there.py").write_text("kept")
    assert run(["new", *words]) == 2
    assert capsys.readouterr().err == f"luckproof: {complaint}\n"
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [("there.py", "kept")]
