"""A verdict read from its file is the one that was reached, of the same types; damage to it is named."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from luckproof import DamagedFileError, Evidence, Record, RunInfo, Verdict, judge, make_context, statements
from tests.test_verify.judging import toy_statements
from verify.judging.trials.kept_verdicts import KeptVerdicts, code_version
from verify.report import as_records

NAMES = (
    "luckmatters.theorem4.printed",  # refuted: counterexamples and a confirmation
    "luckmatters.theorem4.sharp",  # holds
    "luckmatters.assumption1.necessity",  # instances with tuples of tuples
    "luckmatters.theorem4.vacuity.sharp",
)
CONTEXT = make_context("quick", "cpu", 0, attack=20)


def same(one: Any, other: Any) -> bool:
    """Equality of values and of types, part by part; a mapping is one of any kind."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return list(one) == list(other) and all(same(one[name], other[name]) for name in one)
    if type(one) is not type(other):
        return False
    if dataclasses.is_dataclass(one) and not isinstance(one, type):
        names = [field.name for field in dataclasses.fields(one) if field.name != "statement"]
        return all(same(getattr(one, name), getattr(other, name)) for name in names)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    return bool(one == other) or (one != one and other != other)


def kept_again(verdict: Verdict, folder: Path) -> Verdict:
    kept = KeptVerdicts(folder, CONTEXT)
    kept.keep(verdict)
    found = kept.find(verdict.statement)
    assert found is not None
    return found


@pytest.mark.parametrize("name", NAMES)
def test_verdicts_of_the_papers_come_back(tmp_path: Path, name: str) -> None:
    """Records, counterexamples, confirmation, controls and the attack; and what JSON and report say of them."""
    verdict = judge(statements[name], CONTEXT)
    found = kept_again(verdict, tmp_path)
    assert same(found, verdict)
    info = RunInfo.of(CONTEXT)
    assert as_records([found], info) == as_records([verdict], info)


def test_every_kind_of_detail_comes_back(tmp_path: Path) -> None:
    """NumPy's numbers and arrays, NaN and infinities, tuples, texts of any characters, nothing."""
    details = {
        "a": np.float32(0.1), "b": np.int64(5), "c": np.arange(4.0).reshape(2, 2), "d": (1, 2.5, None), "e": [np.nan],
        "f": float("-inf"), "g": "β ≤ \ud800\n", "h": True, "i": {"x": (np.bool_(True),)}, "j": 2**70, "k": -0.0,
        "l": np.zeros(0), "m": "", "n": {},
    }  # fmt: skip
    statement = toy_statements.HOLDS
    record = Record(
        statement.examples[0],
        (),
        Evidence(predicted=1.0, measured=np.float64(2.0), margin=1.0, details=details),
    )
    verdict = dataclasses.replace(judge(statement, CONTEXT), records=(record,), seconds=0.1)
    assert same(kept_again(verdict, tmp_path), verdict)


def test_the_comparison_sees_types() -> None:
    """Control."""
    assert not same({"a": 1}, {"a": 1.0})
    assert not same((1,), [1])
    assert not same(np.float64(1.0), 1.0)


def test_damage_is_named(tmp_path: Path) -> None:
    """One byte anywhere, a file cut short, a verdict under another's name."""
    kept = KeptVerdicts(tmp_path, CONTEXT)
    verdict = judge(toy_statements.HOLDS, CONTEXT)
    kept.keep(verdict)
    path = kept.path(verdict.statement)
    whole = path.read_bytes()
    for place in np.random.default_rng(0).integers(len(whole), size=60):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(DamagedFileError, match=r"^--resume: .*toy\.squares.* is damaged: .*judged again"):
            kept.find(verdict.statement)
    path.write_bytes(whole[:-200])
    with pytest.raises(DamagedFileError, match="its checksum is gone"):
        kept.find(verdict.statement)
    path.write_bytes(whole)
    path.rename(kept.path(toy_statements.REFUTED))
    with pytest.raises(DamagedFileError, match="it holds another verdict than its name says"):
        kept.find(toy_statements.REFUTED)
    assert kept.find(verdict.statement) is None


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.mkdir(), "got a folder"),
        (lambda path: os.mkfifo(path), "got a pipe"),
        (lambda path: path.symlink_to(path.name), "circle of links"),
        (lambda path: path.symlink_to("nowhere/file"), "does not exist"),
    ],
)
def test_what_is_no_file_is_refused_before_judging(
    tmp_path: Path, make: Callable[[Path], None], words: str
) -> None:
    """In the words of a damaged file, which the command takes for bad input; a link to a new file is followed."""
    kept = KeptVerdicts(tmp_path, CONTEXT)
    make(kept.path(toy_statements.HOLDS))
    with pytest.raises(DamagedFileError, match=rf"^--resume: .*{words}.*; remove it, .*judged again"):
        kept.find(toy_statements.HOLDS)
    kept.path(toy_statements.REFUTED).symlink_to("new")
    assert kept.find(toy_statements.REFUTED) is None


def test_stored_numbers_are_part_of_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proved rates and recorded attacks decide verdicts as the source does."""
    place = tmp_path / "verify" / "judging" / "trials" / "kept_verdicts.py"
    place.parent.mkdir(parents=True)
    monkeypatch.setattr("verify.judging.trials.kept_verdicts.__file__", str(place))
    found = set()
    for name in ("a.py", "a.py", "rates.json", "page.md"):
        with (place.parent / name).open("a") as file:
            file.write("1")
        found.add(code_version.__wrapped__())
    assert len(found) == 3  # the last is no part


def test_other_settings_and_other_code_are_other_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seed, budget, device, attack, and any line of the source."""
    statement = toy_statements.HOLDS
    paths = {KeptVerdicts(tmp_path, context).path(statement) for context in (
        CONTEXT, make_context("quick", "cpu", 1, attack=20), make_context("full", "cpu", 0, attack=20),
        make_context("quick", "cpu", 0, attack=21), dataclasses.replace(CONTEXT, device="cuda"),
    )}  # fmt: skip
    assert len(paths) == 5
    assert len(code_version()) == 64
    monkeypatch.setattr("verify.judging.trials.kept_verdicts.code_version", lambda: "other")
    assert KeptVerdicts(tmp_path, CONTEXT).path(statement) not in paths
