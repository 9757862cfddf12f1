"""A flow's flat state and its named arrays are one thing, for every flow; a foreign object becomes a flow once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from dynamics.ode.foreign import ForeignFlow, as_flow
from luckproof import (
    Array,
    DeepFlow,
    Flow,
    GradientFlow,
    LotkaVolterraFlow,
    OneTeacherFlow,
    PassageFlow,
    ProjectedFlow,
    ResidualFlow,
    SharedResidualFlow,
    TeacherStudent,
    TwoLayerFlow,
    integrate,
    teachers,
)
from tests.test_dynamics.deep.deep_cases import drawn
from tests.test_dynamics.ode.ode_problems import Field

Shape = tuple[int, ...]


def problem(batch: Shape, n: int = 3) -> TeacherStudent:
    rng = np.random.default_rng(0)
    return TeacherStudent(teachers.random_unit(4, 3, rng, batch), teachers.random_unit(4, n, rng, batch))


def positive(*shape: int) -> Array:
    return 0.1 + np.random.default_rng(1).random(shape)


FLOWS: dict[str, Callable[[Shape], Flow]] = {
    "projected": lambda batch: ProjectedFlow(problem(batch)),
    "two layers": lambda batch: TwoLayerFlow(problem(batch, 5)),
    "two layers, V fixed": lambda batch: TwoLayerFlow(problem(batch, 5), trains_V=False),
    "gradient": lambda batch: GradientFlow(problem(batch, 4)),
    "residual": lambda batch: ResidualFlow(problem(batch, 2), trains_V=True),
    "shared residual": lambda batch: SharedResidualFlow(np.ones(4), positive(*batch, 4, 3), np.ones(3)),
    "Lotka-Volterra": lambda batch: LotkaVolterraFlow(np.ones(3), np.ones((3, 3)), positive(*batch, 3)),
    "one teacher": lambda batch: OneTeacherFlow(positive(*batch)),
    "passage": lambda batch: PassageFlow(positive(*batch)),
    "deep": lambda batch: DeepFlow(drawn(0, (3, 4, 4, 2), (3, 2, 3, 2), batch=batch), watch_gaps=False),
}


@pytest.mark.parametrize("batch", [(), (2,), (2, 3)])
@pytest.mark.parametrize("name", FLOWS)
def test_packing_and_unpacking_are_inverse(name: str, batch: Shape) -> None:
    """Bit for bit, for one state and for a stack; every array keeps its place, and the ensemble is told by the axes."""
    flow = FLOWS[name](batch)
    start = flow.initial_state()
    assert start.tobytes() == b"".join(
        np.ascontiguousarray(a).tobytes() for a in flow.initial_arrays.values()
    )
    states = np.random.default_rng(2).standard_normal((3, 2, start.size))
    arrays = flow.unpack(states)
    assert np.array_equal(flow.pack(arrays), states)
    for key, array in flow.unpack(states[1, 0]).items():
        assert np.array_equal(array, arrays[key][1, 0])
        assert np.shape(array)[: len(batch)] == batch
    assert flow.ensemble_shape == batch
    assert flow.instances == np.prod(batch, dtype=int)
    assert flow.configuration()["flow"] == type(flow).__name__
    assert flow.configuration()["instances"] == flow.instances


@pytest.mark.parametrize("name", FLOWS)
def test_observables_along_a_run_are_those_of_its_states(name: str) -> None:
    """All rows at once or one by one; the axes are as ``dimensions`` says."""
    flow = FLOWS[name]((2,))
    states = flow.initial_state() * np.array([[1.0], [0.9], [1.1]])
    along = flow.observables_along(states)
    for key, values in along.items():
        assert values.shape[:2] == (3, 2)
        assert values.ndim == 2 + len(flow.dimensions[key])
        one_by_one = np.stack([flow.observables(y)[key] for y in states])
        assert values == pytest.approx(one_by_one, rel=1e-12, abs=1e-12, nan_ok=True)


def test_the_start_is_a_copy() -> None:
    """Writing into an initial state leaves the flow as it was."""
    for make in FLOWS.values():
        flow = make((2,))
        flow.initial_state()[:] = np.nan
        assert np.isfinite(flow.initial_state()).all()


class Decay(Flow):
    """y' = -y: the least a flow must say."""

    dimensions: Mapping[str, tuple[str, ...]] = {"x": ("node",)}
    initial_arrays: Mapping[str, Array] = {"x": np.arange(1.0, 7.0).reshape(2, 3)}

    def __call__(self, t: float, y: Array) -> Array:
        return -y


