"""What a command says and where: results on standard output, remarks on stderr; with ``--json -`` the JSON alone."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dynamics.ode.progress_bar import on_stderr
from verify.command.errors import boundary

if TYPE_CHECKING:
    from dynamics.ode.progress_bar import Bar

STANDARD_OUTPUT = Path("-")


@dataclass
class Output:
    """The voice of one command.

    Attributes:
        quiet: no progress and no remarks.
        json: where the result goes as JSON; None: nowhere.
        text: what goes to standard output in the end, where ``json`` is ``-``.
        older: files that were there when the command began.
    """

    quiet: bool = False
    json: Path | None = None
    text: str = field(default="", init=False)
    older: set[Path] = field(default_factory=set, init=False)

    @property
    def alone(self) -> bool:
        """Whether standard output is for the JSON alone."""
        return self.json == STANDARD_OUTPUT

    @property
    def json_file(self) -> Path | None:
        """The file of the JSON; None where there is none."""
        return None if self.alone else self.json

    def result(self, *lines: str) -> None:
        """Print results."""
        if not self.alone:
            typer.echo("\n".join(lines))

    def remark(self, line: str) -> None:
        """Say something beside the results, on stderr."""
        if not self.quiet:
            on_stderr(f"luckproof: {line}")

    def hint(self, *lines: str) -> None:
        """Say something about the results, right under them."""
        if not self.quiet:
            self.result(*lines)

    @contextmanager
    def bar(self, what: str, **more: Any) -> Iterator[Bar]:
        """See :func:`dynamics.ode.progress_bar.progress_bar`."""
        from dynamics.ode.progress_bar import progress_bar

        with progress_bar(what, wanted=not self.quiet, **more) as bar:
            yield bar

    def will_write(self, path: Path) -> None:
        """Remember whether a file is there already."""
        if path.is_file():
            self.older.add(path)

    def written(self, option: str, path: Path) -> None:
        """Remark that a file which was there already is another one now."""
        if path in self.older:
            self.remark(f"{option}: {path} was there already and is replaced")

    def write_json(self, data: Any) -> None:
        """Write strict JSON where it was asked for."""
        if self.json is not None:
            self.write_json_text(json_text(data))

    def write_json_text(self, text: str) -> None:
        """Write ``text``, which is JSON, where it was asked for."""
        from dynamics.files.writing import write_atomically

        if self.alone:
            self.text = text
        elif self.json is not None:
            with boundary():
                write_atomically(self.json, text, "--json")
            self.written("--json", self.json)


def json_text(data: Any) -> str:
    """Strict JSON, with a line break at its end."""
    return json.dumps(data, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


@contextmanager
def output(quiet: bool = False, json: Path | None = None) -> Iterator[Output]:
    """The voice of a command, for its whole length.

    For ``--json -`` whatever is printed meanwhile, by code of the user's own and by processes too, goes to stderr; the
    JSON is printed when the command ends, in whichever way.
    """
    voice = Output(quiet, json)
    if not voice.alone:
        yield voice
        return
    try:
        with _prints_to_stderr():
            yield voice
    finally:
        if voice.text:
            typer.echo(_in_the_encoding_of(sys.stdout, voice.text), nl=False)


def _in_the_encoding_of(stream: Any, text: str) -> str:
    """``text``, which is JSON, with what the stream cannot say as JSON's own escapes."""
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return json_ascii(text)
    return text


def json_ascii(text: str) -> str:
    """JSON in ASCII alone: characters beyond it stand in strings, where each has an escape."""
    return "".join(c if c.isascii() else json.dumps(c)[1:-1] for c in text)


@contextmanager
def _prints_to_stderr() -> Iterator[None]:
    stream, kept = sys.stdout, os.dup(1)
    stream.flush()
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        stream.flush()  # what was printed to it by a name of its own
        os.dup2(kept, 1)
        os.close(kept)
