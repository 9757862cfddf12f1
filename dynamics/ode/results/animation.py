"""A film of a run: students moving to their teachers in a plane, a theory under the runs that it is to predict."""

from __future__ import annotations

import tempfile
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dynamics.arrays import Array
from dynamics.files.places import check_writable
from dynamics.files.writing import write_atomically
from dynamics.ode.results.pictures import RUNS, THEORY, smallest_shown
from dynamics.ode.results.trajectory_data import TrajectoryData
from dynamics.validation import number, real_array, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FRAMES = 90
"""Pictures of a film at most."""

MOST_DOTS = 400
"""Dots of the runs that are drawn at once at most; of more, every second, third and so on."""

TRAIL = 12
"""Pictures for which a student's way stays visible."""


def animate(
    theory: TrajectoryData,
    path: str | PathLike[str],
    runs: TrajectoryData | None,
    plane: Any,
    seconds: float,
) -> None:
    """Write the film; see ``Trajectory.animate``."""
    suffix = Path(path).suffix.lower()
    if suffix not in (".gif", ".mp4"):
        raise ValueError(f"path: expected a .gif or .mp4 file, got {shown(fspath(path))}")
    number("seconds", seconds, positive=True)
    check_writable("path", path)
    film = Film(theory, runs, plane)
    write_atomically(path, film.encoded(suffix, seconds))


