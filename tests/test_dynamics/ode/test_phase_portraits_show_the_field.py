"""Phase portraits: paths as they are, equilibria where the field is zero, each of its kind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from luckproof import (
    Flow,
    LotkaVolterraFlow,
    OneTeacherFlow,
    ProjectedFlow,
    TeacherStudent,
    integrate,
    phase_portrait,
    plane_equilibria,
    teachers,
)

SQUARE = {"xlim": (0.0, 1.3), "ylim": (0.0, 1.3)}


class Linear(Flow):
    """``y' = A (y - centre)``, in a number of dimensions."""

    def __init__(self, A: np.ndarray, centre: np.ndarray) -> None:
        self.A, self.centre = A, centre

    @property
    def initial_arrays(self) -> dict[str, np.ndarray]:
        return {"y": self.centre + 0.5}

    def __call__(self, t: float, y: np.ndarray) -> np.ndarray:
        return self.A @ (y - self.centre)


def competing(suppression: float, start=(0.2, 0.6)) -> LotkaVolterraFlow:
    """Two species that grow alike and suppress each other ``suppression`` times as much as themselves."""
    return LotkaVolterraFlow([1.0, 1.0], [[1.0, suppression], [suppression, 1.0]], np.array(start))


@pytest.mark.parametrize(
    ("suppression", "inner", "outer"), [(0.5, "attracting", "saddle"), (1.5, "saddle", "attracting")]
)
def test_two_species_share_or_one_takes_all(suppression: float, inner: str, outer: str) -> None:
    """Below one the shared state attracts, above it the states of one species do: four equilibria in closed form."""
    found = plane_equilibria(competing(suppression), "x[0]", "x[1]", **SQUARE)
    both = 1 / (1 + suppression)
    expected = [(0.0, 0.0, "repelling"), (0.0, 1.0, outer), (both, both, inner), (1.0, 0.0, outer)]
    assert [point.kind for point in found] == [kind for *_, kind in expected]
    np.testing.assert_allclose([(p.x, p.y) for p in found], [at[:2] for at in expected], atol=1e-12)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    parts=st.sampled_from([(-1.0, -0.2), (0.3, 2.0), (-1.0, 0.7)]),
)
def test_a_linear_field_has_one_equilibrium_of_its_eigenvalues_kind(
    seed: int, parts: tuple[float, float]
) -> None:
    """Wherever it lies and however the eigenvectors stand."""
    rng = np.random.default_rng(seed)
    turn = rng.standard_normal((2, 2)) + 2 * np.eye(2)
    centre = rng.uniform(-0.9, 0.9, 2)
    flow = Linear(turn @ np.diag(parts) @ np.linalg.inv(turn), centre)
    (found,) = plane_equilibria(flow, "y[0]", "y[1]", xlim=(-1, 1), ylim=(-1, 1))
    np.testing.assert_allclose((found.x, found.y), centre, atol=1e-10)
    falls, rises = parts[0] < 0, parts[1] > 0
    assert found.kind == ("saddle" if falls and rises else "attracting" if falls else "repelling")


def test_a_centre_is_neutral_and_a_cut_that_moves_on_has_no_equilibrium() -> None:
    """Imaginary eigenvalues are of neither kind; where a held number moves the plane's zero is no equilibrium."""
    centre = Linear(np.array([[0.0, 1.0], [-1.0, 0.0]]), np.zeros(2))
    (found,) = plane_equilibria(centre, "y[0]", "y[1]", xlim=(-1, 1), ylim=(-1, 1))
    assert found.kind == "neutral"
    cut = Linear(-np.eye(3), np.array([0.1, 0.2, 0.3]))
    plane = {"xlim": (-1, 1), "ylim": (-1, 1)}
    assert plane_equilibria(cut, "y[0]", "y[1]", **plane) == []
    (there,) = plane_equilibria(cut, "y[0]", "y[1]", **plane, at=[0.0, 0.0, 0.3])
    assert there.kind == "attracting"


def test_the_picture_has_field_lines_of_rest_equilibria_and_paths() -> None:
    """Its legend names each once; paths are those of the runs, of every instance; held numbers stand above."""
    starts = np.random.default_rng(0).uniform(0.1, 1.2, (5, 2))
    runs = integrate(competing(1.5, starts), (0, 20), t_eval=np.linspace(0, 20, 50))
    figure = phase_portrait(competing(1.5), "x[0]", "x[1]", **SQUARE, runs=runs)
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert sorted(names) == sorted(
        ["x[0] at rest", "x[1] at rest", "attracting", "repelling", "saddle", "5 paths", "start", "end"]
    )
    drawn = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 50]
    for k, line in enumerate(drawn):
        assert np.array_equal(line.get_xydata(), runs.state["x"][:, k])
    held = phase_portrait(OneTeacherFlow(0.5, 1.0, 0.8), "delta", "v", xlim=(0.1, 3.0), ylim=(-0.5, 1.5))
    assert held.axes[0].get_title() == "field at rho = 1"


