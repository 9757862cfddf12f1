"""The luckproof command as a user runs it: output, files, exit codes and one-line errors."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from types import ModuleType

import pytest

import luckproof
from tests.e2e.commands import REAL, TOYS, command, environment
from tests.test_verify.judging import toy_statements
from verify.command.main import run
from verify.judging import registry


def test_verdicts_as_expected_exit_0_and_write_both_files(tmp_path):
    """Table on stdout, silence on stderr, report and JSON complete, no other file left behind."""
    report, data = tmp_path / "report.html", tmp_path / "verdicts.json"
    done = command("verify", "--device", "cpu", "--report", report, "--json", data, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "4 statements, all as expected" in done.stdout
    rows = [line for line in done.stdout.splitlines() if line.startswith("toy.") and ":" not in line]
    assert [row.split()[0] for row in rows] == [statement.name for statement in toy_statements.ALL]
    records = json.loads(data.read_text(encoding="utf-8"))["statements"]
    assert [record["outcome"] for record in records] == ["refuted", "holds", "vacuous", "holds"]
    page = report.read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert page.rstrip().endswith("</html>")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "verdicts.json"]


def test_keys_form_and_seed_select_and_repeat(tmp_path):
    """The same seed gives the same JSON, time apart."""
    runs = []
    for name in ("a.json", "b.json"):
        done = command(
            "verify", "--device", "cpu", "toy", "--form", "corrected", "--seed", 5, "--json", tmp_path / name
        )
        assert done.returncode == 0, done.stderr
        records = json.loads((tmp_path / name).read_text(encoding="utf-8"))["statements"]
        runs.append([{**record, "seconds": 0} for record in records])
    assert runs[0] == runs[1]
    assert [record["name"] for record in runs[0]] == ["toy.never.corrected", "toy.squares.corrected"]


def test_unexpected_verdict_exits_1_and_still_writes(tmp_path):
    """The files say what happened; the line names expected and found."""
    path = tmp_path / "verdicts.json"
    done = command("verify", "--device", "cpu", "--json", path, "toy.squares", TOY_EXPECT="refuted")
    assert done.returncode == 1
    assert "toy.squares.corrected: expected refuted, got holds" in done.stdout
    assert json.loads(path.read_text(encoding="utf-8"))["statements"][0]["as_expected"] is False


def test_the_json_is_an_object_of_the_run_its_findings_and_its_statements(tmp_path):
    """Schema, versions, seed and budget stand at the top, the findings beside the statements."""
    path = tmp_path / "verdicts.json"
    command("verify", "--device", "cpu", "--json", path, "--seed", 3)
    data = json.loads(path.read_text(encoding="utf-8"))
    assert {"schema", "luckproof", "created", "versions", "seed", "budget", "findings", "statements"} <= set(
        data
    )
    assert data["seed"] == 3
    assert data["findings"]["printed"] == {"refuted": 1}


def test_an_attack_is_recorded_in_the_json(tmp_path):
    """--attack N spends N evaluations on what holds, none on what is refuted."""
    path = tmp_path / "verdicts.json"
    done = command("verify", "--device", "cpu", "--json", path, "--attack", 70)
    assert done.returncode == 0, done.stdout
    by_name = {r["name"]: r for r in json.loads(path.read_text(encoding="utf-8"))["statements"]}
    assert by_name["toy.squares.corrected"]["attack"]["evaluations"] == 70
    assert by_name["toy.squares.corrected"]["attack"]["survivors"] == []
    assert by_name["toy.bound.printed"]["attack"] is None


def test_show_says_where_a_claim_stands(tmp_path):
    """Claim, place and outcome on record; a script that is not there is one line on stderr."""
    done = command("show", "toy.bound.printed")
    assert done.returncode == 0
    assert "place: Toy paper, Proposition 1" in done.stdout
    assert "outcome on record: refuted" in done.stdout
    missing = command("show", "toy.bound.printed", "--script")
    assert missing.returncode == 2
    assert missing.stderr == (
        "luckproof: --script: expected one statement with a script, got none of them; it would be "
        "tests/test_verify/judging/sceptic_scripts/toy.bound.printed.py\n"
    )


def test_printed_command_reproduces_the_counterexample(tmp_path):
    """The command in the report, run by a shell, shows the same numbers."""
    path = tmp_path / "verdicts.json"
    command("verify", "--device", "cpu", "toy.bound.printed", "--json", path)
    (record,) = json.loads(path.read_text(encoding="utf-8"))["statements"]
    line = record["counterexamples"]["smallest"]["command"].removeprefix("luckproof ")
    done = subprocess.run(
        f'"$PYTHON" "$SCRIPT" {line} --device cpu',
        shell=True,
        capture_output=True,
        text=True,
        env=environment(PYTHON=TOYS[0], SCRIPT=TOYS[1]),
    )
    assert done.returncode == 0, done.stderr
    assert "evidence: predicted 50, measured 51, margin -1" in done.stdout
    assert "confirmed: predicted 50, measured 51, margin -1" in done.stdout
    assert "the claim fails here" in done.stdout


def test_a_control_is_replayed_by_its_instance_and_altered_arguments():
    """--alter changes the arguments that a control changes; the altered claim says nothing about the verdict."""
    done = command(
        "verify",
        "--device",
        "cpu",
        "toy.bound.printed",
        "--instance",
        '{"b": 60}',
        "--alter",
        '{"bound": 70}',
    )
    assert done.returncode == 0
    assert "altered: bound = 70.0" in done.stdout
    assert "holds here" in done.stdout


@pytest.mark.parametrize(
    ("instance", "said"), [('{"a": 3}', "holds here"), ('{"a": -3}', "vacuous here (an assumption")]
)
def test_instance_is_evaluated_with_its_assumptions(instance, said):
    """One instance of one statement: fields left out take their defaults."""
    done = command("verify", "--device", "cpu", "toy.squares", "--instance", instance)
    assert done.returncode == 0
    assert said in done.stdout
    assert "assumption: a > 0" in done.stdout


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["verify", "toy.bund"], "did you mean toy.bound"),
        (["verify", "--budget", "fast"], "--budget: expected one of quick, full, deep, got 'fast'"),
        (["verify", "--form", "blunt"], "--form"),
        (["verify", "--device", "tpu"], "--device"),
        (["verify", "--seed", "-1"], "luckproof: --seed: expected an integer >= 0, got -1"),
        (["verify", "--seed", "one"], "luckproof: --seed: expected a whole number, got 'one'"),
        (["verify", "--report", "missing/report.html"], "--report: the folder missing does not exist"),
        (["verify", "--json", "."], "--json: expected a file"),
        (["verify", "toy", "--instance", "{}"], "several statements"),
        (["verify", "toy.squares", "--instance", "{"], "expected a JSON object"),
        (["verify", "toy.squares", "--instance", "[1]"], "expected a JSON object"),
        (["verify", "toy.squares", "--instance", '{"q": 1}'], "unknown field 'q'"),
        (["verify", "toy.squares", "--instance", '{"a": 1.5}'], "a: expected an integer"),
        (["verify", "toy.squares", "--instance", '{"a": "x"}'], "a: expected an integer"),
        (["verify", "toy.squares", "--alter", "{}"], "it needs --instance"),
        (
            ["verify", "toy.bound.printed", "--instance", "{}", "--alter", '{"bond": 1}'],
            "unknown argument 'bond'",
        ),
        (
            ["verify", "toy.bound.printed", "--instance", "{}", "--alter", '{"bound": "x"}'],
            "bound: expected a number",
        ),
        (["verify", "toy.squares", "--instance", "{}", "--report", "r.html"], "--report and --json"),
        (["list", "nothing.here"], "luckproof list"),
        (["frobnicate"], "frobnicate"),
        (["verify", "--frobnicate"], "--frobnicate"),
    ],
)
def test_bad_input_is_one_line_on_stderr_and_exit_2(words, named, tmp_path, capsys, monkeypatch):
    """Nothing on stdout, nothing written. In this process: the entry point without the start-up time."""
    toys = ModuleType("toys")
    toys.STATEMENTS = toy_statements.ALL
    collected = registry.collect([toys])
    monkeypatch.setattr(registry, "registered", lambda: collected)
    monkeypatch.setattr(registry, "catalogued", lambda: None)
    monkeypatch.chdir(tmp_path)
    assert run(words) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.count("\n") == 1
    assert streams.err.startswith("luckproof: ")
    assert named in streams.err
    assert list(tmp_path.iterdir()) == []


def test_bad_input_sets_the_exit_code_of_the_process(tmp_path):
    """The same through the shell: code 2 and the one line."""
    done = command("verify", "--report", "missing/report.html", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "luckproof: --report: the folder missing does not exist\n"


def test_interrupt_ends_cleanly_and_writes_nothing(tmp_path):
    """Ctrl-C in the middle of an evaluation: one line on stderr, exit code 130, no files, and no praise of nothing."""
    process = subprocess.Popen(
        [*TOYS, "verify", "--device", "cpu", "--report", str(tmp_path / "report.html")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(TOY_SLOW=str(tmp_path / "started")),
        # A background job of a shell ignores interrupts, and its children with it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    with process:
        while not (tmp_path / "started").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        shown, complaint = process.communicate(timeout=30)
    assert process.returncode == 130
    assert re.fullmatch(r"The run was ended: none of 1 statement finished, [\d.]+ s\.\n", shown)
    assert complaint == "luckproof: interrupted\n"
    assert [path.name for path in tmp_path.iterdir()] == ["started"]


def test_help_is_quick_and_loads_nothing_heavy():
    """Help, version and a usage error come without torch, Hypothesis or SciPy."""
    check = (
        "import sys\nfrom verify.command.main import run\ncode = run(['--help'])\n"
        "print({'torch', 'hypothesis', 'scipy', 'matplotlib'} & set(sys.modules), code)"
    )
    done = command(program=[sys.executable, "-c", check])
    assert done.stdout.rstrip().endswith("set() 0"), done.stdout + done.stderr
    for name in ("verify", "list", "simulate"):
        assert name in done.stdout


@pytest.mark.parametrize("package", ["luckproof", "verify"])
def test_version_is_the_projects(package):
    """``python -m luckproof --version`` is ``luckproof.__version__``; ``python -m verify`` is the same command."""
    done = command("--version", program=[sys.executable, "-m", package])
    assert done.stdout == f"luckproof {luckproof.__version__}\n"


def test_real_statements_are_listed_and_one_is_judged(tmp_path):
    """The command on the papers' own statements; the folder stays clean."""
    listed = command("list", program=REAL, cwd=tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert "luckmatters.theorem4.printed" in listed.stdout
    done = command("verify", "luckmatters.theorem4.printed", "--device", "cpu", program=REAL, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "refuted" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_an_instance_that_no_step_can_evaluate_is_bad_input():
    """Values in their ranges that leave nothing to measure: one line that says so, and no defect of ours."""
    done = command("verify", "luckmatters.theorem4.sharp", "--instance", '{"theta0": 1e-320}', program=REAL)
    assert done.returncode == 2
    assert done.stderr.startswith(
        "luckproof: --instance: it cannot be evaluated: values: expected at least 8 times"
    )
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ["verify", "toy.squares", "--resume", ""],
        ["verify", "toy.squares", "--json="],
        ["sweep", "c.toml", "--out", ""],
        ["simulate", "--out=", "--d", "3"],
    ],
)
def test_an_empty_value_is_refused(words, tmp_path, monkeypatch, capsys):
    """``--out "$DIR"`` without DIR: the current folder is not meant, and nothing is written to it."""
    from verify.command.main import run

    monkeypatch.chdir(tmp_path)
    assert run(words) == 2
    option = next(word for word in words if word.startswith("--")).rstrip("=")
    assert capsys.readouterr().err == f"luckproof: {option}: expected a value, got an empty text\n"
    assert list(tmp_path.iterdir()) == []
