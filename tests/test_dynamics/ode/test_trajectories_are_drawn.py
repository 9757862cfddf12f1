"""Pictures of trajectories show the numbers they are of, and say what is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from luckproof import ProjectedFlow, TeacherStudent, Trajectory, integrate, teachers

T = np.linspace(0.0, 5.0, 26)


def theory(batch: tuple[int, ...] = ()) -> Trajectory:
    start = TeacherStudent.at_angle(teachers.orthonormal(4, 2, 0, batch), 0.5, 1)
    return integrate(ProjectedFlow(start), (0.0, 5.0), t_eval=T)


def runs(shift: float, copies: int = 3) -> Trajectory:
    """Copies of the theory's run, the k-th one with its sines off by ``k shift``."""
    line = theory()
    sines = np.stack([line.observables["sin_theta"] + k * shift for k in range(copies)], axis=1)
    return Trajectory(
        t=line.t, state={}, time_counts="steps × lr", observables={"sin_theta": sines}, nfev=1, n_steps=1,
        status="finished", message="finished: as made", dimensions={"sin_theta": ("teacher",)},
    )  # fmt: skip


def test_a_run_alone_is_a_panel_for_each_observable():
    """Sines and loss by default, in words with t; a line for every student, with the run's numbers."""
    figure = theory().plot()
    first, second = figure.axes
    assert first.get_title() == "sin θ of each student to its teacher"
    assert second.get_title() == "population loss"
    assert first.get_xlabel() == "t (time)"
    drawn = np.stack([line.get_ydata() for line in first.lines], axis=1)
    assert np.array_equal(drawn, theory().observables["sin_theta"])
    assert [axes.get_title() for axes in theory().plot(["angle"]).axes] == [
        "angle of each student to its teacher (radians)"
    ]


def test_a_run_without_floor_is_drawn_to_its_end():
    """In deviations a sine of 1e-60 is no rounding; in the state itself what is below 1e-18 is left out."""
    start = TeacherStudent.at_angle(teachers.orthonormal(4, 2, 0), 0.5, 1)
    for deviations in (True, False):
        run = integrate(ProjectedFlow(start), (0.0, 1600.0), t_eval=[0.0, 1600.0], deviations=deviations)
        axes = run.plot(["sin_theta"]).axes[0]
        smallest = min(float(np.nanmin(line.get_ydata())) for line in axes.lines)
        assert (smallest < 1e-60) == deviations


def test_many_instances_are_bands():
    """Forty instances of two students: a median instead of eighty lines."""
    axes = theory((40,)).plot(["sin_theta"]).axes[0]
    (line,) = axes.lines
    assert line.get_label() == "median of 80"
    middle = np.median(theory((40,)).observables["sin_theta"].reshape(26, -1), axis=1)
    np.testing.assert_allclose(line.get_ydata(), middle, rtol=1e-14)


def test_runs_stand_on_their_theory_with_their_deviation_below():
    """Dots are the runs'; the mean deviation is that of 0, s and 2 s, with its standard error over three runs."""
    figure = theory().plot_against(runs(0.01))
    above, below = figure.axes
    assert [text.get_text() for text in above.get_legend().get_texts()] == ["theory", "3 runs"]
    dots = above.lines[-1]
    assert set(dots.get_xdata()) <= set(T)
    (_, (mean, _, bars)) = below.lines[0], below.containers[0]
    np.testing.assert_allclose(mean.get_ydata(), 0.01, rtol=1e-9)
    heights = [segment[1, 1] - segment[0, 1] for segment in bars[0].get_segments()]
    np.testing.assert_allclose(heights, 2 * 0.01 / np.sqrt(3), rtol=1e-9)


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda: theory().plot(["speed"]), r"names: expected observables among angle"),
        (lambda: theory().plot([]), r"names: expected observables among angle"),
        (
            lambda: theory((2,)).plot_against(runs(0.0)),
            r"runs: expected sin_theta of runs from the theory's 4",
        ),
        (lambda: theory().plot_against(runs(0.0), ["loss"]), r"runs: expected observables loss"),
    ],
)
def test_what_cannot_be_drawn_is_named(draw, words):
    """One sentence each."""
    with pytest.raises(ValueError, match=words):
        draw()


def test_runs_must_be_a_trajectory():
    """TypeError with the argument's name; names are a list."""
    with pytest.raises(TypeError, match="names: expected a list of observables"):
        theory().plot("loss")
    with pytest.raises(TypeError, match="runs: expected a Trajectory"):
        theory().plot_against(3)  # type: ignore[arg-type]


def test_notebooks_show_figures_without_pyplot():
    """A figure gives its own picture: pyplot's import is what would teach a notebook to."""
    picture = theory().plot()._repr_png_()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 5_000
