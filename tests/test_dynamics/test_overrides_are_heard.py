"""What a subclass of a measure or flow overrides is heard by all that was worked out from it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamics.overrides import HearsOverrides, keeps
from dynamics.two_layer.linearization import difference_jacobian
from luckproof import (
    Array,
    BiasedGaussian,
    DeepFlow,
    DeepProblem,
    EmpiricalMeasure,
    Flow,
    GradientFlow,
    InputMeasure,
    IsotropicGaussian,
    ProjectedFlow,
    ResidualFlow,
    TeacherStudent,
    TwoLayerDynamics,
    TwoLayerFlow,
    integrate,
    population_loss,
    spectral_rate,
    teachers,
)

D = 4
ATOMS = np.random.default_rng(8).standard_normal((60, D))
BASES: dict[str, Callable[[type], InputMeasure]] = {
    "IsotropicGaussian": lambda cls: cls(D, 1.3),
    "BiasedGaussian": lambda cls: cls(D - 1),
    "EmpiricalMeasure": lambda cls: cls(ATOMS),
}
CLASSES: dict[str, type[InputMeasure]] = {
    "IsotropicGaussian": IsotropicGaussian,
    "BiasedGaussian": BiasedGaussian,
    "EmpiricalMeasure": EmpiricalMeasure,
}


class FromScratch(InputMeasure):
    """The three answers of another measure times given factors, and nothing known in closed form."""

    def __init__(self, other: InputMeasure, l: float, d: float, moment: float, sample: float) -> None:  # noqa: E741
        self.dim, self._other, self._factors = other.dim, other, (l, d, moment, sample)

    def kernels(self, A: Any, B: Any) -> tuple[Array, Array]:
        psi_l, psi_d = self._other.kernels(A, B)
        return self._factors[0] * psi_l, self._factors[1] * psi_d

    def sample(self, size: int, rng: np.random.Generator) -> Array:
        return self._factors[3] * self._other.sample(size, rng)

    def second_moment(self) -> Array:
        return self._factors[2] * self._other.second_moment()


def overrides() -> dict[str, tuple[dict[str, Any], tuple[float, float, float, float]]]:
    """For each set of overridden members: the methods, as a class body, and the factors of psi_l, psi_d, L_0, x."""

    def kernels(self: Any, A: Any, B: Any) -> tuple[Array, Array]:
        psi_l, psi_d = super(self.changed, self).kernels(A, B)
        return 0.5 * psi_l, 0.25 * psi_d

    def psi_l(self: Any, A: Any, B: Any) -> Array:
        return 0.5 * super(self.changed, self).psi_l(A, B)  # type: ignore[no-any-return]

    def psi_d(self: Any, A: Any, B: Any) -> Array:
        return 0.25 * super(self.changed, self).psi_d(A, B)  # type: ignore[no-any-return]

    def second_moment(self: Any) -> Array:
        return 2 * super(self.changed, self).second_moment()  # type: ignore[no-any-return]

    def sample(self: Any, size: int, rng: np.random.Generator) -> Array:
        return 3 * super(self.changed, self).sample(size, rng)  # type: ignore[no-any-return]

    return {
        "nothing": ({}, (1, 1, 1, 1)),
        "kernels": ({"kernels": kernels}, (0.5, 0.25, 1, 1)),
        "psi_l": ({"psi_l": psi_l}, (0.5, 1, 1, 1)),
        "psi_d": ({"psi_d": psi_d}, (1, 0.25, 1, 1)),
        "psi_l and psi_d": ({"psi_l": psi_l, "psi_d": psi_d}, (0.5, 0.25, 1, 1)),
        "second_moment": ({"second_moment": second_moment}, (1, 1, 2, 1)),
        "sample": ({"sample": sample}, (1, 1, 1, 3)),
    }


def child(base: type, body: dict[str, Any]) -> type:
    made = type("Changed", (base,), dict(body))
    made.changed = made  # type: ignore[attr-defined]  # where the overrides' super() starts
    return made


def grandchild(base: type, body: dict[str, Any]) -> type:
    return child(type("Same", (base,), {}), body)


def parent(base: type, body: dict[str, Any]) -> type:
    return type("Same", (child(base, body),), {})


def mixin(base: type, body: dict[str, Any]) -> type:
    first = type("Mixin", (), dict(body))
    made = type("Changed", (first, base), {})
    made.changed = first  # type: ignore[attr-defined]
    return made


WAYS = {"child": child, "grandchild": grandchild, "parent": parent, "mixin": mixin}


def problem(measure: InputMeasure, seed: int = 0) -> TeacherStudent:
    rng = np.random.default_rng(seed)
    return TeacherStudent.at_angle(teachers.random_unit(D, 3, rng), 0.4, rng, measure=measure)


def field(flow: Any) -> Array:
    return np.asarray(flow(0.0, flow.initial_state()))


def rate(flow: TwoLayerDynamics) -> Array:
    return np.asarray(spectral_rate(flow))


def batches(measure: InputMeasure) -> Array:
    rows = np.zeros((2, D, 5))
    measure.fill_batches(rows, NumpyStream())
    return rows


class NumpyStream:
    def __init__(self) -> None:
        self.rng = np.random.default_rng(3)

    def fill_normal(self, rows: Array) -> None:
        rows[...] = self.rng.standard_normal(rows.shape)

    def fill_chosen(self, rows: Array, samples: Array, weights: Array | None) -> None:
        chosen = self.rng.choice(len(samples), size=(rows.shape[0], rows.shape[2]), p=weights)
        rows[...] = samples[chosen].swapaxes(1, 2)

    def fill_with(self, rows: Array, values: Array) -> None:
        rows[...] = values


def gradient(measure: InputMeasure) -> Array:
    return measure.gradient_term(problem(measure).student_W, problem(measure).teacher_W, np.ones((3, 3)))


def onto(measure: InputMeasure) -> Array:
    one = problem(measure)
    teacher, students = measure.prepare(one.teacher_W), measure.prepare(one.student_W)
    parts = [x for pair in measure.kernels_onto(teacher, students) for x in pair]
    return np.stack([*parts, *measure.psi_d_onto(teacher, students)])


def deep(measure: InputMeasure) -> Array:
    rng = np.random.default_rng(1)
    weights = tuple(rng.standard_normal(shape) for shape in ((D, 3), (3, 2)))
    return DeepProblem(weights, weights, measure).teacher[0]  # type: ignore[arg-type]


QUANTITIES: dict[str, Callable[[InputMeasure], Any]] = {
    "kernels": lambda m: np.stack(m.kernels(problem(m).student_W, problem(m).teacher_W)),
    "psi_l": lambda m: m.psi_l(problem(m).student_W, problem(m).teacher_W),
    "psi_d": lambda m: m.psi_d(problem(m).student_W, problem(m).teacher_W),
    "kernels onto": onto,
    "second moment": lambda m: m.second_moment(),
    "its product": lambda m: m.second_moment_times(problem(m).teacher_W),
    "samples": lambda m: m.sample(7, np.random.default_rng(1)),
    "batches": batches,
    "loss": lambda m: population_loss(problem(m), problem(m).student_W, problem(m).student_V),
    "observed loss": lambda m: TwoLayerFlow(problem(m)).observables(TwoLayerFlow(problem(m)).initial_state())["loss"],
    "projected field": lambda m: field(ProjectedFlow(problem(m))),
    "unprojected field": lambda m: field(ProjectedFlow(problem(m), projected=False)),
    "two-layer field": lambda m: field(TwoLayerFlow(problem(m))),
    "gradient field": lambda m: field(GradientFlow(problem(m))),
    "gradient term": gradient,
    "residual field": lambda m: field(ResidualFlow(problem(m))),
    "projected rate": lambda m: rate(ProjectedFlow(problem(m))),
    "two-layer rate": lambda m: rate(TwoLayerFlow(problem(m))),
    "kernel bounds": lambda m: m.kernel_bounds(problem(m).teacher_W, np.full(3, 0.1)).d_low,
    "deep problem": deep,
    "spherical variance": lambda m: m.spherical_variance,
    "biased normal": lambda m: m.biased_normal,
    "atoms": lambda m: None if m.atoms is None else m.atoms[0],
}  # fmt: skip

SAMPLED = {"samples", "batches"}
MOMENTS = {
    "second moment",
    "its product",
    "projected field",
    "unprojected field",
    "two-layer field",
    "projected rate",
}
FIRST = {"kernels", "psi_l", "kernels onto", "loss", "observed loss", "two-layer field"}
SECOND = {"kernels", "psi_d", "kernels onto", "projected field", "unprojected field", "two-layer field"}
MUST_CHANGE = {
    "kernels": FIRST | SECOND | {"projected rate", "two-layer rate"},
    "psi_l": FIRST,
    "psi_d": SECOND | {"projected rate"},
    "psi_l and psi_d": FIRST | SECOND | {"projected rate", "two-layer rate"},
    "second_moment": MOMENTS,
    "sample": SAMPLED,
}
"""What must change for any measure; the closed forms of each must change or be refused, see below."""

CLOSED = {"gradient field", "gradient term", "residual field", "kernel bounds", "deep problem",
          "spherical variance", "biased normal", "atoms"}  # fmt: skip


def result(quantity: Callable[[InputMeasure], Any], measure: InputMeasure) -> Array | None:
    """The quantity as an array; None where it is not known or refused, with an error that names the measure."""
    try:
        found = quantity(measure)
    except TypeError as refusal:
        if not str(refusal).startswith("measure: expected"):
            raise
        return None
    return None if found is None or found is False else np.asarray(found, dtype=np.float64)


def same(one: Array | None, other: Array | None) -> bool:
    if one is None or other is None:
        return one is other
    return bool(np.allclose(one, other, rtol=1e-6, atol=1e-12))


@functools.cache  # the ways of deriving are compared with the same
def from_scratch(base: str, members: str, name: str) -> Array | None:
    """A quantity of the measure that gives the answers of ``overrides()[members]`` and has no closed form."""
    _, factors = overrides()[members]
    return result(QUANTITIES[name], FromScratch(BASES[base](CLASSES[base]), *factors))


@functools.cache
def plain(base: str, name: str) -> Array | None:
    """A quantity of the measure as it is."""
    return result(QUANTITIES[name], BASES[base](CLASSES[base]))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("members", MUST_CHANGE)
@pytest.mark.parametrize("base", BASES)
def test_a_derived_measure_is_one_from_scratch(base: str, members: str, way: str) -> None:
    """All that a measure with overridden members gives is what one with those answers and no closed form gives."""
    body, _ = overrides()[members]
    derived = BASES[base](WAYS[way](CLASSES[base], body))
    for name, quantity in QUANTITIES.items():
        if members == "sample" and name in CLOSED:
            continue  # the moments are as they were, and what is known of them stays: the next test but one
        if members != "sample" and name == "batches":
            continue  # drawn in the way of the law that stays, not by ``sample``
        found, expected = result(quantity, derived), from_scratch(base, members, name)
        if not (name.endswith("rate") and base == "EmpiricalMeasure"):  # no derivative: gates are counted
            assert same(found, expected), name
        assert (name in MUST_CHANGE[members]) <= (not same(found, plain(base, name))), name


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("base", BASES)
def test_without_overrides_closed_forms_stay(base: str, way: str) -> None:
    """A derived measure that overrides nothing gives the same numbers to the last bit, closed forms included."""
    derived = BASES[base](WAYS[way](CLASSES[base], {}))
    known = set()
    for name, quantity in QUANTITIES.items():
        found, expected = result(quantity, derived), plain(base, name)
        if name in CLOSED and expected is not None:
            known.add(name)
        assert (found is None) == (expected is None), name
        np.testing.assert_array_equal(found, expected)
    assert known


@pytest.mark.parametrize("base", BASES)
def test_closed_forms_that_sampling_does_not_touch_stay(base: str) -> None:
    """An own ``sample`` leaves the moments as they are: only the list of atoms is no longer known."""
    plain = BASES[base](CLASSES[base])
    derived = BASES[base](child(CLASSES[base], overrides()["sample"][0]))
    for name in ("gradient field", "residual field", "kernel bounds", "spherical variance", "biased normal"):
        assert same(result(QUANTITIES[name], derived), result(QUANTITIES[name], plain)), name
    assert derived.atoms is None


def test_own_closed_forms_are_taken_at_their_word() -> None:
    """Who overrides the kernels and the gradient term gets both, also through ``super()``."""

    class Doubled(IsotropicGaussian):
        def kernels(self, A: Any, B: Any) -> tuple[Array, Array]:
            psi_l, psi_d = super().kernels(A, B)
            return 2 * psi_l, 2 * psi_d

        def gradient_term(self, W: Any, U: Any, coefficients: Any) -> Array:
            return 2 * super().gradient_term(W, U, coefficients)

    plain, doubled = (field(GradientFlow(problem(m))) for m in (IsotropicGaussian(D), Doubled(D)))
    np.testing.assert_allclose(doubled, 2 * plain, rtol=1e-12)


def test_either_way_to_write_a_measure_is_whole() -> None:
    """``psi_l`` and ``psi_d`` make ``kernels`` as ``kernels`` makes them; one of them alone makes no measure."""
    measure = IsotropicGaussian(D)

    class Parts(InputMeasure):
        dim = D

        def psi_l(self, A: Any, B: Any) -> Array:
            return measure.psi_l(A, B)

        def psi_d(self, A: Any, B: Any) -> Array:
            return measure.psi_d(A, B)

        def sample(self, size: int, rng: np.random.Generator) -> Array:
            return measure.sample(size, rng)

        def second_moment(self) -> Array:
            return measure.second_moment()

    W = problem(measure).student_W
    np.testing.assert_array_equal(Parts().kernels(W, W), measure.kernels(W, W))
    half = type("Half", (InputMeasure,), {"psi_l": Parts.psi_l, "sample": 0, "second_moment": 0})
    with pytest.raises(TypeError, match="abstract"):
        half()


def test_what_is_made_of_kernels_is_not_for_overriding() -> None:
    """An override of the joined calls would be heard by flows and not by the loss: it is refused at once."""
    with pytest.raises(
        TypeError, match=r"Own\.psi_d_onto: expected kernels, psi_l or psi_d, of which it is made"
    ):
        type("Own", (IsotropicGaussian,), {"psi_d_onto": lambda self, teacher, students: None})


@pytest.mark.parametrize("name", ["prepare", "prepare_unit", "joined"])
def test_own_preparation_is_used_by_flows(name: str) -> None:
    """Prepared columns come from the most derived method: ``prepare_unit`` steps aside for a ``prepare``."""
    calls: list[str] = []

    def counted(self: Any, *columns: Any) -> Any:
        calls.append(name)
        return getattr(super(Counting, self), name)(*columns)

    Counting: Any = type("Counting", (IsotropicGaussian,), {name: counted})
    found, plain = (field(ProjectedFlow(problem(m))) for m in (Counting(D), IsotropicGaussian(D)))
    assert calls
    np.testing.assert_allclose(found, plain, rtol=1e-12, atol=1e-15)


def flow_overrides(base: Any) -> dict[str, dict[str, Any]]:
    """Class bodies that make a flow half as fast, by one member each."""

    def half_field(self: Any, W: Array, V: Array) -> tuple[Array, Array]:
        dW, dV = super(self.changed, self).field(W, V)
        return 0.5 * dW, 0.5 * dV

    def half_call(self: Any, t: float, y: Array) -> Array:
        return 0.5 * super(self.changed, self).__call__(t, y)  # type: ignore[no-any-return]

    return {"field": {"field": half_field}, "__call__": {"__call__": half_call}}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("member", ["field", "__call__"])
@pytest.mark.parametrize("base", [ProjectedFlow, TwoLayerFlow])
def test_a_flow_at_half_its_speed_has_half_its_rate(base: Any, member: str, way: str) -> None:
    """The built-in's closed form is not given for a flow that moves otherwise."""
    one = problem(IsotropicGaussian(D))
    slow, fast = WAYS[way](base, flow_overrides(base)[member])(one), base(one)
    state = fast.equilibrium()
    assert fast.tangent_gram(state) is not None
    assert slow.tangent_gram(state) is None
    assert spectral_rate(slow) == pytest.approx(0.5 * spectral_rate(fast), rel=1e-6)


