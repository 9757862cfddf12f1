"""The checker of trajectories where both layers move: it stands alone, and refuses each kind of damage."""

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
from verify.certificates import two_layer_checker as checker


def certificate_of(problem: TeacherStudent) -> Document:
    found = certify(problem, trains_V=True)
    assert found.document is not None
    return found.document


@pytest.fixture(scope="module")
def document() -> Document:
    """Two teachers, three students, the third with a fan-out that vanishes."""
    rng = np.random.default_rng(1)
    W = np.eye(4, 3) + 0.15 * rng.standard_normal((4, 3))
    V = np.concatenate([np.eye(2), 0.3 * np.ones((1, 2))]) + 0.1 * rng.standard_normal((3, 2))
    return certificate_of(TeacherStudent(np.eye(4, 2), W / np.linalg.norm(W, axis=0), np.eye(2), V))


@pytest.fixture(scope="module")
def merging() -> Document:
    """One teacher and two irrelevant students that merge with opposite fan-outs."""
    V = np.array([[1.0, 0.0], [0.0, 1.2], [0.0, -1.2]])
    return certificate_of(TeacherStudent(np.eye(3, 1), np.eye(3), np.eye(1, 2), V))


def column_moved(c: Document) -> None:
    c["points"][10][0][0][0] = add(c["points"][10][0][0][0], 0.05)


def fan_out_moved(c: Document) -> None:
    c["points"][10][1][2][0] = add(c["points"][10][1][2][0], 0.05)


def last_fan_out_zero(c: Document) -> None:
    c["points"][-1][1][2] = [(0.0).hex()] * 2


def last_point_is_the_solution(c: Document) -> None:
    c["points"][-1] = [c["teacher_W"] + c["points"][-1][0][2:], c["teacher_V"] + [[(0.0).hex()] * 2]]


def students_swapped_on_the_way(c: Document) -> None:
    for point in c["points"][10:]:
        for layer in point:
            layer[0], layer[1] = layer[1], layer[0]


def start_elsewhere(c: Document) -> None:
    c["points"][0][1][2][1] = add(c["points"][0][1][2][1], 0.2)


def lam_raised(c: Document) -> None:
    c["lam"][8] = add(c["lam"][8], 0.02)


def lam_without_bottom(c: Document) -> None:
    c["lam"][8] = (-1e4).hex()


def lam_far_below(c: Document) -> None:
    c["lam"][8] = (-200.0).hex()


def truncated(c: Document) -> None:
    c["points"], c["steps"], c["lam"] = c["points"][:11], c["steps"][:10], c["lam"][:10]


def cut_out_of_the_middle(c: Document) -> None:
    for name in ("points", "steps", "lam"):
        del c[name][5:12]


def step_doubled(c: Document) -> None:
    c["steps"][8] = (2 * float.fromhex(c["steps"][8])).hex()


def step_negative(c: Document) -> None:
    c["steps"][8] = (-float.fromhex(c["steps"][8])).hex()


def in_reverse(c: Document) -> None:
    for name in ("points", "steps", "lam"):
        c[name].reverse()


def teachers_fan_outs_swapped(c: Document) -> None:
    c["teacher_V"].reverse()


def teachers_swapped(c: Document) -> None:
    c["teacher_W"].reverse()
    c["teacher_V"].reverse()


def teacher_moved(c: Document) -> None:
    c["teacher_W"][1][0] = add(c["teacher_W"][1][0], 0.2)


def other_students(c: Document) -> None:
    c["students"] = [0, 2]


def students_in_another_order(c: Document) -> None:
    c["students"] = [1, 0]


def student_twice(c: Document) -> None:
    c["students"] = [0, 0]


def student_negative(c: Document) -> None:
    c["students"] = [0, -2]


def student_missing(c: Document) -> None:
    c["students"] = [0]


def student_paired_with_itself(c: Document) -> None:
    c["pairs"] = [[2, 2]]


def pair_of_a_relevant_student(c: Document) -> None:
    c["pairs"] = [[1, 2]]


def other_format(c: Document) -> None:
    c["format"] += "0"


def format_missing(c: Document) -> None:
    del c["format"]


def not_a_number(c: Document) -> None:
    c["points"][10][0][0][0] = "nan"


def infinite_lam(c: Document) -> None:
    c["lam"][8] = "-inf"


def decimal_number(c: Document) -> None:
    c["points"][10][1][0][0] = 0.5


def zero_column(c: Document) -> None:
    c["points"][10][0][0] = [(0.0).hex()] * 4


def point_missing(c: Document) -> None:
    del c["points"][10]


def fan_outs_missing(c: Document) -> None:
    c["points"][10].pop()


def other_size(c: Document) -> None:
    c["c"] = 3


def size_that_is_true(c: Document) -> None:
    c["m"] = True


def pairs_missing(c: Document) -> None:
    del c["pairs"]


def pair_of_three(c: Document) -> None:
    c["pairs"] = [[0, 1, 2]]


def pairs_that_are_no_list(c: Document) -> None:
    c["pairs"] = {"ab": 0}


def nothing_at_all(c: Document) -> None:
    c.update(m=0, n=0, teacher_W=[], teacher_V=[], points=[[[], []]], steps=[], lam=[], students=[])


UNREADABLE = (
    other_format,
    format_missing,
    not_a_number,
    infinite_lam,
    decimal_number,
    zero_column,
    point_missing,
    fan_outs_missing,
    other_size,
    size_that_is_true,
    pairs_missing,
    pair_of_three,
    pairs_that_are_no_list,
    nothing_at_all,
)
UNTRUE = tuple(
    value
    for value in dict(globals()).values()
    if getattr(value, "__annotations__", {}) == {"c": "Document", "return": "None"}
    and value not in UNREADABLE
)


