"""Figures of statements: which side fails is seen, axes fit what they show, labels and ticks say what they are."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure

from luckproof import Evidence, judge, make_context, statements
from tests.test_verify.judging.toy_statements import HOLDS
from verify.figures.style import project_style
from verify.report.readable_axes import readable, with_indices, with_unit
from verify.report.records_figure import label_of, records_figure
from verify.report.verdict_picture import figure_of

CONTEXT = make_context("quick", "cpu", 0)


def drawn(evidence, relation="≤") -> Figure | None:
    """The default figure of a claim on the toy's pairs, b from 0 to 50 or so."""
    return records_figure(
        judge(
            dataclasses.replace(HOLDS, evidence=evidence, compares=("measured", relation, "bound")), CONTEXT
        )
    )


@pytest.mark.parametrize("relation", ["≤", "≥"])
def test_the_side_on_which_the_claim_fails_is_shaded(relation):
    """No instance that holds lies in the shade; the caption says so, and what the line is."""
    factor = 0.5 if relation == "≤" else 2.0
    figure = drawn(
        lambda p, c: Evidence(predicted=1.0 + p.b, measured=factor * (1.0 + p.b), margin=1.0), relation
    )
    (axes,) = figure.axes
    (shade,) = [part for part in axes.collections if part.get_label().startswith("_")]
    (points,) = [part for part in axes.collections if part.get_label().startswith("claim holds")]
    (path,) = shade.get_paths()
    assert not path.contains_points(points.get_offsets()).any()
    middle = float(np.median(np.asarray(points.get_offsets())[:, 0]))
    assert path.contains_point((middle, middle * (1.2 if relation == "≤" else 0.8)))
    assert "out of the shade" in figure.get_label()
    assert axes.get_legend_handles_labels()[1][-1] == "the bound"


def test_a_claim_of_nearness_has_no_side():
    """Its caption does not promise that points lie on the line."""
    figure = drawn(lambda p, c: Evidence(predicted=1.0 + p.b, measured=1.3 * (1.0 + p.b), margin=1.0), "≈")
    assert [part.get_label() for part in figure.axes[0].collections] == [
        figure.axes[0].get_legend_handles_labels()[1][0]
    ]
    assert figure.get_label().endswith("how far from the line each may be, and none is farther.")


def test_axes_end_where_the_numbers_do():
    """A bound far above what is measured does not stretch its own axis: the points fill it."""
    figure = drawn(
        lambda p, c: Evidence.at_most(1e-9 * (1 + p.b) ** 2, bound=1.0 + 0.01 * p.b, tolerance=0.0)
    )
    low, high = figure.axes[0].get_xlim()
    assert 0.8 < low < 1.0
    assert high < 20
    assert figure.axes[0].get_ylim()[0] < 1e-9


def test_negative_numbers_of_all_sizes_are_told_apart():
    """Where most would lie in one spot of a plain axis, it counts in powers of ten on either side of zero."""
    figure = drawn(
        lambda p, c: Evidence(predicted=-1.0 - p.b, measured=-1.0 - p.b - 10.0 ** (p.b % 6), margin=1.0)
    )
    assert (figure.axes[0].get_xscale(), figure.axes[0].get_yscale()) == ("symlog", "symlog")
    plain = drawn(lambda p, c: Evidence(predicted=-1.0 - p.b, measured=-3.0 - 2 * p.b, margin=1.0))
    assert plain.axes[0].get_yscale() == "linear"


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("angle θ between the fan-ins", "angle θ between the fan-ins (rad)"),
        ("largest angle θ", "largest angle θ (rad)"),
        ("angle of j from its teacher, δw_k = 0", "angle of j from its teacher (rad), δw_k = 0"),
        ("angle at the start (rad)", "angle at the start (rad)"),
        ("angle of the cone in degrees (°)", "angle of the cone in degrees (°)"),
        ("largest angle / bound", "largest angle / bound"),
        ("largest of angle and bias over their bounds", "largest of angle and bias over their bounds"),
        ("rectangle of the sample", "rectangle of the sample"),
    ],
)
def test_angles_have_their_unit(label, expected):
    """Those that are plain angles, once."""
    assert with_unit(label) == expected
    assert with_unit(expected) == expected


def test_indices_are_set_as_such_once():
    """Mathtext that is there already is left alone, names of functions too; formulas are not broken in two."""
    assert with_indices("d*_jk / bound") == "d*$_{jk}$ / bound"
    assert with_indices("e^{−t} in $x_j$") == "e^{−t} in $x_j$"
    assert with_indices("basin_rate(R)") == "basin_rate(R)"
    once = with_indices("5 $, max_j θ_j")
    assert with_indices(once) == once == r"5 \$, max$_{j}$ θ$_{j}$"
    lines = label_of("slowest mean decay rate of R = ‖W − W*‖_F, up to a factor", 40).split("\n")
    assert lines[1].startswith("R\xa0=\xa0‖W\xa0−\xa0W*‖")


def test_a_logarithmic_axis_within_a_power_of_ten_has_numbers():
    """At least two are seen, in plain digits; a wider axis keeps its powers."""
    with project_style():
        figure = Figure()
        narrow, wide, own = figure.subplots(1, 3)
        narrow.loglog([2, 9], [0.012, 0.071])
        wide.loglog([1, 1e5], [1, 1e5])
        own.loglog([2, 9], [2, 9])
        own.set_xticks([2, 4, 8], ["2", "4", "8"])
        readable(figure)
        figure.draw_without_rendering()

    def seen(axis):
        low, high = axis.get_view_interval()
        return [
            label.get_text()
            for tick, label in zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=True)
            if low <= tick <= high
        ]

    assert seen(narrow.xaxis) == ["2", "5"]
    assert seen(narrow.yaxis) == ["0.02", "0.05"]
    assert seen(own.xaxis) == ["2", "4", "8"]
    assert "$\\mathdefault{10^{2}}$" in seen(wide.xaxis)


def test_every_statements_own_figure_has_a_caption_and_is_made_readable():
    """Its words say what to see; a label of its own drawing gets its index and unit."""
    for statement in statements.values():
        if statement.figure is not None:
            assert statement.figure.__doc__, statement.name

    def own(verdict):
        figure = Figure()
        figure.subplots().set(xlabel="angle of w_j", ylabel="d*_jk")
        return figure

    verdict = judge(dataclasses.replace(HOLDS, figure=own), CONTEXT)
    (axes,) = figure_of(verdict).axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("angle of w$_{j}$ (rad)", "d*$_{jk}$")
