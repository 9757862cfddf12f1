"""Hypothesis profiles, the device option, and this tree for processes that tests start."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from hypothesis.configuration import set_hypothesis_home_dir

pytest_plugins = ["tests.statement_selection"]

if not os.access(
    Path(__file__).parents[1], os.W_OK
):  # a read-only checkout: Hypothesis keeps its examples elsewhere
    set_hypothesis_home_dir(tempfile.mkdtemp(prefix="hypothesis-"))

# suppress_health_check is named because Hypothesis itself switches a check off where it sees CI.
settings.register_profile("dev", max_examples=30, deadline=None, suppress_health_check=())
settings.register_profile(
    "ci", max_examples=50, deadline=None, derandomize=True, print_blob=True, suppress_health_check=()
)
settings.register_profile(
    "deep", max_examples=10_000, deadline=None, derandomize=False, print_blob=True, suppress_health_check=()
)
PROFILE = os.environ.get("LUCKPROOF_PROFILE", "ci" if os.environ.get("CI") else "dev")
settings.load_profile(PROFILE)

# Processes that tests start find this tree and no other, from whatever folder they run in, installed or not.
_ROOT = str(Path(__file__).parents[1])
os.environ["PYTHONPATH"] = os.pathsep.join([_ROOT, *filter(None, [os.environ.get("PYTHONPATH")])])

SLOW = {"deep", "soak", "bench"}

torch.set_num_threads(1)  # the ensembles are small matrices: threads cost more than they give


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    if not pluginmanager.hasplugin(
        "timeout"
    ):  # an environment without pytest-timeout: no limit, and no error
        parser.addini("timeout", "seconds that a test may take; in force where pytest-timeout is installed")
    parser.addoption(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where networks are trained; auto takes CUDA when present",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out deep, soak and bench tests unless ``-m`` asks for a marker by name; these take what time they take."""
    slow = [item for item in items if not SLOW.isdisjoint(mark.name for mark in item.iter_markers())]
    if config.getoption("-m"):
        for item in slow if config.pluginmanager.hasplugin("timeout") else ():
            item.add_marker(pytest.mark.timeout(0))
        return
    config.hook.pytest_deselected(items=slow)
    left_out = set(slow)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest) -> str:
    """``cuda`` or ``cpu``: where this run trains its networks."""
    choice = request.config.getoption("--device")
    if choice == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if choice == "cuda" and not torch.cuda.is_available():
        raise pytest.UsageError("--device cuda: torch sees no CUDA device")
    return str(choice)
