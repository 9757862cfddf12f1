"""Each step of the proof of Theorem C'' (docs/theorems.md) on random states: identities, and bounds never broken."""

from __future__ import annotations

import math
import sys
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamics.two_layer.opposite_pair import lost_square
from luckproof import (
    BiasedGaussian,
    IsotropicGaussian,
    TeacherStudent,
    TwoLayerFlow,
    paired_angles,
    population_loss,
    two_layer_basin,
)
from verify.mathematics.basins.solution_starts import (
    SolutionStart,
    contraction,
    on_sphere,
    slowest_at,
    solution_of,
    state_at,
)

flint = pytest.importorskip("flint")

from dynamics.basins.solution import exact_unit_columns  # noqa: E402
from dynamics.basins.two_layer.forms import Solution, cubic_form, gram  # noqa: E402
from dynamics.basins.two_layer.kernel_bounds import pair_bounds  # noqa: E402
from dynamics.basins.two_layer.local import contraction as proved_contraction  # noqa: E402
from dynamics.basins.two_layer.local import local_basin  # noqa: E402
from dynamics.basins.two_layer.remainders import largest_singular_value  # noqa: E402

SHAPES = [
    SolutionStart(1, 1, 2, 1),
    SolutionStart(2, 2, 3, 1),
    SolutionStart(1, 2, 2, 1, "random", seed=3),
    SolutionStart(2, 1, 2, 1, "random", seed=1),
    SolutionStart(2, 2, 1, 1, "random", seed=1),
]
NAMES = ["one", "orthonormal", "random one", "random", "one output"]
each_shape = pytest.mark.parametrize("start", SHAPES, ids=NAMES)
shapes = st.sampled_from(SHAPES)


def forms_at(solution: TeacherStudent) -> tuple[np.ndarray, np.ndarray]:
    """G and M in floats, (N, N) and (N, N, N)."""
    exact = Solution.of(
        exact_unit_columns(solution.student_W),
        [[flint.arb(float(x)) for x in row] for row in solution.teacher_V],
    )
    G = np.array(gram(exact).tolist(), dtype=float)
    return G, np.array([M.tolist() for M in cubic_form(exact)], dtype=float)


@lru_cache
def known(start: SolutionStart):
    """Problem, basin, G and M of one shape."""
    solution = solution_of(start)
    return solution, local_basin(solution), *forms_at(solution)


def own_cubic(solution: TeacherStudent, z: np.ndarray) -> float:
    """``sum |v*_j|^2 |x_j|^3 / 2 pi``."""
    x = z[: solution.m * solution.d].reshape(solution.m, solution.d)
    sizes = np.linalg.norm(solution.teacher_V, axis=1) ** 2
    return float(np.sum(sizes * np.linalg.norm(x, axis=1) ** 3) / (2 * np.pi))


def slope(solution: TeacherStudent, z: np.ndarray) -> float:
    """``phi'(1) = <z, dJ/dz>``."""
    return float(contraction(solution, z) * (z @ z))