def test_three_lines_make_a_flow() -> None:
    """The defaults: nothing observed, a smooth field, no loss, no equilibrium, instances told by the axes."""
    flow = Decay()
    run = integrate(flow, (0.0, 1.0))
    assert run.state["x"].shape == (len(run.t), 2, 3)
    assert run.observables == {}
    assert run.attributes["configuration"] == {"flow": "Decay", "instances": 2}
    assert flow.instance_labels(6).tolist() == [0, 0, 0, 1, 1, 1]  # type: ignore[union-attr]
    assert flow.component_name(4, 6) == "x[1, 1]"
    assert not flow.discontinuous
    assert not flow.tells_loss
    with pytest.raises(TypeError, match=r"flow: .*with_loss.*Decay"):
        flow.with_loss(0.0, flow.initial_state())
    with pytest.raises(TypeError, match=r"flow: .*equilibrium.*Decay"):
        flow.equilibrium()


def test_packing_names_what_does_not_fit() -> None:
    """A missing array, and one of another shape; a further one is passed over."""
    flow = Decay()
    with pytest.raises(ValueError, match=r"^arrays: expected x of Decay among them, got \['y'\]"):
        flow.pack({"y": np.ones(3)})
    with pytest.raises(ValueError, match=r"^arrays\['x'\]: expected shape \(\.\.\., 2, 3\), got \(3, 2\)"):
        flow.pack({"x": np.ones((3, 2))})
    assert flow.pack({"x": np.ones((2, 3)), "fixed": np.ones(1)}).tolist() == [1.0] * 6


def test_a_flow_is_taken_as_it_is_and_an_object_is_adapted() -> None:
    """The least: one array ``y``, one instance, named after its class."""
    flow = Decay()
    assert as_flow(flow) is flow
    bare = as_flow(Field(lambda t, y: -y, [1.0, 2.0]))
    assert isinstance(bare, ForeignFlow)
    assert bare.name == "Field"
    assert bare.unpack(np.arange(2.0))["y"].tolist() == [0.0, 1.0]
    assert bare.dimensions == {"y": ("component",)}
    assert (bare.instances, bare.discontinuous, bare.tells_loss) == (1, False, False)
    assert bare.instance_labels(2) is None
    assert bare.observables(np.ones(2)) == {}
    assert bare.configuration() == {}
    with pytest.raises(TypeError, match=r"flow: .*with_loss.*Field"):
        bare.with_loss(0.0, np.ones(2))
    for wrong in (3, lambda t, y: y):
        with pytest.raises(TypeError, match=r"^flow: expected an object with initial_state"):
            as_flow(wrong)  # type: ignore[arg-type]


def test_what_a_foreign_object_has_is_used() -> None:
    """Each optional member in turn: none is passed over."""

    class Rich:
        instances = 2
        discontinuous = True
        dimensions = {"x": ("node",)}  # noqa: RUF012

        def initial_state(self) -> Any:
            return np.arange(4.0)

        def __call__(self, t: float, y: Any) -> Any:
            return -y

        def unpack(self, y: Any) -> Any:
            return {"x": y.reshape(2, 2)}

        def observables(self, y: Any) -> Any:
            return {"size": np.abs(y).max()}

        def observables_along(self, states: Any) -> Any:
            return {"size": 2 * np.abs(states).max(axis=1)}

        def with_loss(self, t: float, y: Any) -> Any:
            return -y, np.array(0.0), np.array(0.0)

        def equilibrium(self) -> Any:
            return np.zeros(4)

        def configuration(self) -> Any:
            return {"kind": "rich"}

    flow = as_flow(Rich())
    assert flow.instances == 2
    assert flow.discontinuous
    assert flow.tells_loss
    assert flow.dimensions["x"] == ("node",)
    assert flow.instance_labels(4).tolist() == [0, 0, 1, 1]  # type: ignore[union-attr]
    assert flow.observables(np.ones(4)) == {"size": 1.0}
    assert flow.observables_along([np.ones(4)])["size"].tolist() == [2.0]
    assert flow.with_loss(0.0, np.ones(4))[0].tolist() == [-1.0] * 4
    assert flow.equilibrium().tolist() == [0.0] * 4
    assert flow.configuration() == {"kind": "rich"}
    assert flow.component_name(3, 4) == "x[1, 1]"
