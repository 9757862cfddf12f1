"""What the arrays of runs are: their names in words, and units; for files, data sets and the axes of pictures."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

UNITS_IN_WORDS = {"rad": "radians"}


class Meaning(NamedTuple):
    """A quantity in words, and the unit that its numbers have; 1 for a plain number."""

    long_name: str
    units: str = "1"

    @property
    def label(self) -> str:
        """As it stands at an axis."""
        unit = UNITS_IN_WORDS.get(self.units, self.units)
        return self.long_name if unit == "1" else f"{self.long_name} ({unit})"


MEANINGS: Mapping[str, Meaning] = {
    "W": Meaning("fan-ins w, a column for each node"),
    "V": Meaning("fan-outs v, a row for each node"),
    "angle": Meaning("angle of each student to its teacher", "rad"),
    "sin_theta": Meaning("sin θ of each student to its teacher"),
    "cosine": Meaning("cosine of students and teachers"),
    "loss": Meaning("population loss"),
    "train_loss": Meaning("loss of the batches since the record before"),
    "fan_in_norm": Meaning("fan-in norm ‖w‖"),
    "fan_out_norm": Meaning("fan-out norm ‖v‖"),
    "norm_drift": Meaning("drift of the fan-in norm, ‖w‖/‖w(0)‖ − 1"),
    "correlation": Meaning("correlation of teacher and student nodes"),
    "rho_bar": Meaning("best correlation ρ̄ of a teacher node with a student node, mean of a layer"),
    "best_rho": Meaning("best correlation of a teacher node with a student node"),
    "mean_rank": Meaning("rank of the final winners, from 0 to 1, mean of a layer"),
    "median_rank": Meaning("rank of the final winners, from 0 to 1, median of a layer"),
    "winner_rank": Meaning("rank of the final winner of a teacher node, from 0 to 1"),
    "active": Meaning("share of the inputs on which a student node is active"),
    "teacher_W": Meaning("teacher's fan-ins"),
    "teacher_V": Meaning("teacher's fan-outs"),
    "student_W": Meaning("students' fan-ins at the start"),
    "student_V": Meaning("students' fan-outs at the start"),
}
"""The quantities of the project's own flows and trainings, by the names that they have in a trajectory."""


OF_FLOWS: Mapping[frozenset[str], Mapping[str, Meaning]] = {
    frozenset({"x", "share"}): {
        "x": Meaning("size x of each species"),
        "share": Meaning("share of each species in the sum"),
    },
    frozenset({"delta", "rho", "v", "balance"}): {
        "delta": Meaning("δ = π − angle(w, w*)", "rad"),
        "rho": Meaning("fan-in norm ρ = ‖w‖"),
        "v": Meaning("fan-out v"),
        "angle": Meaning("angle(w, w*)", "rad"),
        "balance": Meaning("ρ² − v²"),
    },
    frozenset({"pair", "other", "theta"}): {
        "pair": Meaning("entries of w₁ and w₂ on e₁, e₂ and each other"),
        "other": Meaning("entries of w_k on e₁, e₂, e_k and each other"),
        "theta": Meaning("angle θ of w₁, w₂, w_k to its teacher", "rad"),
    },
}
"""The quantities of flows in a few numbers, whose names are too short to mean the same anywhere: known by company."""


ON_SAMPLES = Meaning("loss on the evaluation samples")
"""The loss of deep networks, which is measured; runs of these watch one of :data:`MEASURED_BESIDE`."""

MEASURED_BESIDE = ("rho_bar", "correlation")


def _meaning(name: str, beside: Collection[str]) -> Meaning | None:
    measured = name == "loss" and any(other in beside for other in MEASURED_BESIDE)
    if measured:
        return ON_SAMPLES
    own = (named for company, named in OF_FLOWS.items() if name in named and company.issubset(beside))
    return next(own, MEANINGS).get(name)


def attributes_of(name: str, beside: Collection[str] = ()) -> dict[str, str]:
    """``long_name`` and ``units`` of a variable ``beside`` others; none where its meaning is its owner's."""
    found = _meaning(name, beside)
    return {} if found is None else found._asdict()


def label_of(name: str, beside: Collection[str] = ()) -> str:
    """What stands at an axis of that variable: its own name where nothing else is known."""
    found = _meaning(name, beside)
    return name if found is None else found.label
