"""``--device``, ``--jobs``, ``--json``, ``--out`` and ``--quiet`` have one help text and one behaviour everywhere."""

from __future__ import annotations

import dataclasses
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer.main

from luckproof import Source, sweep
from tests.test_nets.checkpoints.state_dict_layouts import vgg
from verify.command.common_options import FOLDER_WORDS, OUT_WORDS
from verify.command.main import app, run

COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
SILENT = {"list", "show"}
"""Commands that print results alone."""

PROBLEM = ["--d", "3", "--m", "2", "--theta0", "0.3", "--points", "3"]
LINES: dict[str, list[str]] = {
    "verify": ["luckmatters.lemma6.printed", "--jobs", "1"],
    "list": ["luckmatters.lemma6"],
    "simulate": [*PROBLEM, "--t-end", "1"],
    "train": [*PROBLEM, "--steps", "4", "--batch-size", "4", "--networks", "1"],
    "compare": [*PROBLEM, "--steps", "4", "--batch-size", "4", "--networks", "3"],
    "certify": ["--d", "2", "--m", "2", "--theta0", "0.05"],
    "sweep": ["sweep.toml", "--out", "runs", "--jobs", "1"],
    "figure": ["luckmatters.theorem5", "--out", "pictures", "--set", "networks=4"],
    "bn-bias": ["net.pth"],
    "new": ["flow", "mine"],
}
"""Words of each command that are done in a moment."""


def having(option: str) -> list[str]:
    """The commands that have an option."""
    return [name for name, command in COMMANDS.items() if any(p.name == option for p in command.params)]


@dataclasses.dataclass(frozen=True)
class Settings:
    """Of a figure that is made at once."""

    seed: int = 0
    networks: int = 3


def made(settings: Settings, device: str, progress: Any) -> Any:
    """A picture with a claim that is met."""
    import xarray as xr
    from matplotlib.figure import Figure

    from verify.figures import FigureResult
    from verify.figures.claims import ClaimCheck

    progress(1.0)
    check = ClaimCheck.exceeding("a claim", np.linspace(1.0, 1.1, settings.networks))
    return FigureResult(Figure(), xr.Dataset({"x": ("network", [1.0])}), (check,))


def toy_figure(name: str) -> Any:
    """The figure of that name."""
    from verify.figures import PaperFigure

    budgets = {"quick": Settings(), "full": Settings(networks=9)}
    return PaperFigure(name, "A figure", Source("A paper", "Figure 1"), budgets, made)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """A folder with what the lines need: a checkpoint, and a sweep that is done."""
    import torch

    monkeypatch.setattr("verify.figures.figure_named", toy_figure)
    state, _ = vgg("vgg11_bn", np.random.default_rng(2))
    torch.save(state, tmp_path / "net.pth")
    (tmp_path / "sweep.toml").write_text(
        'command = "simulate"\n[base]\nd = 3\nm = 2\nt_end = 1\n[grid]\nseed = [0, 1]\n'
    )
    drawn = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    if drawn.get("name") == "sweep" and "jobs" not in drawn:
        with ThreadPoolExecutor(1) as executor:
            sweep(tmp_path / "sweep.toml", tmp_path / "runs", executor=executor)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("option", ["device", "jobs", "json", "quiet"])
def test_an_option_has_one_text(option):
    """The same word for what it takes and the same sentence, but for the default."""
    texts = {
        (p.metavar, re.sub(r" \(default \w+\)\.$", ".", p.help))
        for name in having(option)
        for p in COMMANDS[name].params
        if p.name == option
    }
    assert len(texts) == 1, texts


def test_out_is_one_file_or_one_folder():
    """FILE with its kind, or DIR."""
    assert having("out") == ["new", "simulate", "train", "compare", "sweep", "certify", "figure"]
    for name in having("out"):
        (option,) = (p for p in COMMANDS[name].params if p.name == "out")
        if option.metavar == "DIR":
            assert option.help.startswith(FOLDER_WORDS.removesuffix("."))
        else:
            assert (option.metavar, option.help.partition(" (")[0]) == ("FILE", OUT_WORDS)


def test_whatever_says_more_than_results_can_be_quiet():
    """All commands but those that only print what they are asked for."""
    assert set(having("quiet")) == set(COMMANDS) - SILENT