@pytest.mark.parametrize("member", ["prepare", "teacher", "matrices", "of_matrices", "unpack", "pack"])
@pytest.mark.parametrize("base", [ProjectedFlow, TwoLayerFlow])
def test_no_closed_form_once_a_part_of_the_field_is_replaced(base: Any, member: str) -> None:
    """Whatever the new part does, the Jacobian is taken from the flow itself."""
    kept = getattr(TwoLayerDynamics, member)
    changed = type("Changed", (base,), {member: lambda self, *given: kept(self, *given)})
    flow = changed(problem(IsotropicGaussian(D)))
    assert flow.tangent_gram(base(flow.problem).equilibrium()) is None


def test_a_flow_may_bring_its_own_closed_form() -> None:
    """Field and closed form overridden together are used together."""

    class Half(ProjectedFlow):
        def field(self, W: Array, V: Array) -> tuple[Array, Array]:
            dW, dV = super().field(W, V)
            return 0.5 * dW, dV

        def tangent_gram(self, y: Array) -> Any:
            gram = self._gram_at_solution(y)
            assert gram is not None
            return _Scaled(gram)

    one = problem(IsotropicGaussian(D))
    flow = Half(one)
    state = flow.equilibrium()
    closed = rate(flow)
    assert closed == pytest.approx(0.5 * rate(ProjectedFlow(one)), rel=1e-12)
    differences = np.linalg.eigvals(-difference_jacobian(flow, state)).real.min()
    assert closed == pytest.approx(differences, rel=1e-6)


