"""What one's own statement survived is kept beside its file and shown; when the code changes it is said to be old."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from luckproof import statements_from
from tests.e2e.commands import REAL, command
from tests.e2e.own_file import SOUND, placed
from tests.e2e.test_statements_from_elsewhere import package, with_package  # noqa: F401
from verify.command.main import run

HELD = "mine.powers.corrected"
RECORD = ["verify", "--from", "mytheorem.py", "--jobs", "1", "--attack", "30", "--record"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a file of statements."""
    return placed(tmp_path, monkeypatch)


def entries() -> dict:
    return json.loads(Path("mytheorem.attacks.json").read_text(encoding="utf-8"))


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    """The line of ``show`` on the attack; empty without one."""
    capsys.readouterr()
    assert run(["show", "--from", "mytheorem.py", HELD]) == 0
    lines = capsys.readouterr().out.splitlines()
    return next((line for line in lines if line.startswith("attack: ")), "")


def test_it_is_recorded_and_shown_everywhere(folder, capsys):
    """Of the statement that holds alone; by ``show``, ``list``, the table, the page and JSON."""
    assert shown(capsys) == ""
    assert run(RECORD) == 0
    assert "On record in mytheorem.attacks.json." in capsys.readouterr().out
    assert list(entries()) == [HELD]
    assert entries()[HELD]["evaluations"] == 30
    assert shown(capsys).startswith("attack: survived 30 evaluations (2")
    assert run(["list", "--from", "mytheorem.py", "--json", "-"]) == 0
    assert [entry["attack"] for entry in json.loads(capsys.readouterr().out)] == [0, 30]
    words = ["verify", "--from", "mytheorem.py", "--jobs", "1", "--report", "r.html", "--json", "v.json"]
    assert run(words) == 0
    assert "survived 30 evaluations" in capsys.readouterr().out
    page = Path("r.html").read_text(encoding="utf-8")
    assert "Attack: survived 30 evaluations" in page
    assert "before its code was last changed" not in page
    failed, held = json.loads(Path("v.json").read_text())["statements"]
    assert failed["attack"] is None
    assert held["attack"]["recorded"]
    assert not held["attack"]["stale"]


@pytest.mark.parametrize(
    ("file", "old", "new", "stale"),
    [
        ("mytheorem.py", "Powers are not smaller", "Powers are larger or equal", False),
        ("mytheorem.py", "st.integers(1, 100)", "st.integers(1, 200)", True),
        ("beside.py", "float(n)", "1.0 * n", True),
        ("beside.py", "def", "# words\ndef", False),
    ],
)
def test_it_is_of_the_code_at_its_time(folder, capsys, file, old, new, stale):
    """Words may change; the code of the file and of what it imports from beside it may not unsaid."""
    assert run(RECORD) == 0
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    assert ("before its code was last changed" in shown(capsys)) == stale
    assert run(["list", "--from", "mytheorem.py", "--json", "-"]) == 0
    assert [entry["attack"] for entry in json.loads(capsys.readouterr().out)] == [0, 0 if stale else 30]
    assert run(["verify", "--from", "mytheorem.py", HELD, "--jobs", "1", "--json", "v.json"]) == 0
    (held,) = json.loads(Path("v.json").read_text())["statements"]
    assert held["attack"]["stale"] == stale
    assert run(RECORD) == 0
    assert "before" not in shown(capsys)


def test_statements_that_are_gone_leave_the_record(folder, capsys):
    """Others that were not attacked this time stay in it."""
    assert run(RECORD) == 0
    kept = entries()[HELD]
    renamed = SOUND.replace('"mine.powers"', '"mine.squares"')
    other = SOUND.split("@CLAIM")[1].replace("grows", "still").replace('"corrected"', '"sharp"')
    (folder / "mytheorem.py").write_text(SOUND + "\n\n@CLAIM" + other, encoding="utf-8")
    assert run([*RECORD, "mine.powers.sharp"]) == 0
    assert entries()[HELD] == kept
    assert set(entries()) == {HELD, "mine.powers.sharp"}
    (folder / "mytheorem.py").write_text(renamed, encoding="utf-8")
    assert run(RECORD) == 0
    assert list(entries()) == ["mine.squares.corrected"]