@pytest.mark.parametrize("name", having("device"))
def test_a_device_is_checked_in_the_same_words(name, place, capsys):
    """Before anything runs; nothing is written."""
    before = sorted(place.iterdir())
    words = [word for word in LINES[name] if word != "pictures"]
    words = words[: words.index("--out")] if "--out" in words else words
    assert run([name, *words, "--device", "tpu"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "luckproof: --device: expected 'auto', 'cpu', 'cuda' or 'cuda:N', got 'tpu'\n"
    assert sorted(place.iterdir()) == before


@pytest.mark.parametrize("name", having("jobs"))
@pytest.mark.parametrize(
    ("jobs", "told"), [("-1", "a number of processes >= 0, got -1"), ("x", "a whole number, got 'x'")]
)
def test_a_number_of_processes_is_checked_in_the_same_words(name, jobs, told, place, capsys):
    """One line."""
    assert run([name, *LINES[name], "--jobs", jobs]) == 2
    assert capsys.readouterr().err == f"luckproof: --jobs: expected {told}\n"


@pytest.mark.parametrize("name", having("json"))
def test_json_is_alone_on_standard_output(name, place, capsys):
    """With ``-`` one JSON value and nothing else; with a file the same keys there, and what is printed else here."""
    if name == "certify":
        pytest.importorskip("flint")
    code = run([name, *LINES[name], "--json", "-"])
    told = capsys.readouterr()
    shown = json.loads(told.out, parse_constant=pytest.fail)
    assert run([name, *LINES[name], "--json", "result.json"]) == code
    printed = capsys.readouterr().out
    written = json.loads((place / "result.json").read_text(), parse_constant=pytest.fail)
    assert list(written) == list(shown)
    assert printed.strip()
    assert not printed.startswith(("{", "["))


@pytest.mark.parametrize("name", having("json"))
def test_a_json_file_that_cannot_be_written_is_refused_at_once(name, place, capsys):
    """Before anything runs or is written."""
    before = sorted(place.iterdir())
    assert run([name, *LINES[name], "--json", "none/result.json"]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "luckproof: --json: the folder none does not exist\n")
    assert sorted(place.iterdir()) == before


@pytest.mark.parametrize("name", having("quiet"))
def test_quiet_leaves_the_results(name, place, capsys):
    """Every line of it is one of the lines without ``--quiet``, or the file's name; nothing comes on stderr."""
    if name == "certify":
        pytest.importorskip("flint")
    code = run([name, *LINES[name]])
    loud = capsys.readouterr().out
    (place / "mine.py").unlink(missing_ok=True)
    assert run([name, *LINES[name], "--quiet"]) == code
    told = capsys.readouterr()
    assert told.err == ""
    if name == "new":
        assert told.out == "mine.py\n"
        return
    timeless = [re.sub(r"[\d.]+ s\b", "0 s", text) for text in (told.out, loud)]
    assert set(timeless[0].splitlines()) <= set(timeless[1].splitlines())
    assert told.out.strip()


@pytest.mark.parametrize("name", [name for name in having("out") if name not in ("new", "sweep")])
def test_nothing_is_replaced_in_silence(name, place, capsys):
    """A file that was there is named on stderr once it is another one, unless ``--quiet`` asks for silence."""
    if name == "certify":
        pytest.importorskip("flint")
    words = [name, *LINES[name]] if name == "figure" else [name, *LINES[name], "--out", "result"]
    run(words)
    assert capsys.readouterr().err == ""
    run(words)
    replaced = ["pictures/luckmatters.theorem5.png", "pictures/luckmatters.theorem5.nc"]
    expected = replaced if name == "figure" else ["result"]
    assert capsys.readouterr().err.splitlines() == [
        f"luckproof: --out: {file} was there already and is replaced" for file in expected
    ]
    run([*words, "--quiet"])
    assert capsys.readouterr().err == ""


def test_new_refuses_what_is_there(place, capsys):
    """A file to write code into is never replaced."""
    assert run(["new", *LINES["new"]]) == 0
    assert run(["new", *LINES["new"], "--quiet"]) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize("name", [n for n in having("out") if n not in ("new", "sweep", "figure")])
def test_a_folder_that_is_missing_is_not_made_for_a_file(name, place, capsys):
    """The same refusal everywhere, before anything runs."""
    assert run([name, *LINES[name], "--out", "none/result"]) == 2
    assert capsys.readouterr().err == "luckproof: --out: the folder none does not exist\n"


def test_a_word_that_is_no_option_of_a_command_is_left_alone():
    """Only the beginning of a message, and only names of the command's own arguments."""
    verify = COMMANDS["verify"]
    for message, seen in [
        ("seed: bad", "--seed: bad"),
        ("key: bad", "KEYS: bad"),
        ("file.py: bad", "file.py: bad"),
        ("the seed: bad", "the seed: bad"),
        ("own: bad", "--from: bad"),
        ("lr: bad", "lr: bad"),
    ]:
        assert verify.in_options(message) == seen