class Film:
    """What the pictures show, as numbers.

    Attributes:
        basis: the plane's two orthonormal directions, (d, 2); ``words`` say which plane that is.
        teachers: their coordinates in it, (m, 2).
        theory: the students' of the first instance, (frames, n, 2), at ``times``.
        dots: the runs', (frames, k, 2), or None.
    """

    def __init__(self, theory: TrajectoryData, runs: TrajectoryData | None, plane: Any) -> None:
        W, teacher = _fan_ins("run", theory), _teacher(theory)
        self.basis, self.words = _plane(plane, teacher, W)
        frames = np.unique(np.linspace(0, len(theory.t) - 1, FRAMES).round().astype(int))
        self.times, self.time_counts = theory.t[frames], theory.time_counts
        self.teachers = teacher.T @ self.basis
        self.theory = np.swapaxes(W[frames, 0], -1, -2) @ self.basis
        self.loss = _first_loss(theory)
        self.dots = None if runs is None else self._dots(runs)
        self.loss_of_runs = None if runs is None else _mean_loss(runs)
        self._run = theory

    def _dots(self, runs: TrajectoryData) -> Array:
        """The runs' students at the film's times, between their records on straight lines."""
        W = _fan_ins("against", runs)
        if W.shape[-2] != self.basis.shape[0]:
            raise ValueError(f"against: expected fan-ins of length {self.basis.shape[0]}, got {W.shape[-2]}")
        points = (np.swapaxes(W, -1, -2) @ self.basis).reshape(len(runs.t), -1, 2)
        points = points[:, :: max(1, -(-points.shape[1] // MOST_DOTS))]
        flat = points.reshape(len(runs.t), -1)
        at = np.stack([np.interp(self.times, runs.t, column) for column in flat.T], axis=1)
        return np.asarray(at.reshape(len(self.times), -1, 2))

    def draw(self, figure: Figure, frame: int) -> None:
        """One picture of the film, in place of what the figure showed."""
        figure.clear()
        # Places of their own: a layout that is worked out anew takes half of the time of a picture.
        left, right = figure.add_axes((0.07, 0.12, 0.42, 0.80)), figure.add_axes((0.57, 0.12, 0.41, 0.80))
        turn = np.linspace(0, 2 * np.pi, 200)
        left.plot(np.cos(turn), np.sin(turn), color="0.85", lw=0.8)
        for j, (x, y) in enumerate(self.teachers):
            left.plot([0, x], [0, y], color="0.6", lw=1.0, ls="--")
            left.plot(x, y, "*", color="#b5542c", ms=11, label="teachers" if j == 0 else None)
        since = max(0, frame - TRAIL)
        for j in range(self.theory.shape[1]):
            way = self.theory[since : frame + 1, j]
            left.plot(*way.T, color=THEORY, lw=1.0, alpha=0.5)
            told = "students" if self.dots is None else "students by the theory"
            left.plot(*way[-1], "o", color=THEORY, ms=5, label=told if j == 0 else None)
        if self.dots is not None:
            left.plot(*self.dots[frame].T, ".", color=RUNS, ms=3, alpha=0.5, label="students of the runs")
        reach = 1.1 * max(1.0, float(np.abs(self.theory).max()), float(np.abs(self.teachers).max()))
        left.set(
            xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", title=self.words,
            xlabel="first direction", ylabel="second direction",
        )  # fmt: skip
        left.legend(loc="lower left", fontsize="small", framealpha=0.8)
        self._over_time(right, self.times[frame])

    def _over_time(self, axes: Any, now: float) -> None:
        """The loss of the first instance up to now, with the mean of the runs'; the whole span stays in view."""
        t, (name, series) = self._run.t, self.loss
        seen = np.where(series > smallest_shown(self._run), series, np.nan)
        axes.plot(t, seen, color="0.85", lw=1.0)
        axes.plot(t[t <= now], seen[t <= now], color=THEORY, lw=1.4)
        if self.loss_of_runs is not None:
            at, mean = self.loss_of_runs
            axes.plot(at[at <= now], mean[at <= now], ".", color=RUNS, ms=3, alpha=0.7)
        if np.nanmax(seen) > 100 * np.nanmin(seen):
            axes.set_yscale("log")
        axes.set(title=name, xlabel=f"t ({self.time_counts})")
        axes.axvline(now, color="0.6", lw=0.8)

    def encoded(self, suffix: str, seconds: float) -> bytes:
        """The film as the bytes of a file."""
        import matplotlib
        from matplotlib import animation
        from matplotlib.figure import Figure

        kind: Any = animation.PillowWriter if suffix == ".gif" else animation.FFMpegWriter
        if not kind.isAvailable():
            raise ValueError("path: expected a .gif file, as there is no ffmpeg here, got a .mp4")
        with matplotlib.rc_context(), tempfile.TemporaryDirectory(prefix="luckproof-film-") as folder:
            matplotlib.rcdefaults()  # not the user's: fonts that LaTeX sets, say
            figure = Figure(figsize=(9.0, 4.4), dpi=100)
            file = Path(folder) / f"film{suffix}"
            writer = kind(fps=max(1, round(len(self.times) / seconds)))
            with writer.saving(figure, str(file), dpi=100):
                for frame in range(len(self.times)):
                    self.draw(figure, frame)
                    writer.grab_frame()
            return file.read_bytes()


def _fan_ins(argument: str, run: TrajectoryData) -> Array:
    """W (T, instances, d, n)."""
    W = run.state.get("W")
    if W is None or W.ndim < 3 or len(W) == 0:
        raise ValueError(
            f"{argument}: expected a run with fan-ins W of two layers, got {shown([*run.state])}"
        )
    return np.asarray(W, dtype=np.float64).reshape(len(W), -1, *W.shape[-2:])


def _teacher(run: TrajectoryData) -> Array:
    """The teacher's fan-ins of the first instance, (d, m)."""
    teacher = run.problem.get("teacher_W")
    if not isinstance(teacher, np.ndarray) or teacher.ndim < 2:
        raise ValueError("run: expected one that says its teacher_W, got one without (see run.problem)")
    return np.asarray(teacher.reshape(-1, *teacher.shape[-2:])[0], dtype=np.float64)


def _first_loss(run: TrajectoryData) -> tuple[str, Array]:
    """The loss of the first instance with its name; where none was watched, the students' largest way from the end."""
    if "loss" in run.observables:
        loss = np.asarray(run.observables["loss"], dtype=np.float64)
        return "loss", loss.reshape(len(run.t), -1)[:, 0]
    W = _fan_ins("run", run)[:, 0]
    ahead = np.linalg.norm(W - W[-1], axis=-2).max(axis=-1)
    return "largest distance of a student from where it ends", np.asarray(ahead)


def _mean_loss(runs: TrajectoryData) -> tuple[Array, Array] | None:
    """Times and mean loss of the runs at some of them; None where none was watched."""
    if "loss" not in runs.observables:
        return None
    at = np.unique(np.linspace(0, len(runs.t) - 1, FRAMES).round().astype(int))
    loss = np.asarray(runs.observables["loss"], dtype=np.float64).reshape(len(runs.t), -1)
    return runs.t[at], loss[at].mean(axis=1)


def _plane(plane: Any, teacher: Array, W: Array) -> tuple[Array, str]:
    """Two orthonormal directions (d, 2), and in words which plane they span."""
    d = len(teacher)
    if plane is not None:
        given = real_array("plane", plane)
        if given.shape != (d, 2):
            raise ValueError(f"plane: expected two directions as columns, ({d}, 2), got shape {given.shape}")
        words = "in the plane that was given"
    elif d == 1:
        return np.array([[1.0, 0.0]]), "in one dimension"
    elif teacher.shape[1] > 1 and np.linalg.matrix_rank(teacher[:, :2]) == 2:
        given, words = teacher[:, :2], "in the plane of the first two teachers"
    else:
        off = (W[:, 0] - teacher[:, :1] * (teacher[:, 0] @ W[:, 0])[:, None, :]).swapaxes(0, 1).reshape(d, -1)
        main = np.linalg.svd(off, full_matrices=False)[0][:, :1]
        given, words = (
            np.concatenate([teacher[:, :1], main], axis=1),
            "in the plane of the first teacher and the way",
        )
    if np.linalg.matrix_rank(given) < 2:
        raise ValueError("plane: expected two directions that are not parallel, got parallel ones")
    Q, R = np.linalg.qr(given)
    return np.asarray(Q * np.where(np.diag(R) < 0, -1.0, 1.0)), words