class Counted(LotkaVolterraFlow):
    """Counts its evaluations."""

    evaluations = 0

    def __call__(self, t: float, y: np.ndarray) -> np.ndarray:
        self.evaluations += 1
        return super().__call__(t, y)


class OneByOne(LotkaVolterraFlow):
    """The same field, of one state alone."""

    def __call__(self, t: float, y: np.ndarray) -> np.ndarray:
        one, two = y.tolist()
        return np.array([one * (1.25 - one - two), two * (1.0 - one - two)])


class Mixing(LotkaVolterraFlow):
    """Right for one state; of states stacked it would sum all: the shape is right, the numbers are not."""

    def __call__(self, t: float, y: np.ndarray) -> np.ndarray:
        return y * (np.array([1.25, 1.0]) - y.sum())


def test_all_points_are_evaluated_at_once_where_the_flow_takes_states_stacked() -> None:
    """Few evaluations for the 1,681 points of the grid; a field of one state alone gives the same equilibria."""
    parts = ([1.25, 1.0], np.ones((2, 2)), [0.2, 0.6])
    stacked, alone, mixing = Counted(*parts), OneByOne(*parts), Mixing(*parts)
    found, again, once_more = (
        plane_equilibria(flow, "x[0]", "x[1]", **SQUARE) for flow in (stacked, alone, mixing)
    )
    assert stacked.evaluations < 500
    assert [point.kind for point in found] == ["repelling", "saddle", "attracting"]
    for other in (again, once_more):
        assert [point.kind for point in other] == [point.kind for point in found]
        np.testing.assert_allclose([(p.x, p.y) for p in other], [(p.x, p.y) for p in found], atol=1e-12)


def test_of_a_line_of_equilibria_points_are_found() -> None:
    """Species that are alike in all rest wherever their sum is 1: each point found is there, and attracts."""
    origin, *line = plane_equilibria(competing(1.0), "x[0]", "x[1]", **SQUARE)
    assert (origin.x, origin.y, origin.kind) == (0.0, 0.0, "repelling")
    assert len(line) > 20
    np.testing.assert_allclose([point.x + point.y for point in line], 1.0, atol=1e-12)
    assert {point.kind for point in line} == {"attracting"}


def test_what_the_jacobian_leaves_open_is_told() -> None:
    """A student opposite to its teacher whose fan-out is gone does not attract in all: its angle is a zero mode."""
    parts = (OneTeacherFlow(0.5, 1.0, 0.8), "delta", "v")
    plane = {"xlim": (0, np.pi), "ylim": (-0.5, 1.5)}
    opposite, solved = plane_equilibria(*parts, **plane)
    assert (opposite.x, opposite.kind, opposite.zero_modes) == (0.0, "attracting", 2)
    assert (round(solved.y, 9), solved.kind) == (1.0, "attracting")
    (legend,) = phase_portrait(*parts, **plane).legends
    assert "attracting, but for zero modes" in [text.get_text() for text in legend.get_texts()]
    assert all(point.zero_modes == 0 for point in plane_equilibria(competing(1.5), "x[0]", "x[1]", **SQUARE))


class Merging(Flow):
    """Two spare nodes at an angle phi with opposite fan-outs of size v: both axes are lines of equilibria."""

    dimensions = dict.fromkeys(("phi", "v"), ())
    initial_arrays = dict.fromkeys(("phi", "v"), np.array(1.0))

    def __call__(self, t: float, y: np.ndarray) -> np.ndarray:
        phi, v = self.unpack(y).values()
        overlap = (np.sin(phi) + (np.pi - phi) * np.cos(phi)) / (2 * np.pi)
        return self.pack({"phi": -(v**2) * (np.pi - phi) * np.sin(phi) / np.pi, "v": -v * (0.5 - overlap)})


def test_lines_on_which_the_field_vanishes_to_a_higher_order_are_marked() -> None:
    """Both axes attract along their whole length; where they meet the Jacobian is zero, rounding apart: neutral."""
    found = plane_equilibria(Merging(), "phi", "v", xlim=(0, 2), ylim=(0, 1.6))
    corner, *line = found
    assert (corner.x, corner.y, corner.kind) == (0.0, 0.0, "neutral")
    assert all(point.x * point.y == 0 for point in line)
    assert max(point.x for point in line) == 2.0
    assert max(point.y for point in line) == 1.6
    assert {point.kind for point in line} == {"attracting"}


