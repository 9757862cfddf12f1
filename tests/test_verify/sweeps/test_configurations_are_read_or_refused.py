"""A configuration is read as it says, and refused by key, expectation and value."""

from __future__ import annotations

import pytest

from verify.sweeps.axes import read_axis
from verify.sweeps.configuration import from_mapping, read_configuration
from verify.sweeps.points import Points, code_version
from verify.sweeps.work import Task, compute

SMALL = {"command": "simulate", "base": {"d": 6, "t_end": 2}}

ISSUE = """
command = "simulate"
[base]
flow = "projected"
d = 10
t_end = 50
[grid]
m = [2, 5]
theta0 = "0.1:1.0:10"
seed = "0:5"
"""


def test_ranges_are_what_they_say(tmp_path):
    """Ten values with both ends, integers without the last; the last axis moves fastest."""
    (tmp_path / "c.toml").write_text(ISSUE)
    found = read_configuration(tmp_path / "c.toml")
    assert found.dimensions == {"m": 2, "theta0": 10, "seed": 5}
    theta0 = found.grid[1].values
    assert (theta0[0], theta0[-1], len(theta0)) == (0.1, 1.0, 10)
    assert found.grid[2].values == (0, 1, 2, 3, 4)
    assert all(type(seed) is int for seed in found.grid[2].values)
    assert found.chosen(0) == {"m": 2, "theta0": 0.1, "seed": 0}
    assert found.chosen(1) == {"m": 2, "theta0": 0.1, "seed": 1}
    assert found.chosen(99) == {"m": 5, "theta0": 1.0, "seed": 4}
    assert [found.places(n)["seed"] for n in range(6)] == [0, 1, 2, 3, 4, 0]


def test_zipped_axes_go_together():
    """Along one dimension, behind the grid."""
    found = from_mapping({**SMALL, "grid": {"seed": "0:3"}, "zip": {"m": [1, 2], "theta0": [0.1, 0.5]}})
    assert found.dimensions == {"seed": 3, "zip": 2}
    assert found.chosen(3) == {"seed": 1, "m": 2, "theta0": 0.5}


def test_plain_data_makes_the_same_configuration_again():
    """As the manifest keeps it; tuples, names and ranges included."""
    deep = {"command": "simulate", "base": {"flow": "deep", "widths": "4-3-2"}, "grid": {"seed": "0:2"}}
    for given in (deep, {**SMALL, "grid": {"theta0": "0.1:1:3", "flow": ["projected", "gradient"]}}):
        found = from_mapping(given)
        assert from_mapping(found.as_plain()) == found
    axis = from_mapping({**deep, "base": {"flow": "deep"}, "grid": {"widths": ["4-3-2", [5, 4, 3]]}}).grid[0]
    assert axis.values == ((4, 3, 2), (5, 4, 3))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "command: expected what to run, such as 'simulate', got nothing"),
        ({"command": "simulat"}, "command: expected one of simulate, train, got 'simulat'"),
        (
            {"command": "train", "base": {"t_end": 3}},
            r"base.t_end: expected an option of train \(flow, .*, got 't_end'",
        ),
        (
            {"command": "train", "base": {"flow": "deep"}},
            "base.flow: expected one of projected, .*, got 'deep'",
        ),
        ({**SMALL, "gird": {}}, "gird: expected the keys command, base, grid, zip, got 'gird'"),
        ({**SMALL, "grid": [1]}, r"grid: expected a table of options, got \[1\]"),
        (
            {**SMALL, "base": {"dd": 1}},
            r"base\.dd: expected an option of simulate \(flow, .*d, m.*\), got 'dd'",
        ),
        ({**SMALL, "base": {"d": "10"}}, r"base\.d: expected a whole number, got '10'"),
        ({**SMALL, "base": {"d": 2.5}}, r"base\.d: expected a whole number, got 2.5"),
        ({**SMALL, "base": {"d": True}}, r"base\.d: expected a whole number, got True"),
        ({**SMALL, "base": {"t_end": float("inf")}}, r"base\.t_end: expected a number, got inf"),
        ({**SMALL, "base": {"flow": "x"}}, r"base\.flow: expected one of projected, .*deep, got 'x'"),
        ({**SMALL, "base": {"teacher": "x"}}, r"base\.teacher: expected one of orthonormal, .*, got 'x'"),
        (
            {**SMALL, "base": {"widths": []}},
            r"base\.widths: expected whole numbers such as 10-8-8-5, got \[\]",
        ),
        ({**SMALL, "grid": {"m": 5}}, r"grid\.m: expected a list of values, or a range .*, got 5"),
        ({**SMALL, "grid": {"m": []}}, r"grid\.m: expected one value at least, got none"),
        ({**SMALL, "grid": {"m": [2, 2]}}, r"grid\.m: expected every value once, got 2 twice"),
        (
            {**SMALL, "grid": {"seed": "0-5"}},
            r"grid\.seed: expected a list of values, or a range .*, got '0-5'",
        ),
        ({**SMALL, "grid": {"seed": "5:0"}}, r"grid\.seed: expected a range .* with 1 to 10000000 values"),
        ({**SMALL, "grid": {"seed": "0:1:0"}}, r"grid\.seed: expected a range .* with 1 to 10000000 values"),
        ({**SMALL, "grid": {"seed": "0:99999999999"}}, r"grid\.seed: expected a range"),
        ({**SMALL, "grid": {"theta0": "0:inf:3"}}, r"grid\.theta0: expected a range of finite numbers"),
        ({**SMALL, "grid": {"m": "1:2:4"}}, r"grid\.m: expected a whole number, got 1\.333"),
        ({**SMALL, "grid": {"d": [3]}}, r"grid\.d: expected it in one table, got it in \[base\] too"),
        ({**SMALL, "grid": {"m": [3]}, "zip": {"m": [3]}}, r"zip\.m: .* got it in \[grid\] too"),
        ({**SMALL, "zip": {"m": [1, 2], "seed": [1]}}, "zip: expected axes of one length, got m 2, seed 1"),
        ({**SMALL, "grid": {"seed": "0:10000", "t_end": "1:2:2", "theta0": "1:2:5000"}}, r"grid\.t_end"),
        (
            {**SMALL, "grid": {"seed": "0:10000", "theta0": "1:2:5000"}},
            "grid: expected up to .* got 50000000",
        ),
    ],
)
def test_mistakes_are_refused_by_key(given, message):
    """The key, what was expected and what stands there."""
    with pytest.raises(ValueError, match=f"^{message}"):
        from_mapping(given)