@pytest.mark.parametrize("member", ["pack", "of_matrices"])
def test_own_packing_packs_the_field(member: str) -> None:
    """Also where V is fixed and the built-in flow spares itself the copy."""

    def doubled(self: Any, *given: Any) -> Array:
        return 2 * getattr(super(Doubled, self), member)(*given)  # type: ignore[no-any-return]

    Doubled: Any = type("Doubled", (ProjectedFlow,), {member: doubled})
    one = problem(IsotropicGaussian(D))
    y = ProjectedFlow(one).initial_state()
    np.testing.assert_array_equal(Doubled(one)(0.0, y), 2 * ProjectedFlow(one)(0.0, y))


def test_own_observables_are_watched_state_by_state() -> None:
    """Those of one state at a time come out right along a run; the built-in's are made many states at once."""

    class Watching(ProjectedFlow):
        def observables(self, y: Array) -> dict[str, Array]:
            assert y.ndim == 1
            speed = np.asarray(np.abs(self(0.0, y)).max())
            return {"speed": speed, "loss": super().observables(y)["loss"]}

    one = problem(IsotropicGaussian(D))
    run = integrate(Watching(one), (0.0, 5.0), t_eval=[0.0, 1.0, 5.0], rtol=1e-8)
    plain = integrate(ProjectedFlow(one), (0.0, 5.0), t_eval=[0.0, 1.0, 5.0], rtol=1e-8)
    states = [W.ravel() for W in run.state["W"]]
    np.testing.assert_allclose(
        run.observables["speed"], [np.abs(ProjectedFlow(one)(0, y)).max() for y in states]
    )
    np.testing.assert_allclose(run.observables["loss"], plain.observables["loss"], atol=1e-12)


