"""Finished verdicts in a folder: a run that was stopped goes on where it was, with the very records of one in one go.

One file for each statement: JSON with a checksum behind it. Its name ends in a hash of everything that decides the
verdict (budget, device, seed, attack, and the code, the
user's own too), so that verdicts of other settings stand beside it unread.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from dynamics.files.checksums import LENGTH, DamagedFileError, is_sealed, last_line
from dynamics.files.places import check_readable, check_writable
from dynamics.files.writing import write_atomically
from dynamics.ode.results.attributes import software_versions
from verify.judging.assumption import Assumption
from verify.judging.enclosing.enclosure import Enclosed
from verify.judging.enclosing.proof import Proof
from verify.judging.evidence import Context, Evidence
from verify.judging.statement import AnyStatement
from verify.judging.verdict import Attack, Record, Verdict
from verify.judging.vocabulary import Outcome

FORMAT = "luckproof verdict 1"

_KINDS = {kind.__name__: kind for kind in (Assumption, Evidence, Record, Attack, Enclosed, Proof)}
"""The parts of a verdict that are written field by field."""


@functools.cache
def code_version() -> str:
    """A hash of the project's source, its stored numbers, and the versions of what it computes with."""
    versions = software_versions() | {"python-flint": _version_of_flint()}
    found = hashlib.sha256(json.dumps(versions, sort_keys=True).encode())
    root = Path(__file__).parents[3]
    for package in ("dynamics", "nets", "verify"):
        for path in sorted([*(root / package).rglob("*.py"), *(root / package).rglob("*.json")]):
            found.update(f"{path.relative_to(root).as_posix()}\0".encode())
            found.update(path.read_bytes())
    return found.hexdigest()


def _version_of_flint() -> str:
    """Of the library that encloses margins; with it or without it the same run has other verdicts."""
    try:
        return metadata.version("python-flint")
    except metadata.PackageNotFoundError:
        return "not installed"


@dataclass(frozen=True)
class KeptVerdicts:
    """The verdicts of one run's settings in an existing ``folder``."""

    folder: Path
    context: Context

    def path(self, statement: AnyStatement) -> Path:
        """The file of a statement's verdict."""
        context = self.context
        key = [
            statement.name,
            context.budget.name,
            context.device,
            context.seed,
            context.attack,
            code_version(),
            "" if statement.origin is None else statement.origin.digest,
        ]
        return (
            self.folder / f"{statement.name}-{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:12]}.json"
        )

    def find(self, statement: AnyStatement) -> Verdict | None:
        """The verdict on ``statement``; None where there is no such file.

        Raises DamagedFileError where the file is not as it was written, or something else stands there.
        """
        path = self.path(statement)
        try:
            if not path.exists():
                check_writable("--resume", path)  # a link to nowhere: before the statement is judged
                return None
            data = check_readable("--resume", path).read_bytes()
        except (ValueError, OSError) as error:
            raise DamagedFileError(f"{error}; remove it, and the statement is judged again") from error
        try:
            if not is_sealed(io.BytesIO(data)):
                raise DamagedFileError("its checksum is gone")
            parts = json.loads(data[:-LENGTH])
            if (parts.pop("format"), parts.pop("statement")) != (FORMAT, statement.name):
                raise DamagedFileError("it holds another verdict than its name says")
            return Verdict(
                statement=statement, **{name: _made(part, statement) for name, part in parts.items()}
            )
        except (ValueError, TypeError, KeyError) as error:
            raise DamagedFileError(
                f"--resume: {str(path)!r} is damaged: {error}; remove it, and the statement is judged again"
            ) from error

    def keep(self, verdict: Verdict) -> None:
        """Write a verdict in one step."""
        fields = [f.name for f in dataclasses.fields(verdict) if f.name != "statement"]
        parts = {name: _plain(getattr(verdict, name)) for name in fields}
        content = {"format": FORMAT, "statement": verdict.statement.name, **parts}
        text = json.dumps(content).encode()
        write_atomically(self.path(verdict.statement), text + last_line(text), "--resume")


def _plain(value: Any) -> Any:
    """``value`` as JSON that :func:`_made` makes the same value of, of the same type."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Outcome):
        return {"outcome": str(value)}
    if isinstance(value, np.generic | np.ndarray):
        return {"array": np.asarray(value).tolist(), "dtype": value.dtype.str, "shape": list(value.shape)} | (
            {"scalar": True} if isinstance(value, np.generic) else {}
        )
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [_plain(item) for item in value]}
    if isinstance(value, Mapping):
        return {"mapping": [[_plain(key), _plain(item)] for key, item in value.items()]}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}
        kind = type(value).__name__ if type(value) in _KINDS.values() else "instance"
        return {"kind": kind, "fields": fields}
    if isinstance(value, int | float | str):  # their subclasses, such as names of choices
        return (
            _plain(value.value)
            if hasattr(value, "value")
            else {int: int, float: float}.get(type(value), str)(value)
        )
    raise TypeError(f"a verdict holds numbers, texts and instances, got {value!r}")


def _made(value: Any, statement: AnyStatement) -> Any:
    """The inverse of :func:`_plain`; instances are of the statement's type."""
    if isinstance(value, list):
        return [_made(item, statement) for item in value]
    if not isinstance(value, dict):
        return value
    if "outcome" in value:
        return Outcome(value["outcome"])
    if "tuple" in value:
        return tuple(_made(item, statement) for item in value["tuple"])
    if "mapping" in value:
        return {_made(key, statement): _made(item, statement) for key, item in value["mapping"]}
    if "array" in value:
        array = np.array(value["array"], dtype=value["dtype"]).reshape(value["shape"])
        return array[()] if value.get("scalar") else array
    fields = {name: _made(part, statement) for name, part in value["fields"].items()}
    return (_KINDS.get(value["kind"]) or statement.instance_type)(**fields)
