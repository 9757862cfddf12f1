"""``luckproof certify``: a proof as a file, its check, and exit codes 0 (proved), 1 (not), 2 (bad input)."""

from __future__ import annotations

import json
import sys

import pytest

import verify.certificates
from verify.command.main import run

pytest.importorskip("flint")

WORDS = ["certify", "--m", "2", "--d", "3", "--theta0", "0.5", "--seed", "4"]


@pytest.fixture
def certificate(tmp_path, capsys):
    """A certificate written by the command."""
    path = tmp_path / "cert.json"
    assert run([*WORDS, "--out", str(path)]) == 0
    assert "every student converges to its own teacher" in capsys.readouterr().out
    return path


def test_a_certificate_is_written_and_checked(certificate, capsys):
    """``--check`` proves the file again and says what is proved."""
    assert run(["certify", "--check", str(certificate)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("proved:")
    assert "go to teachers [0, 1]" in said


def test_both_layers_may_move(tmp_path, capsys):
    """``--flow two-layer``: the file is of another format, and the same ``--check`` knows it."""
    path = tmp_path / "two.json"
    words = ["--flow", "two-layer", "--m", "2", "--d", "3", "--theta0", "0.2", "--seed", "4"]
    assert run(["certify", *words, "--out", str(path)]) == 0
    assert "every student converges to its own teacher" in capsys.readouterr().out
    assert run(["certify", "--check", str(path)]) == 0
    assert "Theorem 5's flow" in capsys.readouterr().out
    path.write_text(path.read_text().replace('"students":[0,1]', '"students":[1,0]'))
    assert run(["certify", "--check", str(path)]) == 1
    assert capsys.readouterr().out.startswith("not proved:")


def test_a_damaged_certificate_proves_nothing(certificate, capsys):
    """Exit code 1 and the step at which the proof breaks."""
    document = json.loads(certificate.read_text())
    document["lam"][2] = (3.0).hex()
    certificate.write_text(json.dumps(document))
    assert run(["certify", "--check", str(certificate)]) == 1
    assert capsys.readouterr().out.startswith("not proved: step 2:")


@pytest.mark.parametrize("content", ["no JSON", "[]", '{"format": "another"}'])
def test_another_file_is_no_certificate(tmp_path, capsys, content):
    """Exit code 2 and a line on stderr."""
    path = tmp_path / "other.json"
    path.write_text(content)
    assert run(["certify", "--check", str(path)]) == 2
    assert "--check: expected a certificate" in capsys.readouterr().err


def test_what_is_undecided_is_no_file(tmp_path, capsys):
    """Exit code 1, the reason on stdout, nothing written."""
    out = tmp_path / "cert.json"
    assert run([*WORDS, "--max-steps", "2", "--out", str(out)]) == 1
    assert capsys.readouterr().out.startswith("undecided: step limit: 2 steps")
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--flow", "gradient"], "--flow: expected projected or two-layer"),
        (["--instances", "2"], "--instances: expected 1"),
        (["--d", "1", "--m", "1"], "teacher_W"),
        (["--measure", "biased"], "measure: expected an isotropic Gaussian"),
        (["--check", "missing.json"], "missing.json"),
        (["--check", "missing.json", "--m", "2"], "--check: expected no other option"),
        (["--out", "no/such/folder/c.json"], "--out"),
    ],
)
def test_bad_input_is_a_line(words, said, capsys):
    """Exit code 2."""
    assert run(["certify", *words]) == 2
    assert said in capsys.readouterr().err


def test_without_python_flint_the_extra_is_named(monkeypatch, capsys):
    """Exit code 2 and what to install, not a traceback."""
    monkeypatch.setitem(sys.modules, "flint", None)
    monkeypatch.delitem(sys.modules, "verify.certificates.checker", raising=False)
    monkeypatch.delattr(verify.certificates, "checker", raising=False)
    assert run(WORDS) == 2
    assert "luckproof[certify]" in capsys.readouterr().err
