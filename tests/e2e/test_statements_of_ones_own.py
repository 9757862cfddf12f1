"""A statement in a file of the user's is judged as the papers' are; what is wrong with the file is one line."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
from html.parser import HTMLParser
from pathlib import Path

import pytest

from luckproof import (
    RunInfo,
    check,
    check_all,
    judge,
    make_context,
    statements,
    statements_from,
    write_html,
)
from tests.e2e.commands import REAL, command
from tests.e2e.own_file import BESIDE, SOUND, placed
from verify.command.main import run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the file and what it imports, outside this project; the current one."""
    return placed(tmp_path, monkeypatch)


class Commands(HTMLParser):
    """The commands in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.found += re.findall(r"luckproof verify .*", data)


def test_it_is_judged_and_every_printed_command_works(folder, capsys):
    """Shrunk, confirmed, attacked, in a page under its own title; each command in it carries the file and runs."""
    words = ["verify", "--from", "mytheorem.py", "--attack", "40", "--jobs", "1", "--json", "v.json"]
    assert run([*words, "--report", "r.html", "--title", "Powers & roots"]) == 0
    told = capsys.readouterr()
    assert "mine.powers.printed" in told.out
    assert "2 statements, all as expected" in told.out
    refuted, held = json.loads(Path("v.json").read_text())["statements"]
    assert refuted["counterexamples"]["smallest"]["instance"] == {"n": 8}
    assert refuted["confirmation"]["margin"] < 0
    assert held["attack"]["evaluations"] == 40
    page = Path("r.html").read_text()
    assert "<title>Powers &amp; roots</title>" in page
    assert "theory papers" not in page
    commands = Commands(page).found
    assert len(commands) >= 5
    for line in dict.fromkeys(commands):
        assert "--from mytheorem.py" in line
        assert run(shlex.split(line)[1:]) == 0, line
    told = capsys.readouterr().out
    assert "the claim fails here" in told
    assert "confirmed:" in told


def test_a_page_without_a_title_is_about_the_file(folder, capsys):
    """Not about the papers; one about both says so as ever."""
    assert run(["verify", "--from", "mytheorem.py", "--jobs", "1", "--report", "r.html"]) == 0
    assert "<title>Statements of mytheorem.py, put to the test</title>" in Path("r.html").read_text()
    both = ["mine", "luckmatters.theorem4.index.printed"]
    assert run(["verify", *both, "--from", "mytheorem.py", "--jobs", "1", "--report", "r.html"]) == 0
    assert "<title>Two theory papers" in Path("r.html").read_text()


def test_it_is_listed_and_shown(folder, capsys):
    """With its form and place, the file's line among them; a key chooses."""
    assert run(["list", "--from", "mytheorem.py"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        "Statement", "mine.powers.printed", "mine.powers.corrected",
    ]  # fmt: skip
    assert run(["list", "--from", "mytheorem.py", "powers.printed", "--json", "-"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["name"] == "mine.powers.printed"
    assert run(["show", "--from", "mytheorem.py", "mine.powers.corrected"]) == 0
    told = capsys.readouterr().out
    assert "place: My note, Proposition 1" in told
    assert "file: mytheorem.py:16" in told


def test_processes_judge_as_one(folder, capsys):
    """Workers import the file anew and give the very verdicts."""
    found = []
    for jobs in ("1", "2"):
        assert run(["verify", "--from", "mytheorem.py", "--jobs", jobs, "--json", f"{jobs}.json"]) == 0
        records = json.loads(Path(f"{jobs}.json").read_text())["statements"]
        found.append([{**record, "seconds": 0} for record in records])
    assert found[0] == found[1]


def test_kept_verdicts_go_with_the_code(folder, capsys):
    """The file's and that of what it imports from beside it; other files are nothing to them."""
    words = ["verify", "--from", "mytheorem.py", "--jobs", "1", "--resume", "kept"]

    def judged() -> int:
        """Statements that were judged, not read."""
        assert run(words) == 0
        return capsys.readouterr().err.count("mine.powers")

    assert judged() == 2
    assert judged() == 0
    (folder / "other.py").write_text("x = 1\n")
    assert judged() == 0
    (folder / "beside.py").write_text(BESIDE + "# another version\n")
    assert judged() == 2
    (folder / "mytheorem.py").write_text(SOUND + "\nX = 1\n", encoding="utf-8")
    assert judged() == 2


def test_python_judges_it_by_public_names(folder):
    """The file's statements, one that is at hand, and a page of them."""
    own = statements_from("mytheorem.py")
    assert list(own) == ["mine.powers.printed", "mine.powers.corrected"]
    assert [str(verdict.outcome) for verdict in check_all(own)] == ["refuted", "holds"]
    held = own["mine.powers.corrected"]
    verdicts = check_all([held, "luckmatters.theorem4.index.printed"])
    assert [verdict.as_expected for verdict in verdicts] == [True, True]
    assert check(held).as_expected
    verdict = judge(held)
    assert verdict.as_expected
    write_html("mine.html", [verdict], RunInfo.of(make_context("quick", "cpu", 0)), title="Mine")
    page = Path("mine.html").read_text()
    assert "<h1>Mine</h1>" in page
    assert Commands(page).found
    assert all("--from mytheorem.py" in line for line in Commands(page).found)


def test_the_command_works_from_a_folder_of_ones_own(folder):
    """As a process, from outside this project."""
    done = command("verify", "--from", "mytheorem.py", "powers", "--jobs", 2, program=REAL, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def altered(old: str, new: str) -> str:
    assert old in SOUND
    return SOUND.replace(old, new, 1)


RAISES = altered(
    "    return Evidence.at_most(float(number.n)",
    "    return 1 / 0\n    return Evidence.at_most(float(number.n)",
)

WRONG = {
    "no Python": ("def f(:\n", r"mytheorem\.py:1: SyntaxError: invalid syntax"),
    "raises": (SOUND + "\n\nundefined_name\n", r"mytheorem\.py:\d+: NameError: name 'undefined_name' is not defined"),
    "leaves": ("import sys\nsys.exit(3)\n", r"mytheorem\.py:2: SystemExit: 3"),
    "nothing": ("x = 1\n", r"mytheorem\.py: expected statements \(Item.*\), found none at its top level; .*"),
    "only the papers'": (
        "from verify.luckmatters.lemma6 import contracts\n",
        r"mytheorem\.py: expected statements .*none at its top level; .*",
    ),
    "no control": (
        altered('grows.rejects("its root", Number(n=2), power=-1)', ""),
        r"mytheorem\.py:16: statement mine\.powers\.corrected: needs at least one control",
    ),
    "no confirmation": (
        altered("@shrinks.confirmed_precisely(digits=0)", ""),
        r"mytheorem\.py:\d+: statement mine\.powers\.printed: needs a confirmation by \.confirmed_precisely or \..*",
    ),
    "not frozen": (
        altered("@dataclass(frozen=True)", "@dataclass"),
        r"mytheorem\.py:\d+: statement mine\.powers\.\w+: needs instances that are a frozen dataclass.*",
    ),
    "a word that is no outcome": (
        altered('expected="holds"', 'expected="true"'),
        r"mytheorem\.py:16: ValueError: expected: expected one of holds, .*, got 'true'",
    ),
    "a word that is no form": (
        altered('claim("corrected"', 'claim("mended"'),
        r"mytheorem\.py:16: ValueError: form: expected one of printed, .*, got 'mended'",
    ),
    "a text for a source": (
        altered('Source("My note", "Proposition 1")', '"My note"'),
        r"mytheorem\.py:8: TypeError: source: expected a Source, got 'My note'",
    ),
    "no claim": (
        altered('"""Powers are not smaller\n\n    n ≤ n²\n    """', '"""Powers"""'),
        r"mytheorem\.py:\d+: ValueError: grows: expected a docstring with a title, an empty line and the claim.*",
    ),
    "a key that is taken": (
        altered('"mine.powers"', '"luckmatters.lemma6"'),
        r"mytheorem\.py:\d+: statement luckmatters\.lemma6\.\w+: expected another key, one of the papers' .*",
    ),
    "a field misspelt": (
        altered("Number(n=2), power=-1", "Number(m=2), power=-1"),
        r"mytheorem\.py:25: TypeError: Number\.__init__\(\) got an unexpected keyword argument 'm'",
    ),
    "a name misspelt": (
        altered("import Evidence,", "import Evidense,"),
        r"mytheorem\.py:6: ImportError: cannot import name 'Evidense' from 'luckproof' .*; did you mean 'Evidence'\?",
    ),
    "a control of what is not there": (
        altered("power=-1", "powr=-1"),
        r"mytheorem\.py:16: statement mine\.powers\.corrected: needs controls that alter what its evidence takes, not "
        r"powr \(it takes power\)",
    ),
    "an outcome of another form": (
        altered('expected="holds"', 'expected="not needed"'),
        r"mytheorem\.py:16: statement mine\.powers\.corrected: needs an expected outcome that it can have \(holds, "
        r"refuted, vacuous, inconclusive; got not needed\)",
    ),
    "evidence with a name misspelt": (
        altered("bound=power_of(number.n, power)", "bound=power_of(number.n, powr)"),
        r"mine\.powers\.corrected: the instance .* raised NameError: name 'powr' is not defined; did you mean 'power'"
        r"\? \(mytheorem\.py:22\)",
    ),
    "outside its domain": (
        altered("Number(n=2), power=-1", "Number(n=0), power=-1"),
        r"mytheorem\.py:25: ValueError: Number\.n: expected an integer >= 1, got 0",
    ),
    "evidence that raises": (
        RAISES,
        r"mine\.powers\.corrected: the instance .* raised ZeroDivisionError: division by zero \(mytheorem\.py:22\)",
    ),
    "a number for evidence": (
        altered("return Evidence.at_most(float(number.n)", "return 1.0 or Evidence.at_most(float(number.n)"),
        r"mine\.powers\.corrected: the instance .* raised TypeError: evidence: expected Evidence, got 1\.0",
    ),
    "an array for a margin": (
        altered("bound=power_of(number.n, power), tol", "bound=__import__('numpy').ones(3), tol"),
        r"mine\.powers\.corrected: the instance .* raised TypeError: evidence: predicted: expected a number, got an.*",
    ),
    "a number for an assumption": (
        altered('expected="holds",', 'expected="holds", assume=lambda number: 1.0,'),
        r"mine\.powers\.corrected: the instance .* TypeError: assumptions: expected a tuple of Assumption, got 1\.0",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", WRONG)
def test_what_is_wrong_with_the_file_is_one_line(folder, capsys, fault):
    """That names the file, the place and what was expected; exit code 2."""
    text, words = WRONG[fault]
    (folder / "mytheorem.py").write_text(text, encoding="utf-8")
    assert run(["verify", "--from", "mytheorem.py", "--jobs", "1", "mine" if "mine" in text else "*"]) == 2
    told = capsys.readouterr().err
    assert re.fullmatch(rf"luckproof: {words}\n", told), told


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["nowhere.py"], "--from: nowhere.py: no such file"),
        (["."], "--from: .: expected a regular file, got a folder"),
        (["notes.md"], "--from: expected a Python file that ends in .py, got notes.md"),
        (["mytheorem.py", "power"], "KEYS: no statement is called 'power'; did you mean mine.powers?"),
        (
            ["mytheorem.py", "--from", "again.py"],
            "again.py:28: statement mine.powers.printed: expected another key, mytheorem.py has this one",
        ),
        (["mytheorem.py", "--title", "Mine"], "--title: is the title of a page, so it needs words and --report"),
        (
            ["mytheorem.py", "mine", "--instance", "{}"],
            "KEYS: 'mine' has several statements, name one (or give its form): mine.powers.printed, "
            "mine.powers.corrected",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_one_line(folder, capsys, words, complaint):
    """As elsewhere."""
    (folder / "notes.md").write_text("words")
    (folder / "again.py").write_text(SOUND, encoding="utf-8")
    assert run(["verify", "--from", *words]) == 2
    assert capsys.readouterr().err == f"luckproof: {complaint}\n"


def test_a_failure_that_nobody_expected_is_shown_with_its_command(folder, capsys):
    """Both sides, the instance, how to have it confirmed, and a command that repeats it."""
    text = altered("bound=power_of(number.n, power)", "bound=30.0")
    (folder / "mytheorem.py").write_text(text, encoding="utf-8")
    assert run(["verify", "--from", "mytheorem.py", "mine.powers.corrected", "--jobs", "1"]) == 1
    told = capsys.readouterr().out
    assert "add one by .confirmed_precisely or .replicated" in told
    assert "\n    n 31, to be ≤ its power 30\n    on Number(n=31); again: luckproof verify" in told
    again = shlex.split(told.split("again: luckproof ")[1].splitlines()[0])
    assert run(again) == 1
    assert "the claim fails here" in capsys.readouterr().out


def test_a_control_that_fails_is_said_in_place_of_the_outcome(folder, capsys):
    """The outcome may be the expected one."""
    text = altered("power=-1", "power=2")
    (folder / "mytheorem.py").write_text(text, encoding="utf-8")
    assert run(["verify", "--from", "mytheorem.py", "mine.powers.corrected", "--jobs", "1"]) == 1
    told = capsys.readouterr().out
    assert (
        "holds, but a control did not come out as it must (the control 'its root' was not rejected)" in told
    )


def test_an_instance_on_which_the_code_raises_is_one_line(folder, capsys):
    """With the place, under ``--instance`` too."""
    (folder / "mytheorem.py").write_text(RAISES, encoding="utf-8")
    words = ["verify", "--from", "mytheorem.py", "mine.powers.corrected", "--instance", "{}"]
    assert run(words) == 2
    assert capsys.readouterr().err == (
        "luckproof: mytheorem.py:22: mine.powers.corrected: ZeroDivisionError: division by zero\n"
    )


def test_the_papers_are_as_they_were(folder):
    """A file of one's own leaves no trace in the registry."""
    before = list(statements)
    statements_from("mytheorem.py")
    assert list(statements) == before
    assert all(statement.origin is None for statement in statements.values())


def test_an_incomplete_statement_is_refused_in_python_too(folder):
    """By what asks for a verdict to rely on."""
    bare = dataclasses.replace(statements_from("mytheorem.py")["mine.powers.corrected"], controls=())
    for asked in (lambda: check(bare), lambda: check_all([bare])):
        with pytest.raises(ValueError, match=r"^mytheorem\.py:16: statement .* needs at least one control$"):
            asked()
