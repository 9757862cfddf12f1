"""Command lines with words that nobody meant: each ends with a code and one line of reason, and no half a file."""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from hypothesis import strategies as st

from tests.fuzz.judging import SECONDS, Fault, limited, small_machine
from tests.test_dynamics.ode.ode_problems import Hang
from verify.command.errors import BAD_INPUT, BROKEN, FAILED, UNEXPECTED, UNRESOLVED
from verify.command.main import app, run

KEY = "luckmatters.lemma6.printed"
SMALL = "--d 3 --m 2 --theta0 0.3 --points 3"

LINES: dict[str, str] = {
    "verify": f"{KEY} --jobs 1",
    "list": KEY,
    "show": KEY,
    "simulate": f"{SMALL} --t-end 1 --max-steps 50",
    "train": f"{SMALL} --steps 4 --batch-size 4 --networks 1 --device cpu",
    "compare": f"{SMALL} --steps 4 --batch-size 4 --networks 3 --device cpu",
    "certify": "--d 2 --m 2 --theta0 0.05 --max-steps 20",
    "sweep": "sweep.toml --out runs --dry-run",
    "figure": "luckmatters.theorem5 --out pictures --set networks=3 --set t_end=0.3",
    "bn-bias": "net.pth",
    "new": "flow mine",
}
"""The words of each command that are right, and done in a moment."""

SLOW = {"verify", "figure"}
"""Those of which fewer are drawn: they judge, or draw pictures."""

WORDS: list[str] = [
    "", " ", "a", "-", "--", "-1", "0", "1", "2", "3", "7", "1.5", "0.3", "+1", "1_0", "0x10", "1e3", "٣", "１",
    "nan", "inf", "-inf", "1e999", "1e308", "1e-308", "5e-324", "-0.0", "1/3", "1,2", "1:2", "0:2:3", "1/2", "2/1",
    str(2**31), str(2**63), str(10**30), "9" * 400, "auto", "cpu", "cuda", "cuda:99", "none", "None", "true", "True",
    "θ∞ñ", "e\u0301", "\u202eabc", "🎓", "a b", "a\nb", "a\tb", "\x1b[31mred", "\udcff", "%s", "{0}", "$HOME", "*", "~",
    "a" * 3000, "../x", ".", "..", "/", "/dev/null", "/nowhere/x", "x/y", "x.png", "x.svg", "x.nc", "x.json", "x.pdf",
    "{}", "[]", "{", "[1]", '{"a": 1}', "null", '"a"', "1e", "@x", "@sweep.toml", "sweep.toml", "net.pth", "a=1", "m=",
    "=1", "m=1e400", "epochs=nan", "quick", "full", "printed", KEY, "luckmatters.*", "tcp://", "tcp://127.0.0.1:1", "x",
    "projected", "two-layer", "gradient", "deep", "png", "RK45", "BDF", "CVODE", "gaussian", "biased", "orthonormal",
]  # fmt: skip

NOT_DRAWN = {
    "--scheduler": "an address that nobody answers is waited for",
    "--help": "of every command",
}
"""Options that are not drawn, with the reason."""


@dataclass(frozen=True)
class Option:
    """An option, or an argument (whose name begins without a dash), of one command."""

    name: str
    flag: bool = False

    def words(self, value: str) -> list[str]:
        if self.flag:
            return [self.name]
        return [self.name, value] if self.name.startswith("-") else [value]


def options(command: str) -> list[Option]:
    """What a command takes, as it is registered: new options are drawn too."""
    found = typer.main.get_command(app).commands[command].params  # type: ignore[attr-defined]
    return [
        Option(param.opts[0], bool(getattr(param, "is_flag", False)))
        for param in found
        if param.opts[0] not in NOT_DRAWN
    ]


@st.composite
def odd_words(draw: st.DrawFn, command: str) -> list[str]:
    """One or two options more, with any text as their value."""
    chosen = draw(st.lists(st.sampled_from(options(command)), min_size=1, max_size=2, unique=True))
    text = st.sampled_from(WORDS) | st.text(st.characters(exclude_characters="\0"), max_size=4)
    small = st.integers(-5, 12).map(str)
    numbers = st.floats(width=64).map(repr)
    return [word for option in chosen for word in option.words(draw(text | small | numbers))]


def line_came_out(command: str, odd: Sequence[str]) -> Fault | None:
    """Run a line in a folder of its own; what is wrong with how it ended, if anything."""
    with tempfile.TemporaryDirectory() as outer:
        folder = Path(outer) / "inside"  # ../x stays in a folder that goes away
        folder.mkdir()
        (folder / "sweep.toml").write_text(
            'command = "simulate"\n[base]\nd = 3\nm = 2\nt_end = 1\n[grid]\nseed = [0, 1]\n'
        )
        before = _content(Path(outer))
        words = [command, *LINES[command].split(), *odd]
        out, told = io.StringIO(), io.StringIO()
        try:
            streams = contextlib.redirect_stdout(out), contextlib.redirect_stderr(told)
            with contextlib.chdir(folder), limited(), small_machine(), streams[0], streams[1]:
                code = run(words)
        except Hang:
            return Fault("hang", f"still running after {SECONDS} s")
        except (Exception, SystemExit) as error:
            return Fault(type(error).__name__, str(error)[:200])
        left = sorted(_content(Path(outer)) - before)
        asked = [*odd, *(word for word in LINES[command].split() if len(word) > 3)]
        return _wrong(code, out.getvalue(), told.getvalue(), left, asked)


def _wrong(code: int, out: str, told: str, left: list[str], asked: Sequence[str]) -> Fault | None:
    lines = told.splitlines()
    if code == BROKEN:
        return Fault("something of ours broke", told[:300])
    if code not in (0, UNEXPECTED, BAD_INPUT, FAILED, UNRESOLVED):
        return Fault("an exit code of no meaning", f"{code}: {told[:200]}")
    if "Traceback" in told or "Warning" in told:
        return Fault("a traceback or a warning", told[-300:])
    if code in (BAD_INPUT, FAILED):
        if left:
            return Fault("partial file", str(left))
        if len(lines) != 1 or not lines[0].startswith("luckproof: "):
            return Fault("not one line of reason", told[:300])
    if code == BAD_INPUT and out:
        return Fault("output of what was refused", out[:200])
    if code == BAD_INPUT and not _names(lines[0], asked):
        return Fault("option not named", lines[0][:300])
    if len(told) > 2000:
        return Fault("an error without end", f"{len(told)} characters")
    return None


def _names(line: str, odd: Sequence[str]) -> bool:
    """Whether an option, or what came in its place, is named."""
    if re.search(r"(?<!\w)--?\w|^luckproof: \w+: expected|extra argument", line):
        return True
    return any(
        part and part in line
        for word in odd
        for part in (word[:40], " ".join(word.split())[:40], repr(word)[1:40])
    )


def _content(folder: Path) -> set[str]:
    return {os.fsdecode(path.relative_to(folder)) for path in folder.rglob("*")}


def registered() -> set[str]:
    """The commands that there are."""
    return set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