def test_axes_of_the_caller_are_drawn_on() -> None:
    """Both pictures side by side in one figure, each with its legend and the names of its axes."""
    figure = Figure()
    left, right = figure.subplots(1, 2)
    run = integrate(OneTeacherFlow(0.5, 1.0, 0.8), (0, 20), t_eval=np.linspace(0, 20, 30))
    assert phase_portrait(competing(1.5), "x[0]", "x[1]", **SQUARE, axes=left) is figure
    assert run.plot_phase("delta", "v", axes=right) is figure
    assert left.get_xlabel() == "x[0]: size x of each species"
    assert (right.get_xlabel(), right.get_ylabel()) == ("δ = π − angle(w, w*) (radians)", "fan-out v")
    assert left.get_legend() is not None
    assert right.get_legend() is not None
    for draw in (
        lambda: run.plot_phase("delta", "v", axes=figure),
        lambda: phase_portrait(competing(1.5), "x[0]", "x[1]", **SQUARE, axes="left"),
    ):
        with pytest.raises(TypeError, match="axes: expected axes of matplotlib or None, got"):
            draw()


def test_an_object_that_can_be_integrated_can_be_drawn() -> None:
    """A start and a field are enough; its numbers are those of ``y``."""

    class Pendulum:
        def initial_state(self) -> np.ndarray:
            return np.array([1.0, 0.0])

        def __call__(self, t: float, y: np.ndarray) -> np.ndarray:
            return np.array([y[1], -np.sin(y[0]) - 0.2 * y[1]])

    found = plane_equilibria(Pendulum(), "y[0]", "y[1]", xlim=(-4, 4), ylim=(-2, 2))
    assert [(round(point.x, 6), point.kind) for point in found] == [
        (-3.141593, "saddle"), (0.0, "attracting"), (3.141593, "saddle")
    ]  # fmt: skip


def test_a_run_alone_is_drawn_without_its_time() -> None:
    """A path for each node, a scalar of an instance shared by its nodes; axes in words with units."""
    problem = TeacherStudent.at_angle(teachers.orthonormal(6, 3, 0), 0.5, 0)
    run = integrate(ProjectedFlow(problem), (0, 30), t_eval=np.linspace(0, 30, 40))
    figure = run.plot_phase("angle", "loss")
    assert isinstance(figure, Figure)
    (axes,) = figure.axes
    assert axes.get_xlabel() == "angle of each student to its teacher (radians)"
    assert axes.get_ylabel() == "population loss"
    paths = [line.get_xydata() for line in axes.lines if len(line.get_xdata()) == 40]
    for node, path in enumerate(paths):
        assert np.array_equal(path[:, 0], run.observables["angle"][:, node])
        assert np.array_equal(path[:, 1], run.observables["loss"])
    assert len(paths) == 3
    assert run.plot_phase("W[0, 1]", "W[-1,2]").axes[0].get_xlabel().startswith("W[0, 1]: fan-ins")


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        ("nothing", "loss", r"x: expected one of W, angle"),
        ("W[9, 0]", "loss", r"x: expected indices within the shape \(6, 3\) of W"),
        ("angle", "W", r"x, y: expected as many numbers"),
    ],
)
def test_names_that_a_run_lacks_are_told(x: str, y: str, words: str) -> None:
    """With what there is."""
    problem = TeacherStudent.at_angle(teachers.orthonormal(6, 3, 0), 0.5, 0)
    run = integrate(ProjectedFlow(problem), (0, 1), t_eval=[0.0, 1.0])
    with pytest.raises(ValueError, match=words):
        run.plot_phase(x, y)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"x": "x"}, r"x: expected one number such as 'x\[0\]', got 'x'"),
        ({"x": "x[2]"}, r"x: expected one number such as 'x\[0\]'"),
        ({"y": "x[0]"}, "y: expected another component than x"),
        ({"y": "z"}, "y: expected a component of x, got 'z'"),
        ({"xlim": (1.0, 0.0)}, "xlim: expected the smaller end first"),
        ({"ylim": (0.0, float("nan"))}, "ylim: expected a finite number"),
        ({"ylim": (1.0, 2.0, 3.0)}, "ylim: expected two numbers"),
        ({"at": [1.0]}, "at: expected a flat state of 2 numbers"),
        ({"flow": competing(1.5, [[0.1, 0.2]] * 3)}, "flow: expected one instance, got 3"),
    ],
)
def test_what_cannot_be_drawn_is_told(changed: dict[str, object], words: str) -> None:
    """Argument, expectation and value."""
    given_ = {"flow": competing(1.5), "x": "x[0]", "y": "x[1]", **SQUARE, **changed}
    with pytest.raises(ValueError, match=words):
        phase_portrait(**given_)  # type: ignore[arg-type]