def test_a_deep_flow_at_half_its_speed_is_integrated_as_such() -> None:
    """Steps controlled by the loss come from the built-in field: not for a flow that moves otherwise."""

    class Half(DeepFlow):
        def __call__(self, t: float, y: Array) -> Array:
            return 0.5 * super().__call__(t, y)

    rng = np.random.default_rng(0)
    layers = teachers.separated_layers((D, 3, 2), rng)
    one = DeepProblem.over_parameterised(layers, 2, rng, measure=EmpiricalMeasure(ATOMS), p_W=0.5)
    assert DeepFlow(one).tells_loss
    assert not Half(one).tells_loss
    slow, fast = (
        integrate(flow, (0.0, end), method=method, rtol=1e-6, atol=1e-8).observables["loss"][-1]
        for flow, end, method in ((Half(one), 2.0, "auto"), (DeepFlow(one), 1.0, "RK45"))
    )
    assert slow == pytest.approx(fast, rel=1e-4)
    with pytest.raises(TypeError, match="HeunDescent expects a flow with with_loss"):
        integrate(Half(one), (0.0, 1.0), method="HeunDescent")


def test_a_default_built_on_what_is_still_abstract_stays() -> None:
    """Where the ground is abstract, the member can only be written for whatever comes."""

    class Lossy(Flow):
        def with_loss(self, t: float, y: Array) -> tuple[Array, Array, Array]:
            slope = self(t, y)
            return slope, np.asarray(0.5 * y @ y), np.asarray(y @ slope)

    class Decay(Lossy):
        initial_arrays = {"x": np.ones(3)}  # noqa: RUF012

        def __call__(self, t: float, y: Array) -> Array:
            return -y

    class Faster(Decay):
        def __call__(self, t: float, y: Array) -> Array:
            return -2 * y

    assert Decay().tells_loss
    np.testing.assert_array_equal(Faster().with_loss(0.0, np.ones(3))[0], -2 * np.ones(3))


