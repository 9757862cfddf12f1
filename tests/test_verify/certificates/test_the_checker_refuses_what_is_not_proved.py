"""The checker proves a certificate, alone and elsewhere too, and refuses each kind of damage to it."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from luckproof import TeacherStudent, certify
from tests.test_verify.certificates.documents import (
    NO_CERTIFICATE,
    NOT_PROVED,
    Document,
    add,
    check_times_are_rounded_up,
)

pytest.importorskip("flint")
from verify.certificates import checker


@pytest.fixture(scope="module")
def document() -> Document:
    """Two students in three dimensions, 0.8 from their teachers."""
    found = certify(TeacherStudent.at_angle(np.eye(3, 2), 0.8, 0))
    assert found.document is not None
    return found.document


def point_moved(c: Document) -> None:
    c["points"][10][0][0] = add(c["points"][10][0][0], 0.05)


def last_point_is_the_solution(c: Document) -> None:
    c["points"][-1] = c["teacher"]


def students_swapped_on_the_way(c: Document) -> None:
    for point in c["points"][10:]:
        point.reverse()


def lam_raised(c: Document) -> None:
    c["lam"][8] = add(c["lam"][8], 0.02)


def lam_raised_everywhere(c: Document) -> None:
    c["lam"] = [(2.0).hex() for _ in c["lam"]]


def lam_without_bottom(c: Document) -> None:
    c["lam"][8] = (-1e4).hex()


def lam_far_below(c: Document) -> None:
    c["lam"][8] = (-200.0).hex()


def truncated(c: Document) -> None:
    c["points"], c["steps"], c["lam"] = c["points"][:11], c["steps"][:10], c["lam"][:10]


def beginning_cut_out_of_the_middle(c: Document) -> None:
    for name in ("points", "steps", "lam"):
        del c[name][5:12]


def another_permutation(c: Document) -> None:
    c["target"] = c["target"][::-1]


def target_twice(c: Document) -> None:
    c["target"] = [0, 0]


def target_negative(c: Document) -> None:
    c["target"] = [0, -1]


def teachers_swapped(c: Document) -> None:
    c["teacher"].reverse()


def teacher_moved(c: Document) -> None:
    c["teacher"][1][0] = add(c["teacher"][1][0], 0.2)


def teacher_barely_orthonormal(c: Document) -> None:
    c["teacher"][1][0] = add(c["teacher"][1][0], 0.01)


def step_doubled(c: Document) -> None:
    c["steps"][8] = (2 * float.fromhex(c["steps"][8])).hex()


def step_negative(c: Document) -> None:
    c["steps"][8] = add("0x0p0", -float.fromhex(c["steps"][8]))


def there_and_back(c: Document) -> None:
    """A moment back in time and the same forwards: no step of the flow is backwards."""
    there = copy.deepcopy(c["points"][8])
    c["points"][8:8] = [c["points"][8], there]
    c["steps"][8:8] = [(-1e-12).hex(), (1e-12).hex()]
    c["lam"][8:8] = [c["lam"][8]] * 2


def steps_of_nothing(c: Document) -> None:
    c["steps"] = [(1e-300).hex() for _ in c["steps"]]


def in_reverse(c: Document) -> None:
    for name in ("points", "steps", "lam"):
        c[name].reverse()


def other_format(c: Document) -> None:
    c["format"] += "0"


def format_missing(c: Document) -> None:
    del c["format"]


def not_a_number(c: Document) -> None:
    c["points"][10][0][0] = "nan"


def infinite_lam(c: Document) -> None:
    c["lam"][8] = "-inf"


def huge_number(c: Document) -> None:
    c["points"][10][0][0] = "0x1p99999"


def decimal_number(c: Document) -> None:
    c["points"][10][0][0] = 0.5


def zero_column(c: Document) -> None:
    c["points"][10][0] = [(0.0).hex()] * 3


def point_missing(c: Document) -> None:
    del c["points"][10]


def other_size(c: Document) -> None:
    c["d"] = 4


def size_that_is_true(c: Document) -> None:
    c["m"] = True


def steps_missing(c: Document) -> None:
    del c["steps"]


def nothing_at_all(c: Document) -> None:
    c.update(m=0, teacher=[], points=[[]], steps=[], lam=[], target=[])


DAMAGE: dict[int, tuple[Callable[[Document], None], ...]] = {
    NOT_PROVED: (
        point_moved,
        last_point_is_the_solution,
        students_swapped_on_the_way,
        lam_raised,
        lam_raised_everywhere,
        lam_without_bottom,
        lam_far_below,
        truncated,
        beginning_cut_out_of_the_middle,
        another_permutation,
        target_twice,
        target_negative,
        teachers_swapped,
        teacher_moved,
        teacher_barely_orthonormal,
        step_doubled,
        step_negative,
        there_and_back,
        steps_of_nothing,
        in_reverse,
    ),
    NO_CERTIFICATE: (
        other_format,
        format_missing,
        not_a_number,
        infinite_lam,
        huge_number,
        decimal_number,
        zero_column,
        point_missing,
        other_size,
        size_that_is_true,
        steps_missing,
        nothing_at_all,
    ),
}


@pytest.mark.parametrize(
    ("code", "damage"),
    [pytest.param(code, damage, id=damage.__name__) for code, kinds in DAMAGE.items() for damage in kinds],
)
def test_damage_is_refused(document: Document, code: int, damage: Callable[[Document], None]) -> None:
    """Exit code 1 where the parts fit together but prove nothing, 2 where the file is no certificate."""
    damaged = copy.deepcopy(document)
    damage(damaged)
    assert damaged != document
    with pytest.raises(checker.RefusedError) as refused:
        checker.check(damaged)
    assert refused.value.args[0] == code


def test_a_true_statement_survives_a_slight_change(document: Document) -> None:
    """A point moved by 1e-6 is still within the tube: the refusals above are not of every change."""
    moved = copy.deepcopy(document)
    moved["points"][10][0][0] = add(moved["points"][10][0][0], 1e-6)
    proved = checker.check(moved)
    assert proved["limit"] == [0, 1]
    assert 0 < proved["rate"] < proved["late_rate"] < 0.25
    assert proved["tube"] >= checker.check(document)["tube"]


def test_figures_are_on_the_safe_side(document: Document) -> None:
    """The time from which the rate is proved is not rounded down, wherever it lies between two of six digits."""
    check_times_are_rounded_up(checker, document)


def test_equal_teachers_are_called_columns(document: Document) -> None:
    """Two teachers on one line are refused, in words that do not say they were students."""
    equal = copy.deepcopy(document)
    equal["teacher"] = [equal["teacher"][0]] * 2
    equal["points"], equal["steps"], equal["lam"] = equal["points"][-1:], [], []
    with pytest.raises(checker.RefusedError, match="two columns lie on one line"):
        checker.check(equal)


@pytest.mark.parametrize("claimed", [-1.0, -0.1, 0.0, 0.2])
def test_a_forged_path_to_the_wrong_teachers_is_refused(claimed: float) -> None:
    """From beyond the boundary to the identity, in many small steps along the great circles, whatever lam it claims."""
    a = np.linspace(0.9, 0.01, 200)
    points = np.stack([np.stack([np.cos(a), np.sin(a)], -1), np.stack([np.sin(a), np.cos(a)], -1)], 1)
    hexadecimal = [[[float(x).hex() for x in w] for w in W] for W in points]
    forged = {
        "format": checker.FORMAT,
        "m": 2,
        "d": 2,
        "teacher": [[float(x).hex() for x in row] for row in np.eye(2)],
        "points": hexadecimal,
        "steps": [(0.03).hex()] * 199,
        "lam": [claimed.hex()] * 199,
        "target": [0, 1],
    }
    with pytest.raises(checker.RefusedError) as refused:
        checker.check(forged)
    assert refused.value.args[0] == NOT_PROVED


@pytest.mark.parametrize("content", ["", "[]", "null", "{}", '{"format": 1}', "[" * 100_000, "\udcff"])
def test_other_files_are_no_certificates(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and a line."""
    path = tmp_path / "c.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    assert checker.main(path) == NO_CERTIFICATE
    assert capsys.readouterr().out.startswith("no certificate:")


