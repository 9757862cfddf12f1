"""What ``tox run -e oldest`` installs is what ``pyproject.toml`` promises to work with."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
STANDS_IN = {"torch"}
"""Not at its lower bound, since the index has a CPU wheel of one release alone."""

TOOLS = {"luckproof", "ruff", "mypy", "import-linter", "pre-commit", "tox"}
"""What checks the source does not run with it."""


def bounds() -> dict[str, Version]:
    """Lower bounds of all that is needed to run and to test, the peers of the benchmarks left out."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [
        *project["dependencies"],
        *extras["test"],
        *extras["certify"],
        *extras["sweeps"],
        *extras["compiled"],
    ]
    found = {}
    for requirement in map(Requirement, wanted):
        (only,) = requirement.specifier
        assert only.operator == ">=", f"{requirement}: a lower bound alone can be tried"
        found[canonicalize_name(requirement.name)] = Version(only.version)
    return found


def pins() -> dict[str, Version]:
    """Of the file of constraints."""
    lines = (ROOT / "constraints-oldest.txt").read_text(encoding="utf-8").splitlines()
    pairs = [re.fullmatch(r"([\w-]+)==(\S+)", line) for line in lines if not line.startswith("#")]
    return {canonicalize_name(pair[1]): Version(pair[2]) for pair in pairs if pair}


def test_every_lower_bound_is_tried() -> None:
    """Pins equal bounds, name by name: 2024.7 and 2024.7.0 are one version."""
    bound, pin = bounds(), pins()
    assert {name: pin.get(name) for name in bound if name not in STANDS_IN} == {
        name: version for name, version in bound.items() if name not in STANDS_IN
    }
    assert set(pin) - set(bound) == {"distributed"}  # dask's own other half
    assert set(pin) >= STANDS_IN
    assert not TOOLS & set(pin)