def test_files_that_are_none_are_refused(tmp_path):
    """No file, no TOML, no text."""
    for content, message in ((b"a = ", "as TOML"), (b"\xff", "as TOML"), (None, "no such file")):
        path = tmp_path / "c.toml"
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ValueError, match=f"CONFIG: .*{message}"):
            read_configuration(path)


def test_options_that_do_not_go_together_name_the_point():
    """Found when the point is made, before anything runs."""
    points = Points(from_mapping({**SMALL, "base": {"n": 2}, "grid": {"m": [2, 3]}}), "code")
    assert points[0].options["m"] == 2
    with pytest.raises(ValueError, match=r"^n: expected n = m = 3 .* \(at the point m = 3\)"):
        points[1]


def test_a_machines_memory_does_not_matter_until_a_point_runs():
    """A laptop tells the status of a cluster's sweep; what does not fit is refused where it runs."""
    points = Points(from_mapping({**SMALL, "base": {"d": 10**12, "m": 1}}), "code")
    assert points[0].options["d"] == 10**12
    result = compute(Task(points[0].key, points[0].options, code_version("simulate")))
    assert result.status == "refused"
    assert "GiB are available" in result.reason


def test_keys_follow_options_and_code():
    """The same run has the same key however it is written; another option or code has another."""
    given = {**SMALL, "grid": {"seed": "0:2"}}
    points = Points(from_mapping(given), "a")
    assert len({points[0].key, points[1].key, Points(from_mapping(given), "b")[0].key}) == 3
    written_out = {**SMALL, "base": {"d": 6.0, "t_end": 2.0, "points": 201, "seed": 1}}
    assert Points(from_mapping(written_out), "a")[0].key == points[1].key


def test_a_byte_order_mark_is_no_part_of_a_configuration(tmp_path):
    """Editors of Windows write one."""
    (tmp_path / "c.toml").write_text('command = "simulate"\n', encoding="utf-8-sig")
    assert read_configuration(tmp_path / "c.toml").size == 1


@pytest.mark.parametrize("given", [10**400, -(10**30), 2**63])
def test_numbers_beyond_63_bits_are_refused_by_key(given):
    """Some have no float to compare them with."""
    with pytest.raises(
        ValueError, match=r"^base\.d: expected numbers of up to 63 bits, got one of \d+ bits$"
    ):
        from_mapping({"command": "simulate", "base": {"d": given}})
    with pytest.raises(ValueError, match=r"^grid\.t_end: expected numbers of up to 63 bits"):
        from_mapping({"command": "simulate", "grid": {"t_end": [1, given]}})


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.1:1.0:10", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
        ("1e-3:3e-3:3", [0.001, 0.002, 0.003]),
        ("0.5:0.5:1", [0.5]),
        (" 0.7 :0.1: 3", [0.7, 0.4, 0.1]),
        ("1e-400:0.2:3", [0.0, 0.1, 0.2]),
    ],
)
def test_evenly_spaced_values_are_the_decimals_nearest(text, values):
    """``numpy.linspace`` has 0.30000000000000004 among tenths, which then stands in legends and file names."""
    assert list(read_axis("simulate", "grid", "theta0", text).values) == values
