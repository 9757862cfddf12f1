"""Statements of one's own by other ways in: an installed package offers them, and Dask's workers judge them."""

from __future__ import annotations

import json

import pytest

from tests.e2e.commands import REAL, command, environment
from tests.e2e.own_file import BESIDE, SOUND
from tests.e2e.test_sweeps_on_dask import Cluster


@pytest.fixture
def package(tmp_path):
    """A package with an entry point, as an installer leaves it; the path on which Python finds it."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "__init__.py").write_text("")
    text = SOUND.replace("from beside", "from theirs.beside")
    (tmp_path / "theirs" / "claims.py").write_text(text, encoding="utf-8")
    (tmp_path / "theirs" / "beside.py").write_text(BESIDE)
    info = tmp_path / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[luckproof.statements]\ntheirs = theirs.claims\n")
    return tmp_path


def with_package(package):
    return {"PYTHONPATH": f"{package}:{environment()['PYTHONPATH']}"}


def test_a_package_offers_its_statements(package):
    """Listed after the papers', judged by key in several processes, and the papers' are as they were."""
    listed = command("list", program=REAL, **with_package(package))
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.splitlines()[-1].startswith("mine.powers.corrected")
    assert "luckmatters.theorem4.sharp" in listed.stdout
    done = command("verify", "mine", "--jobs", 2, "--device", "cpu", program=REAL, **with_package(package))
    assert done.returncode == 0, done.stderr
    assert "2 statements, all as expected" in done.stdout


def test_a_broken_package_is_one_line_and_leaves_the_papers_alone(package):
    """It is named with what it raised, where it is needed."""
    (package / "theirs" / "claims.py").write_text("1 / 0\n")
    broken = command("verify", "mine", program=REAL, **with_package(package))
    assert broken.returncode == 2
    assert broken.stderr == (
        "luckproof: entry point theirs = theirs.claims (luckproof.statements): "
        "ZeroDivisionError('division by zero')\n"
    )
    assert command("list", "luckmatters.lemma6", program=REAL, **with_package(package)).returncode == 0


def test_workers_of_dask_judge_a_file(tmp_path):
    """With the verdicts of this machine; they stand in other folders and read the file where it is."""
    (tmp_path / "mytheorem.py").write_text(SOUND, encoding="utf-8")
    (tmp_path / "beside.py").write_text(BESIDE)
    (tmp_path / "cluster").mkdir()
    cluster = Cluster(tmp_path / "cluster")
    words = ["verify", "--from", "mytheorem.py", "--device", "cpu", "--json"]
    try:
        there = command(*words, "dask.json", "--scheduler", cluster.address, program=REAL, cwd=tmp_path)
    finally:
        cluster.end()
    assert there.returncode == 0, there.stderr
    here = command(*words, "here.json", "--jobs", 1, program=REAL, cwd=tmp_path)
    assert here.returncode == 0, here.stderr
    found = [json.loads((tmp_path / f"{name}.json").read_text())["statements"] for name in ("dask", "here")]
    there_and_here = [[{**record, "seconds": 0} for record in records] for records in found]
    assert there_and_here[0] == there_and_here[1]