def test_the_checker_stands_alone(document: Document, tmp_path: Path) -> None:
    """One file of at most 200 lines, copied elsewhere and run without this project: 0, 1, 2; also under -O."""
    source = Path(checker.__file__)
    assert len(source.read_text(encoding="utf-8").splitlines()) <= 200
    copied = tmp_path / "checker.py"
    copied.write_bytes(source.read_bytes())
    damaged = copy.deepcopy(document)
    lam_raised_everywhere(damaged)
    expected = {"good.json": (0, document), "bad.json": (1, damaged), "none.json": (2, [])}
    for name, (code, content) in expected.items():
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-I", "-O", copied.name, name], cwd=tmp_path, capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (code, "")
        assert done.stdout.startswith(("proved:", "not proved:", "no certificate:")[code])


def test_without_ball_arithmetic_there_is_no_verdict(tmp_path: Path) -> None:
    """Where python-flint is missing the exit code is not 1, which says that a proof has failed."""
    copied = tmp_path / "checker.py"
    copied.write_bytes(Path(checker.__file__).read_bytes())
    (tmp_path / "flint.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'flint'\")\n", encoding="utf-8"
    )
    (tmp_path / "any.json").write_text("{}", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, copied.name, "any.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (NO_CERTIFICATE, "")
    assert done.stdout == "cannot check: No module named 'flint'\n"