def direction(solution: TeacherStudent, seed: int, radius: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    size = solution.m * solution.d + solution.n * solution.c
    z = rng.standard_normal(size) * rng.exponential(size=size) ** 2
    return on_sphere(solution, z, radius)


def moved_nodes(solution: TeacherStudent, rng: np.random.Generator, drift: float) -> TeacherStudent:
    """The solution with its irrelevant nodes moved by ``drift`` along the spheres, in all."""
    m, W = solution.m, solution.student_W.copy()
    T = rng.standard_normal(W[:, m:].shape)
    T -= W[:, m:] * np.sum(W[:, m:] * T, axis=0)
    T *= drift / np.linalg.norm(T)
    turn = np.linalg.norm(T, axis=0)
    W[:, m:] = W[:, m:] * np.cos(turn) + T / turn * np.sin(turn)
    return TeacherStudent(solution.teacher_W, W, solution.teacher_V, solution.student_V)


@each_shape
@pytest.mark.parametrize("seed", range(3))
def test_the_loss_has_these_forms_to_third_order(start, seed):
    """phi'(s) = s zGz + s^2 (M - own) + O(s^3), from both sides: G, M and the own cubic one by one.

    Where fan-outs are not orthogonal, up to c_V/2.
    """
    solution, basin, G, M = known(start)
    crossed = basin.rest.crossed / 2
    z = direction(solution, seed, 1.0)
    step = 1e-3
    there, back = (slope(solution, sign * step * z) / step for sign in (1, -1))
    cubic = np.einsum("kab,k,a,b", M, z, z, z)
    assert there / step == pytest.approx(z @ G @ z, abs=10 * step)
    assert (there - back) / (2 * step**2) == pytest.approx(cubic, abs=100 * step**2 + crossed)
    assert ((there + back) / 2 - step * (z @ G @ z)) / step**2 == pytest.approx(
        -own_cubic(solution, z), abs=20 * step + crossed
    )


@each_shape
def test_constants_of_the_forms_are_bounds(start):
    """lambda_0 is below the least eigenvalue; s and o are above what descent finds of the two ratios."""
    solution, basin, G, M = known(start)
    normals = np.zeros((solution.m, len(G)))
    for j in range(solution.m):
        normals[j, j * solution.d : (j + 1) * solution.d] = solution.teacher_W[:, j]
    assert np.allclose(G @ normals.T, normals.T)
    values = np.linalg.eigvalsh(G)
    assert 0 <= values[0] - basin.least < 1e-9
    for seed in range(60):
        z = direction(solution, seed, 1.0)
        if seed % 2:
            for _ in range(20):  # ascent: the stationarity condition of M(z, z, z) / (|z| zGz) iterated
                z = on_sphere(
                    solution, np.linalg.solve(G + np.eye(len(G)), np.einsum("kab,a,b->k", M, z, z)), 1.0
                )
        curved = z @ G @ z
        assert abs(np.einsum("kab,k,a,b", M, z, z, z)) <= float(basin.forms.cubic) * curved
        assert own_cubic(solution, z) <= float(basin.forms.own) * curved


@given(start=shapes, seed=st.integers(0, 2**32 - 1), share=st.floats(0.05, 0.99))
def test_the_remainder_is_below_its_bound(start, seed, share):
    """phi'(1) >= zGz + M - own - |z|^3 c_V/2 - |z|^4 q_4/6."""
    solution, basin, G, M = known(start)
    radius = share * basin.radius
    z = direction(solution, seed, radius)
    left = slope(solution, z) - z @ G @ z - np.einsum("kab,k,a,b", M, z, z, z) + own_cubic(solution, z)
    allowed = radius**3 * basin.rest.crossed / 2 + radius**4 * basin.rest.quartic / 6
    assert left >= -allowed - 1e-14


def test_a_tenth_of_the_remainder_is_not_enough():
    """The control: with q_4/10 and c_V/10 the bound is broken somewhere."""
    broken = 0
    for start in SHAPES:
        solution, basin, G, M = known(start)
        for seed in range(40):
            z = direction(solution, seed, basin.radius)
            left = (
                slope(solution, z) - z @ G @ z - np.einsum("kab,k,a,b", M, z, z, z) + own_cubic(solution, z)
            )
            rest = basin.rest
            broken += left < -(basin.radius**3 * rest.crossed / 2 + basin.radius**4 * rest.quartic / 6) / 10
    assert broken


@given(start=st.sampled_from(SHAPES[::2]), seed=st.integers(0, 2**32 - 1), share=st.floats(0.01, 1.0))
def test_drifting_nodes_change_the_forms_by_no_more(start, seed, share):
    """zG'z >= (1 - D/sqrt(2 lambda_0))^2 zGz and |M' - M| <= D |z|^3 c_D / 2 for nodes moved by D."""
    solution, basin, G, M = known(start)
    drift = share * min(basin.cap, math.sqrt(2 * basin.least))
    moved_G, moved_M = forms_at(moved_nodes(solution, np.random.default_rng(seed), drift))
    z = direction(solution, seed + 1, 1.0)
    assert z @ moved_G @ z >= (1 - drift / math.sqrt(2 * basin.least)) ** 2 * (z @ G @ z) - 1e-12
    change = np.einsum("kab,k,a,b", moved_M - M, z, z, z)
    assert abs(change) <= drift * basin.rest.drifted / 2 + 1e-12


@given(start=shapes, seed=st.integers(0, 2**32 - 1), share=st.floats(0.05, 0.99), drifted=st.floats(0.0, 1.0))
def test_contraction_and_residual_are_as_proved(start, seed, share, drifted):
    """phi'(1) >= rate |z|^2 and |r|^2 <= (1 + surplus) phi'(1) with nodes moved, and |W_r'| <= |V_r| |r| / sqrt 2."""
    solution, basin, _, _ = known(start)
    radius, drift = share * basin.radius, drifted * basin.cap
    found = proved_contraction(basin.forms, basin.rest, flint.arb(radius), flint.arb(drift))
    moved = moved_nodes(solution, np.random.default_rng(seed), max(drift, 1e-12))
    z = direction(solution, seed + 1, radius)
    W, V, _ = state_at(moved, z)
    squared = 2 * float(population_loss(moved, W, V))
    if found is not None:
        rate, surplus = map(float, found)
        assert contraction(moved, z) >= rate - 1e-12
        assert squared <= (1 + surplus) * slope(moved, z) + 1e-14
    flow = TwoLayerFlow(TeacherStudent(moved.teacher_W, W, moved.teacher_V, V))
    speed = flow.unpack(flow(0.0, flow.initial_state()))["W"][:, moved.m :]
    idle = float(np.linalg.norm(V[moved.m :]))
    assert np.linalg.norm(speed) <= idle * math.sqrt(max(squared, 0.0) / 2) + 1e-9 * radius


@each_shape
def test_the_slowest_states_contract_as_proved(start):
    """Descent on the contraction over the sphere ends above the bound, and below 1.5 of it near the solution."""
    solution, basin, _, _ = known(start)
    for share in (0.02, 0.99):
        radius = share * basin.radius
        worst = min(
            float(contraction(solution, slowest_at(solution, direction(solution, seed, radius), radius)))
            for seed in range(3)
        )
        first = basin.passage(radius).first
        assert worst >= first
        if share < 0.1:
            assert worst < 1.5 * first


def second_derivatives(theta: float, x: np.ndarray, y: np.ndarray) -> float:
    """``Hess kappa`` on the tangent pair (x, y) at two nodes in the first two coordinates, from its definition."""
    w, u = np.eye(4)[0], np.array([math.cos(theta), math.sin(theta), 0, 0])
    twist = x @ u + y @ w
    return float(
        twist**2 / (2 * np.pi * math.sin(theta))
        + (np.pi - theta) / (2 * np.pi) * (2 * x @ y - (x @ x + y @ y) * math.cos(theta))
    )


@given(seed=st.integers(0, 2**32 - 1), theta=st.floats(0.05, 3.09))
def test_second_derivatives_of_a_pair_are_below_their_bounds(seed, theta):
    """|Hess kappa| <= same (|x|^2 + |y|^2) + 2 mixed |x||y|; Hess kappa(x, x) changes by at most moved |x|^2 |b|."""
    rng = np.random.default_rng(seed)
    w, u = np.eye(4)[0], np.array([math.cos(theta), math.sin(theta), 0, 0])
    x, y, b = rng.standard_normal((3, 4)) * rng.exponential(size=(3, 1))
    x, y, b = x - w * (w @ x), y - u * (u @ y), b - u * (u @ b)
    bounds = pair_bounds(flint.arb(theta) - 1e-3, flint.arb(theta) + 1e-3)
    a, c = np.linalg.norm(x), np.linalg.norm(y)
    assert (
        abs(second_derivatives(theta, x, y)) <= bounds.same * (a**2 + c**2) + 2 * bounds.mixed * a * c + 1e-12
    )

    def at(s: float) -> float:
        size = float(np.linalg.norm(b))
        v = u * math.cos(size * s) + b / size * math.sin(size * s)
        turn = 2 * math.atan2(np.linalg.norm(w - v), np.linalg.norm(w + v))
        return float(
            (x @ v) ** 2 / (2 * np.pi * math.sin(turn))
            - (np.pi - turn) / (2 * np.pi) * (x @ x) * math.cos(turn)
        )

    step = 1e-5 / float(np.linalg.norm(b))
    change = (at(step) - at(-step)) / (2 * step)
    assert abs(change) <= bounds.moved * a**2 * float(np.linalg.norm(b)) * (1 + 1e-6) + 1e-6 * a**2


@pytest.mark.parametrize(
    ("shape", "radius"), [((1, 1, 2, 2), 0.31), ((1, 2, 2, 2), 0.27), ((2, 2, 3, 2), 0.228)]
)
def test_radii_are_not_smaller_than_those_on_record(shape, radius):
    """(d, m, n, c) = (4, 1, 2, 2), (5, 1, 3, 2), (6, 2, 4, 3), orthonormal: at least the radii found before."""
    m, r, c, extra = shape
    basin = local_basin(solution_of(SolutionStart(m, r, c, extra)))
    assert radius < basin.radius < 1.15 * radius
    half = basin.passage(basin.radius / 2)
    assert 0 < half.rate <= half.first < basin.least
    assert half.late <= basin.least
    assert 0 < half.drift < basin.drift <= basin.cap


@pytest.mark.parametrize("apart", [math.pi / 2, 1.0, 0.5, 0.2])
def test_no_basin_reaches_a_pair_that_keeps_its_fan_outs(apart):
    """Two irrelevant nodes with opposite fan-outs on the threshold of the closed form bound every radius."""
    half, ends = apart / 2, (1, -1)
    pair = np.array([[0.0, math.cos(half), side * math.sin(half)] for side in ends]).T
    nodes = np.concatenate([np.eye(3)[:, :1], pair], axis=1)
    V = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    basin = local_basin(TeacherStudent(nodes[:, :1], nodes, V[:1], V))
    assert 0 < basin.radius < math.sqrt(2 * lost_square(apart))


def test_variance_scales_the_rates_alone():
    """Input of variance 4 runs four times as fast; radius and drift are the same."""
    solution = solution_of(SHAPES[0])
    wide = TeacherStudent(
        solution.teacher_W,
        solution.student_W,
        solution.teacher_V,
        solution.student_V,
        IsotropicGaussian(3, std=2.0),
    )
    found, faster = (local_basin(problem) for problem in (solution, wide))
    assert faster.radius == found.radius
    slow, fast = (basin.passage(0.1) for basin in (found, faster))
    assert fast.drift == slow.drift
    assert fast.rate == pytest.approx(4 * slow.rate, rel=1e-12)
    assert faster.least == pytest.approx(4 * found.least, rel=1e-12)


def test_bad_input_is_named():
    """Ensembles, other measures, columns that are not unit, nodes on one line, starts outside the basin."""
    W = np.eye(4)[:, :3]
    cases = {
        "one instance": TeacherStudent(W[:, :1], np.stack([W, W])),
        "isotropic Gaussian": TeacherStudent(W[:, :1], W, measure=BiasedGaussian(3)),
        "unit columns": TeacherStudent(W[:, :1], 2 * W),
        "at least m": TeacherStudent(W, W[:, :2]),
        "different lines": TeacherStudent(W[:, :1], np.concatenate([W[:, :1], -W[:, :1]], axis=1)),
    }
    for words, problem in cases.items():
        with pytest.raises(ValueError, match=words):
            local_basin(problem)
    basin = two_layer_basin(TeacherStudent(W[:, :1], W))
    for outside in (-0.1, basin.radius, math.nan):
        with pytest.raises(ValueError, match="start: expected"):
            basin.passage(outside)


def test_the_problem_says_where_its_start_is():
    """``start`` is |z(0)|, and ``passage()`` is about it; outside the basin that is refused."""
    solution, basin, _, _ = known(SHAPES[1])
    z = direction(solution, 0, 0.1)
    W, V, _ = state_at(solution, z)
    found = two_layer_basin(TeacherStudent(solution.teacher_W, W, solution.teacher_V, V))
    assert found.start == pytest.approx(0.1, rel=1e-12)
    assert found.radius == basin.radius
    assert found.passage() == found.passage(found.start)
    W, V, _ = state_at(solution, 3 * z)
    with pytest.raises(ValueError, match="start: expected"):
        two_layer_basin(TeacherStudent(solution.teacher_W, W, solution.teacher_V, V)).passage()


def test_without_python_flint_it_says_what_to_install(monkeypatch):
    """One error that names the extra."""
    monkeypatch.setitem(sys.modules, "flint", None)
    with pytest.raises(ImportError, match="certify"):
        two_layer_basin(solution_of(SHAPES[0]))


def test_a_singular_solution_has_no_basin():
    """Two antipodal irrelevant nodes and a linear function more: features that depend on each other prove nothing."""
    nodes = np.array([[1.0, 0.0], [0.6, 0.8], [-0.6, 0.8], [0.0, 1.0], [0.8, 0.6], [-0.8, 0.6]]).T
    V = np.zeros((6, 3))
    V[0, 0] = 1e-9
    basin = local_basin(TeacherStudent(nodes[:, :1], nodes, V[:1], V))
    assert basin.radius < 1e-6


@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 6), columns=st.integers(1, 12))
def test_the_largest_singular_value_is_bounded(seed, rows, columns):
    """From above, and closely, for matrices of non-negative numbers."""
    A = np.random.default_rng(seed).exponential(size=(rows, columns)) ** 3
    exact = float(np.linalg.norm(A, 2))
    assert exact <= largest_singular_value(A) <= 1.001 * exact


def test_paired_angles_measure_the_moved_nodes():
    """The drift of the test's own moves is what it says."""
    solution = solution_of(SHAPES[1])
    moved = moved_nodes(solution, np.random.default_rng(0), 0.3)
    m = solution.m
    assert np.linalg.norm(paired_angles(moved.student_W[:, m:], solution.student_W[:, m:])) == pytest.approx(
        0.3
    )
