"""``luckproof verify --json -`` is one JSON value on standard output, with the exit codes as ever."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.commands import REAL, TOYS, command, environment


def test_a_parser_reads_it(tmp_path):
    """Through a real pipe: the parser and the command both end with 0."""
    toys = shlex.join(TOYS)
    line = f"{toys} verify --device cpu --jobs 1 --json - | {sys.executable} -m json.tool > v.json"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(json.loads((tmp_path / "v.json").read_text())["statements"]) > 3


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_unexpected_verdict_keeps_its_code(jobs):
    """1 where a verdict is not the expected one; the JSON says the same as a file would."""
    words = ["verify", "--device", "cpu", "--jobs", jobs, "toy.squares", "toy.bound.printed"]
    done = command(*words, "--json", "-", TOY_EXPECT="refuted")
    assert done.returncode == 1
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert not all(statement["as_expected"] for statement in found["statements"])


def test_a_lost_process_keeps_its_code(tmp_path):
    """4, one line on stderr, and the JSON names what was lost."""
    done = command(
        "verify", "--device", "cpu", "--jobs", 2, "--json", "-", TOY_TRAP=str(tmp_path / "t"), TOY_FATE="dies"
    )
    assert done.returncode == 4
    assert list(json.loads(done.stdout)["lost"]) == ["toy.squares.corrected"]
    assert done.stderr.count("\n") == 1


def test_bad_input_leaves_standard_output_empty():
    """2 and a line on stderr."""
    done = command("verify", "toy.bund", "--json", "-")
    assert (done.returncode, done.stdout) == (2, "")
    assert "toy.bound" in done.stderr


def test_what_ones_own_code_prints_does_not_get_in(tmp_path):
    """Prints while the file is read, by its evidence and by its processes go to stderr."""
    new = command("new", "statement", "mytheorem", program=REAL, cwd=tmp_path)
    assert new.returncode == 0, new.stderr
    file = tmp_path / "mytheorem.py"
    noise = "import os\nprint('loaded')\nos.system('echo shell')\n"
    head, future, rest = file.read_text().partition("from __future__ import annotations\n")
    file.write_text(head + future + noise + rest)
    for jobs in (1, 2):
        words = ["verify", "--from", file, "--device", "cpu", "--jobs", jobs, "--json", "-"]
        done = command(*words, program=REAL, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["statements"]
        assert "loaded" in done.stderr
        assert "shell" in done.stderr


def test_ascii_is_enough(tmp_path):
    """In a locale without Unicode too: what it cannot say becomes an escape of JSON's own."""
    done = subprocess.run(
        [*REAL, "list", "luckmatters", "--json", "-"],
        cwd=tmp_path, env=environment(PYTHONIOENCODING="ascii"), capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.decode("ascii"))
    beside = command("list", "luckmatters", "--json", "-", program=REAL, cwd=Path(tmp_path))
    assert json.loads(beside.stdout) == told
