"""A film of a run: as many pictures as asked for, students where they are in the plane, written as every file is."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib import animation
from PIL import Image

from dynamics.ode.results.animation import FRAMES, MOST_DOTS, Film
from luckproof import (
    DeepFlow,
    ProjectedFlow,
    TeacherStudent,
    Trajectory,
    TwoLayerStudents,
    integrate,
    teachers,
    train,
)
from tests.fuzz import calls


def problem(d: int = 4, m: int = 2, copies: int | None = None) -> TeacherStudent:
    one = TeacherStudent.at_angle(teachers.orthonormal(d, m, 0), 0.8, 1)
    if copies is None:
        return one
    return TeacherStudent(*(np.repeat(W[None], copies, axis=0) for W in (one.teacher_W, one.student_W)))


def run(times: int = 5, **sizes: int) -> Trajectory:
    return integrate(ProjectedFlow(problem(**sizes)), (0.0, 4.0), t_eval=np.linspace(0, 4, times))


def networks() -> Trajectory:
    students = TwoLayerStudents.from_problem(problem(copies=3), "cpu")
    return train(students, lr=0.1, batch_size=8, steps=40, seed=0, record_every=10)


def test_a_film_has_a_picture_for_each_time(tmp_path: Path) -> None:
    """Of the length asked for; the pictures differ."""
    run().animate(tmp_path / "film.gif", seconds=1.0)
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == 5
        assert film.info["duration"] == 200
        first = np.asarray(film.convert("RGB"))
        film.seek(4)
        assert not np.array_equal(first, np.asarray(film.convert("RGB")))
    assert [path.name for path in tmp_path.iterdir()] == ["film.gif"]


def test_students_stand_where_they_are() -> None:
    """Teachers span the plane; students are W in its coordinates; dots are the runs', all of them."""
    theory, runs = run(), networks()
    film = Film(theory, runs, None)
    np.testing.assert_allclose(film.teachers, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(film.theory[-1], theory.state["W"][-1].T @ film.basis, atol=1e-12)
    assert film.dots is not None
    assert film.dots.shape == (5, 6, 2)
    first = np.swapaxes(runs.state["W"][0], -1, -2).reshape(-1, 4) @ film.basis
    np.testing.assert_allclose(film.dots[0], first, atol=1e-12)


def test_planes_are_orthonormal() -> None:
    """That of one teacher and the way; a given one; one dimension."""
    one = Film(run(m=1), None, None)
    np.testing.assert_allclose(one.basis.T @ one.basis, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(one.teachers, [[1.0, 0.0]], atol=1e-12)
    assert np.abs(one.theory[0, :, 1]).max() > 0.5  # the way is in the plane
    given = Film(run(), None, np.array([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]))
    np.testing.assert_allclose(given.basis, np.eye(4)[:, :2], atol=1e-12)


def test_long_runs_and_many_networks_are_thinned() -> None:
    """As many pictures and dots as a film needs, the first and the last time among them."""
    theory = run(times=1000)
    film = Film(theory, theory, None)
    assert len(film.times) == FRAMES
    assert (film.times[0], film.times[-1]) == (0.0, 4.0)
    many = integrate(ProjectedFlow(problem(copies=900)), (0.0, 1.0), t_eval=[0.0, 1.0])
    dots = Film(theory, many, None).dots
    assert dots is not None
    assert MOST_DOTS / 2 < dots.shape[1] <= MOST_DOTS


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        (r"^path: expected a .gif or .mp4 file, got 'film.png'", {"path": "film.png"}),
        (
            r"^plane: expected two directions as columns, \(4, 2\), got shape \(4, 3\)",
            {"plane": np.eye(4)[:, :3]},
        ),
        (r"^plane: expected two directions that are not parallel", {"plane": np.ones((4, 2))}),
        (r"^seconds: expected a positive finite number, got 0", {"seconds": 0}),
    ],
)
def test_what_cannot_be_filmed_is_told(
    tmp_path, monkeypatch, words: str, arguments: dict[str, object]
) -> None:
    """By argument, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=words):
        run().animate(**{"path": "film.gif", **arguments})  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_runs_without_two_layers_are_refused(tmp_path: Path) -> None:
    """Another flow's, a deep one's, and networks of other inputs."""
    for flow in (calls.Decay(), DeepFlow(calls.deep_problem())):
        with pytest.raises(ValueError, match=r"^run: expected a run with fan-ins W of two layers"):
            integrate(flow, (0.0, 0.1)).animate(tmp_path / "film.gif")
    with pytest.raises(ValueError, match=r"^against: expected fan-ins of length 4, got 3"):
        run().animate(tmp_path / "film.gif", run(d=3))
    assert list(tmp_path.iterdir()) == []


def test_mp4_needs_ffmpeg(tmp_path: Path) -> None:
    """Where it is there a film is written, where not one line says what to ask for."""
    if animation.FFMpegWriter.isAvailable():
        run().animate(tmp_path / "film.mp4")
        assert (tmp_path / "film.mp4").stat().st_size > 1000
    else:
        with pytest.raises(ValueError, match=r"^path: expected a .gif file, as there is no ffmpeg here"):
            run().animate(tmp_path / "film.mp4")
        assert list(tmp_path.iterdir()) == []


def test_the_users_settings_stay_out_and_come_back(tmp_path: Path) -> None:
    """LaTeX for every text, say, which may not be installed."""
    with matplotlib.rc_context({"text.usetex": True, "font.size": 30.0}):
        run(times=2).animate(tmp_path / "film.gif")
        assert matplotlib.rcParams["text.usetex"] is True
        assert matplotlib.rcParams["font.size"] == 30.0
