"""Deep simulations by plain options: widths, start, samples and closure are those that are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dynamics.deep.simulation import DeepSimulation, ModulationName
from luckproof import integrate

SMALL: dict[str, Any] = {"widths": (5, 3, 2), "samples": 40, "t_end": 1.0, "points": 3}


def test_layers_are_as_wide_as_asked_for() -> None:
    """Students ``factor`` times as wide inside, and as many outputs as the teacher."""
    problem = DeepSimulation(factor=3, **SMALL).build().problem
    assert [W.shape for W in problem.teacher] == [(5, 3), (3, 2)]
    assert [W.shape for W in problem.student] == [(5, 9), (9, 2)]
    assert problem.measure.samples.shape == (40, 5)


def test_a_start_on_the_teacher_stays_there() -> None:
    """Nearly all the weight on the teacher's nodes: nothing is left to learn; none of it: much is."""
    losses = []
    for share in (1e12, 0.0):
        options = DeepSimulation(factor=1, p_W=share, **SMALL)
        losses.append(options.run(options.build()).observables["loss"][0])
    assert losses[0] < 1e-20 < losses[1]


@pytest.mark.parametrize("modulation", ModulationName)
def test_a_run_is_that_of_its_flow(modulation: ModulationName) -> None:
    """The same bits as ``integrate``; the two closures are two flows, and the options are in the attributes."""
    options = DeepSimulation(modulation=modulation, instances=2, seed=3, **SMALL)
    built = options.build()
    run, plain = options.run(built), integrate(built, (0.0, 1.0), t_eval=[0.0, 0.5, 1.0])
    assert run.state.keys() == plain.state.keys()
    assert all(np.array_equal(run.state[name], plain.state[name]) for name in run.state)
    assert run.attributes["simulation"]["modulation"] == str(modulation)
    other = next(name for name in ModulationName if name is not modulation)
    twin = DeepSimulation(modulation=other, instances=2, seed=3, **SMALL).build()
    start = built.initial_state()
    np.testing.assert_array_equal(start, twin.initial_state())
    assert not np.array_equal(built(0.0, start), twin(0.0, start))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"widths": (5, 2)}, "widths: expected inputs, hidden layers and outputs"),
        ({"widths": (5, 0, 2)}, "widths: expected"),
        ({"factor": 0}, "factor: expected"),
        ({"samples": -3}, "samples: expected"),
        ({"samples": 10**12}, r"samples: the run takes about .* GiB"),
    ],
    ids=str,
)
def test_sizes_that_cannot_be_had_are_refused(options: dict[str, Any], words: str) -> None:
    """By name, when the options are made."""
    with pytest.raises(ValueError, match=f"^{words}"):
        DeepSimulation(**{**SMALL, **options})
