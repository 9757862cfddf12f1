"""Same seed, same bits, whatever order sets and hashes have in a process (``PYTHONHASHSEED``)."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import command

HASH_SEEDS = "0", "4294967295"
STATEMENTS = "luckmatters.lemma1", "luckmatters.theorem4.sharp", "specialization.lemma1"
POINT = 'command = "{command}"\n[base]\nd = 5\nm = 2\n{length}\n[grid]\nseed = [3]\n'


SEVERAL = """import sys
from verify.command.main import run
if __name__ == "__main__":
    for line in sys.argv[1:]:
        assert run(line.split()) == 0, line
"""
"""A program that runs one command line after the other: what they load is loaded once."""


def verdicts(path: Path) -> dict[str, Any]:
    """The JSON of a run, but for what is of its time."""
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    del data["created"]
    for record in data["statements"]:
        del record["seconds"]
    return data


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def made(folder: Path, hash_seed: str) -> dict[str, Any]:
    """A few verdicts, a simulation, a training and a sweep's point of each kind, by a process of one hash seed."""

    folder.mkdir()
    (folder / "several.py").write_text(SEVERAL)
    for name, length in (("simulate", "t_end = 20"), ("train", "steps = 50")):
        (folder / f"{name}.toml").write_text(POINT.format(command=name, length=length))
    lines = [
        f"verify {' '.join(STATEMENTS)} --device cpu --jobs 1 --json v.json",
        "simulate --d 5 --m 2 --t-end 20 --seed 3 --out s.nc",
        "train --d 5 --m 2 --steps 50 --seed 3 --device cpu --out t.nc",
        "sweep simulate.toml --out simulate --jobs 1",
        "sweep train.toml --out train --jobs 1",
    ]
    program = [sys.executable, "several.py"]
    done = command(*lines, program=program, cwd=folder, PYTHONHASHSEED=hash_seed)
    assert done.returncode == 0, done.stderr
    files = sorted(path for path in folder.rglob("*.nc"))
    assert len(files) == 4
    return {
        "verdicts": verdicts(folder / "v.json"),
        **{str(path.relative_to(folder)): digest(path) for path in files},
    }


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return made(tmp_path_factory.mktemp("hashes") / "first", HASH_SEEDS[0])


@pytest.mark.parametrize("hash_seed", HASH_SEEDS[1:])
def test_verdicts_runs_and_points_are_the_same(tmp_path: Path, hash_seed: str, first: dict[str, Any]) -> None:
    """Every record, and every byte of the files."""
    assert made(tmp_path / "other", hash_seed) == first


def test_the_hash_seed_reaches_the_process() -> None:
    """Control: two of these seeds do order a set of texts differently."""
    program = [sys.executable, "-c", "print(*{f'name {i}' for i in range(20)})"]
    shown = {command(program=program, PYTHONHASHSEED=seed).stdout for seed in HASH_SEEDS}
    assert len(shown) == len(HASH_SEEDS)