def test_one_that_falls_is_on_record_as_fallen(folder, capsys):
    """Outside the drawn range the claim fails, which the attack finds; the record says so until the next."""
    weak = SOUND.replace("bound=power_of(number.n, power)", "bound=power_of(min(number.n, 400), power)")
    weak = weak.replace("n ≤ n²", "n ≤ min(n, 400)²").replace("400", "15")
    (folder / "mytheorem.py").write_text(weak, encoding="utf-8")
    assert run([*RECORD[:6], "400", "--record", HELD]) == 1
    assert entries()[HELD]["survivors"] >= 1
    assert shown(capsys).startswith("attack: fell in an attack of ")
    assert run(["list", "--from", "mytheorem.py", "--json", "-", HELD]) == 0
    assert json.loads(capsys.readouterr().out)[0]["attack"] == 0


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "[1]", '{"mine.powers.corrected": 3}', '{"mine.powers.corrected": {"evaluations": "many"}}',
     '{"mine.powers.corrected": {"evaluations": -1, "smallest_margin": 0, "unjudged": 0, "survivors": 0, "day": ""}}'],
)  # fmt: skip
def test_a_record_that_is_none_is_one_line(folder, capsys, text):
    """Before anything is judged; it is not written over."""
    Path("mytheorem.attacks.json").write_text(text)
    for words in (RECORD, RECORD[:5], ["show", *RECORD[1:3]], ["list", *RECORD[1:3]]):
        assert run(words) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.startswith(
            "luckproof: mytheorem.attacks.json: expected attacks as luckproof verify --record"
        )
        assert told.err.count("\n") == 1
    assert Path("mytheorem.attacks.json").read_text() == text


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            ["--from", "mytheorem.py", "--record"],
            "--record: keeps what came of an attack, so it needs --attack N",
        ),
        (
            ["luckmatters.lemma6.printed", "--attack", "5", "--record"],
            "--record: expected statements of one's own (--from FILE), got luckmatters.lemma6.printed",
        ),
    ],
)
def test_what_cannot_be_recorded_is_one_line(folder, capsys, words, complaint):
    """Before anything is judged; a folder in its place too."""
    assert run(["verify", *words]) == 2
    assert capsys.readouterr().err == f"luckproof: {complaint}\n"
    Path("mytheorem.attacks.json").mkdir()
    assert run(RECORD) == 2
    assert "expected a file to write, got the folder mytheorem.attacks.json" in capsys.readouterr().err


def test_nothing_is_recorded_where_nothing_holds(folder, capsys):
    assert run([*RECORD, "mine.powers.printed"]) == 0
    assert "No attack to record: none of the statements holds." in capsys.readouterr().out
    assert not Path("mytheorem.attacks.json").exists()


def test_code_that_changes_while_it_is_judged_is_not_recorded(folder, capsys):
    """What was attacked is not what stands there."""
    statements_from("mytheorem.py")
    text = SOUND.replace("return Evidence.at_most(float(number.n)", CHANGES)
    (folder / "mytheorem.py").write_text(text, encoding="utf-8")
    assert run(RECORD) == 2
    told = capsys.readouterr().err
    assert (
        told
        == "luckproof: --record: mytheorem.py: its code was changed while it was judged, so no attack is recorded\n"
    )
    assert not Path("mytheorem.attacks.json").exists()


CHANGES = """import pathlib
    pathlib.Path(__file__).with_name("beside.py").write_text("def power_of(n, power): return n ** power")
    return Evidence.at_most(float(number.n)"""


def test_a_package_has_its_record_beside_the_module(package):  # noqa: F811
    """Written where it is installed, an editable one say, and of the code of all its files."""
    words = ["verify", "mine", "--attack", 20, "--record", "--jobs", 1, "--device", "cpu"]
    done = command(*words, program=REAL, **with_package(package))
    assert done.returncode == 0, done.stderr
    assert list(json.loads((package / "theirs" / "claims.attacks.json").read_text())) == [HELD]
    listed = command("list", "mine", program=REAL, **with_package(package))
    assert "20 evaluations" in listed.stdout
    with (package / "theirs" / "beside.py").open("a") as file:
        file.write("x = 1\n")
    told = command("show", HELD, program=REAL, **with_package(package))
    assert "before its code was last changed" in told.stdout