@pytest.mark.parametrize(
    ("code", "damage"),
    [
        pytest.param(code, damage, id=damage.__name__)
        for code, kinds in ((NOT_PROVED, UNTRUE), (NO_CERTIFICATE, UNREADABLE))
        for damage in kinds
    ],
)
def test_damage_is_refused(document: Document, code: int, damage: Callable[[Document], None]) -> None:
    """Exit code 1 where the parts fit together but prove nothing, 2 where the file is no certificate."""
    damaged = copy.deepcopy(document)
    damage(damaged)
    assert damaged != document
    with pytest.raises(checker.RefusedError) as refused:
        checker.check(damaged)
    assert refused.value.args[0] == code


def pairs_forgotten(c: Document) -> None:
    c["pairs"] = []


def merged_at_once(c: Document) -> None:
    last = c["points"][-1]
    last[0][2], last[1][2] = last[0][1], [add(number, -2 * float.fromhex(number)) for number in last[1][1]]


def fan_outs_not_opposite(c: Document) -> None:
    c["points"][-1][1][2] = c["points"][-1][1][1]


def cut_short(c: Document) -> None:
    c["points"], c["steps"], c["lam"] = c["points"][:60], c["steps"][:59], c["lam"][:59]


@pytest.mark.parametrize("damage", [pairs_forgotten, merged_at_once, fan_outs_not_opposite, cut_short])
def test_damage_to_a_merging_pair_is_refused(merging: Document, damage: Callable[[Document], None]) -> None:
    damaged = copy.deepcopy(merging)
    damage(damaged)
    with pytest.raises(checker.RefusedError) as refused:
        checker.check(damaged)
    assert refused.value.args[0] == NOT_PROVED


def test_no_pairs_in_another_form_are_no_pairs(document: Document) -> None:
    """``{}`` and ``""`` name no pair, as ``[]`` does; {} once ended in an error that was no verdict."""
    for none in ({}, "", None):
        other = copy.deepcopy(document) | {"pairs": none}
        if none is None:
            with pytest.raises(checker.RefusedError) as refused:
                checker.check(other)
            assert refused.value.args[0] == NO_CERTIFICATE
        else:
            assert checker.check(other)["pairs"] == []


def test_a_true_statement_survives_a_slight_change(document: Document) -> None:
    """A point moved by 1e-6 is still within the tube: the refusals above are not of every change."""
    moved = copy.deepcopy(document)
    moved["points"][10][0][0][0] = add(moved["points"][10][0][0][0], 1e-6)
    proved = checker.check(moved)
    assert proved["limit"] == [0, 1]
    assert 0 < proved["rate"] < proved["late_rate"] < 0.2
    assert proved["tube"] >= checker.check(document)["tube"]


def test_figures_are_on_the_safe_side(document: Document) -> None:
    """The time from which the rate is proved is not rounded down, wherever it lies between two of six digits."""
    check_times_are_rounded_up(checker, document)


def test_students_may_be_named_in_any_order(document: Document) -> None:
    """All three renumbered alike: the same proof."""
    moved = copy.deepcopy(document)
    for point in moved["points"]:
        for layer in point:
            layer.reverse()
    moved["students"] = [2, 1]
    assert checker.check(moved)["rate"] == pytest.approx(checker.check(document)["rate"], rel=1e-9)


@pytest.mark.parametrize("claimed", [-1.0, -0.1, 0.0])
def test_a_forged_path_across_the_threshold_is_refused(merging: Document, claimed: float) -> None:
    """Fan-outs of 1.2 shrunk to nothing in many small steps, though the pair merges: whatever lam it claims."""
    forged = copy.deepcopy(merging)
    start = forged["points"][0]
    scale = np.linspace(1.0, 1e-3, 200)
    shrunk = [
        [[(float.fromhex(x) * (s if j else 1)).hex() for x in row] for j, row in enumerate(start[1])]
        for s in scale
    ]
    forged |= {
        "points": [[start[0], V] for V in shrunk],
        "steps": [(0.05).hex()] * 199,
        "lam": [claimed.hex()] * 199,
        "pairs": [],
    }
    with pytest.raises(checker.RefusedError) as refused:
        checker.check(forged)
    assert refused.value.args[0] == NOT_PROVED


def test_the_checker_stands_alone(document: Document, merging: Document, tmp_path: Path) -> None:
    """One file of at most 200 lines, copied elsewhere and run without this project: 0, 1, 2; also under -O."""
    source = Path(checker.__file__)
    assert len(source.read_text(encoding="utf-8").splitlines()) <= 200
    copied = tmp_path / "checker.py"
    copied.write_bytes(source.read_bytes())
    damaged = copy.deepcopy(document)
    truncated(damaged)
    expected = {
        "a.json": (0, document),
        "b.json": (0, merging),
        "bad.json": (1, damaged),
        "none.json": (2, []),
    }
    for name, (code, content) in expected.items():
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-I", "-O", copied.name, name], cwd=tmp_path, capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (code, "")
        assert done.stdout.startswith(("proved:", "not proved:", "no certificate:")[code])
        assert ("merge, opposite fan-outs" in done.stdout) == (name == "b.json")


def test_thirty_kinds_of_damage() -> None:
    assert len(UNTRUE) + len(UNREADABLE) >= 30


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
