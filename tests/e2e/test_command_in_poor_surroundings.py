"""Closed, full and narrow streams, other encodings, other people's settings: no traceback, and nothing is lost."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.commands import REAL, TOYS, command, environment
from verify.command import main as command_module
from verify.command.main import run


def shell(line: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[bytes]:
    """A line of bash in which ``toys`` is the command on toy statements."""
    toys = f'toys() {{ {shlex.join(TOYS)} "$@"; }}\n'
    return subprocess.run(
        ["bash", "-c", toys + line],
        cwd=cwd,
        env=environment(**more),
        capture_output=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("redirection", "code", "said"),
    [
        (">&-", 0, b""),
        ("2>&-", 0, b""),
        ("<&-", 0, b""),
        (">&- 2>&- <&-", 0, b""),
        ("2>/dev/full", 0, b""),
        (">/dev/full", 2, b"luckproof: the output cannot be written: No space left on device\n"),
        ("> >(exec <&-; sleep 5)", 141, b""),
    ],
)
def test_files_are_written_whatever_becomes_of_the_streams(
    tmp_path: Path, redirection: str, code: int, said: bytes, unbuffered: str
) -> None:
    """The verdicts are in the JSON, which nothing else is written into; the code says what became of the output."""
    line = f"toys verify --device cpu --jobs 1 --json v.json --report r.html toy.squares {redirection}"
    done = shell(line, tmp_path, PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stderr) == (code, said)
    assert json.loads((tmp_path / "v.json").read_text())["statements"][0]["outcome"] == "holds"
    assert (tmp_path / "r.html").read_text(encoding="utf-8").rstrip().endswith("</html>")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", ">&- 2>&-"])
def test_bad_input_has_its_code_without_stderr(tmp_path: Path, redirection: str, unbuffered: str) -> None:
    """Python's buffer of stderr, where there is one, does not write the lost message again at the end."""
    done = shell(f"toys verify toy.none {redirection}", tmp_path, PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", b"")


@pytest.mark.parametrize(
    "settings",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "cp1252"},
        {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
        {"COLUMNS": "0"},
        {"COLUMNS": "-3", "LINES": "x"},
        {"COLUMNS": "1", "TERM": "dumb"},
        {"TERM": "", "TERMINAL_WIDTH": "0"},
        {"MPLBACKEND": "module://matplotlib_inline.backend_inline"},
    ],
    ids=str,
)
def test_other_encodings_and_terminals_show_all(tmp_path: Path, settings: dict[str, str]) -> None:
    """The table, the claim's ≤ and ² included, and the report."""
    done = shell("toys verify --device cpu --jobs 1 toy.squares --report r.html", tmp_path, **settings)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"toy.squares.corrected" in done.stdout
    assert b"1 statement, all as expected" in done.stdout
    done = shell("toys verify --device cpu toy.squares --instance '{}'; toys list", tmp_path, **settings)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"holds here" in done.stdout


def test_the_users_matplotlibrc_does_not_reach_our_pictures(tmp_path: Path) -> None:
    """TeX, colours, sizes and a backend of notebooks: the same bytes as without."""
    words = ["simulate", "--t-end", "1", "--points", "5", "--plot", "p.svg"]
    pictures = []
    for name, text in (("plain", ""), ("other", "text.usetex: True\nlines.linewidth: 9\naxes.grid: True\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "matplotlibrc").write_text(
            text + "backend: module://matplotlib_inline.backend_inline\n"
        )
        done = command(*words, program=REAL, cwd=tmp_path / name)
        assert done.returncode == 0, done.stderr
        pictures.append((tmp_path / name / "p.svg").read_bytes())
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize("error", [KeyError("a defect\nof ours"), BlockingIOError(11, "no more processes")])
def test_what_breaks_on_our_side_is_a_line_and_a_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, error: Exception
) -> None:
    """Code 4; the traceback is in the file that the line names."""

    def broken(**options: object) -> None:
        raise error

    monkeypatch.setattr(command_module, "app", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run(["list"]) == 4
    streams = capsys.readouterr()
    assert streams.out == ""
    found = re.fullmatch(r"luckproof: something of ours broke: \w+: .*; details in (\S+)\n", streams.err)
    assert found is not None
    assert "Traceback" in Path(found[1]).read_text(encoding="utf-8")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    assert run(["list"]) == 4
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 7.45 TiB for an array"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 7.45 TiB\nmore"),
    ],
)
def test_too_little_memory_is_bad_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    """With what was asked for."""

    def large(**options: object) -> None:
        raise error

    monkeypatch.setattr(command_module, "app", large)
    assert run(["list"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("luckproof: more memory would be needed than there is: ")
    assert "7.45 TiB" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["simulate", "--d", "1000000000"], "--d: the run takes about"),
        (["simulate", "--m", "100000"], "--m: the run takes about"),
        (
            ["verify", "luckmatters.theorem4.printed", "--instance", '{"d": 1000000000}'],
            "--instance: d: expected sizes that fit",
        ),
        (
            ["figure", "specialization.9", "--set", "networks=1000000000"],
            "--set networks: expected sizes that fit",
        ),
        (["simulate", "--instances", "100000000000"], "--instances: the run takes about"),
        (["simulate", "--points", "1000000000000"], "--points: the run takes about"),
        (["simulate", "--flow", "deep", "--samples", "100000000000"], "--samples: the run takes about"),
        (["simulate", "--flow", "deep", "--factor", "1000000000"], "--factor: the run takes about"),
        (
            ["verify", "luckmatters.theorem4.printed", "--jobs", "4294967296"],
            "--jobs: 4294967296 processes take",
        ),
    ],
)
def test_sizes_beyond_the_memory_are_refused_with_the_estimate(
    words: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is drawn."""
    assert run(words) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"luckproof: {named}")
    assert re.search(r"GiB.* GiB are available", said)
    assert said.count("\n") == 1


def test_an_allocation_beyond_the_memory_fails_in_words() -> None:
    """The limit that the process sets itself: touched piece by piece it would be killed."""
    check = (
        "from verify.command.surroundings import put_in_order\nput_in_order()\nimport numpy as np\n"
        "held = []\n"
        "try:\n    while True:\n        held.append(np.empty(2**27))\n"
        "except MemoryError:\n    print('refused')\n"
    )
    done = command(program=[TOYS[0], "-c", check])
    assert done.stdout == "refused\n", done.stderr


SWALLOWS = """
import sys, time
from pathlib import Path
from verify.command.surroundings import EndedError, put_in_order
put_in_order()

class Slow:
    def __del__(self):
        Path(sys.argv[1]).touch()
        time.sleep(60)

try:
    held = Slow()
    del held
    time.sleep(60)
except EndedError:
    print("ended")
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_falls_into_a_destructor_ends_the_process_all_the_same(
    tmp_path: Path, how: signal.Signals
) -> None:
    """The interpreter drops what is raised there, and the run would go on as if nothing had been asked."""
    mark = tmp_path / "inside"
    with subprocess.Popen(
        [TOYS[0], "-c", SWALLOWS, str(mark)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(), preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:  # fmt: skip
        until = time.monotonic() + 60
        while not mark.exists():
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(how)
        shown, said = process.communicate(timeout=30)
    assert (shown, said) == ("ended\n", "")
