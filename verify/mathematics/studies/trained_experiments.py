"""Ensembles that the statements on the two-layer experiments are judged on; each is trained once and kept."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import hypothesis.strategies as st

from dynamics.ode.trajectory import Trajectory
from verify.judging import SEED, Assumption, Budget, Instance, fixed, integers, reals
from verify.mathematics.studies.specialization_study import QUICK_SAMPLES, SpecializationStudy

RECORDS = 8


@dataclass(frozen=True)
class Trained(Instance):
    """Independent networks at one polarity and over-realisation, trained for ``epochs`` thousands of SGD steps."""

    m: int = fixed(10, integers(1, 100))
    over_realisation: float = fixed(5, reals(1, 100))
    polarity: float = fixed(1.0, reals(0.0, 10.0))
    networks: int = fixed(12, integers(3, 1000))
    epochs: int = fixed(3, integers(1, 1000))
    seed: int = fixed(0, SEED)


def trained(budget: Budget) -> st.SearchStrategy[Trained]:
    """Other polarities, widths and seeds; the paper's 20 teacher nodes and 32 seeds at the full budget."""
    m, networks = (20, 32) if budget.full else (10, 12)
    return st.builds(
        lambda over, polarity, seed: Trained(m, over, polarity, networks, 3, seed),
        st.sampled_from([1.0, 2.0, 5.0]),
        st.sampled_from([0.5, 1.0, 1.5, 2.0]),
        st.integers(0, 2**20),
    )


@functools.lru_cache(maxsize=8)
def run_of(instance: Trained, device: str) -> Trajectory:
    """The run of an instance; the last few are kept, for controls and for instances that are compared in pairs."""
    study = SpecializationStudy(
        instance.m, (instance.polarity,), (instance.over_realisation,), instance.networks, instance.epochs,
        instance.seed, QUICK_SAMPLES,
    )  # fmt: skip
    ((_, _, run),) = study.run(study.marks(RECORDS), device=device)
    return run


def polarised_teachers(instance: Trained) -> tuple[Assumption, ...]:
    """The claims about strong and weak teachers say something only where their strengths differ."""
    return (Assumption.above("p", instance.polarity, 0),)