class _Scaled:
    def __init__(self, gram: Any) -> None:
        self.W, self.V, self._gram = gram.W, gram.V, gram

    def __call__(self, dW: Array, dV: Array) -> tuple[Array, Array]:
        moved, dV = self._gram(dW, dV)
        return 0.5 * moved, dV


@settings(max_examples=30)
@given(choices=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=5))
def test_a_shortcut_is_in_force_only_where_nothing_below_it_changed(choices: list[tuple[bool, bool]]) -> None:
    """Along any line of subclasses: the shortcut of the last class that has one, unless its ground changed since."""

    class Base(HearsOverrides):
        rests_on = {"short": ("long",)}  # noqa: RUF012

        def long(self) -> int:
            return 0

        def short(self) -> int:
            return self.long()

    line: type = Base
    truth = shortcut = 0
    for level, (new_ground, new_shortcut) in enumerate(choices, start=1):
        body: dict[str, Any] = {}
        if new_ground:
            body["long"] = lambda self, level=level: level
            truth = shortcut = level
        if new_shortcut:
            body["short"] = lambda self, level=level: -level
            shortcut = -level
        line = type(f"Level{level}", (line,), body)
    assert line().long() == truth  # type: ignore[attr-defined]
    assert line().short() == shortcut  # type: ignore[attr-defined]
    assert keeps(line(), Base, "long") is (truth == 0)
