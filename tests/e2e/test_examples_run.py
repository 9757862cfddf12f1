"""The examples are what the documentation says of them: each is judged, and the numbers come out."""

from __future__ import annotations

import json
import re
import shlex
import sys
from math import pi
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from luckproof import ProjectedFlow, TeacherStudent, integrate, spectral_rate, statements_from, teachers
from verify.command.main import run
from verify.testing.sceptic import complaint_of_script

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def judged(example: str, folder: Path, *words: str) -> list[dict[str, Any]]:
    """What a run says of an example, which comes out as it is recorded."""
    given = ["verify", "--from", str(EXAMPLES / example), "--jobs", "1", "--device", "cpu", *words]
    assert run([*given, "--json", str(folder / "v.json")]) == 0
    return json.loads((folder / "v.json").read_text(encoding="utf-8"))["statements"]


def test_every_example_is_named_in_the_documentation_and_tested_here():
    """None lies about."""
    page = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    here = Path(__file__).read_text(encoding="utf-8")
    names = [path.name for path in EXAMPLES.glob("*.py")]
    assert len(names) >= 3
    assert [name for name in names if name not in page or name not in here] == []


def test_balancedness_holds_in_sixty_lines(tmp_path):
    """A third paper's claim, with a flow of its own; it survives an attack."""
    (found,) = judged("balancedness.py", tmp_path, "--attack", "10")
    assert found["outcome"] == "holds"
    assert found["attack"]["evaluations"] == 10
    assert "v2" in found["place"]["text"]
    assert len((EXAMPLES / "balancedness.py").read_text(encoding="utf-8").splitlines()) <= 60


def test_leaky_students_have_their_kernels_and_their_rate(tmp_path):
    """Both statements hold; with slope 0 the rate is that of ReLU students."""
    kernels, rate = judged("leaky_theorem4.py", tmp_path)
    assert kernels["outcome"] == rate["outcome"] == "holds"
    assert rate["nonvacuous"] < rate["examples"]  # fewer than three teachers are outside


def test_the_leaky_measure_is_heard_by_the_flow(tmp_path):
    """Run, observables and the late rate are those of leaky students: the run's end decays as the Jacobian says."""
    file = EXAMPLES / "leaky_theorem4.py"
    module = sys.modules[next(iter(statements_from(file).values())).evidence.__module__]
    teacher = teachers.orthonormal(6, 3, 0)
    problem = TeacherStudent.at_angle(teacher, 0.2, 0, measure=module.LeakyGaussian(6, 0.3))
    flow = ProjectedFlow(problem)
    rate = spectral_rate(flow)
    assert rate == pytest.approx(0.49 * (1 / 4 - 1 / (2 * pi)), rel=1e-6)
    done = integrate(flow, (0, 300), t_eval=np.array([0.0, 200.0, 300.0]))
    sines = done.observables["sin_theta"].max(axis=-1)
    assert np.log(sines[1] / sines[2]) / 100 == pytest.approx(rate, rel=1e-3)


def test_the_false_claim_shows_a_smallest_and_a_telling_counterexample(tmp_path, capsys):
    """As the page says, and each is repeated by its command."""
    (found,) = judged("a_false_claim.py", tmp_path)
    smallest, telling = found["counterexamples"]["smallest"], found["counterexamples"]["telling"]
    assert smallest["instance"] == {"m": 2, "extra": 1}
    assert smallest["measured"] == pytest.approx(1 / 4, abs=1e-8)
    assert telling["instance"]["m"] >= 3
    assert telling["measured"] == pytest.approx(1 / 4 - 1 / (2 * pi), abs=1e-8)
    assert found["confirmation"]["margin"] == pytest.approx(-1 / 4)  # the rate itself: no direction is slower
    capsys.readouterr()
    assert run(shlex.split(telling["command"])[1:]) == 0
    assert "the claim fails here" in capsys.readouterr().out


def test_the_false_claim_has_a_sceptics_script(capsys):
    """It runs without luckproof and shows the failure."""
    (statement,) = statements_from(EXAMPLES / "a_false_claim.py").values()
    assert complaint_of_script(statement) == ""
    assert run(["show", "--from", str(EXAMPLES / "a_false_claim.py"), "--script"]) == 0
    assert "import luckproof" not in capsys.readouterr().out


def test_python_blocks_of_the_page_run(tmp_path, monkeypatch, capsys):
    """In one namespace, from a folder in which the examples are."""
    (tmp_path / "examples").symlink_to(EXAMPLES)
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    shared: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        exec(block, shared)
    assert "holds" in capsys.readouterr().out
    assert "<title>Balanced layers</title>" in (tmp_path / "mine.html").read_text(encoding="utf-8")
    assert shared["test_balancedness"].pytestmark[0].name == "parametrize"
