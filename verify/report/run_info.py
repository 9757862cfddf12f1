"""What a run was: seed, budget, device, threads, versions, date and time taken."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata

from dynamics.boundary import checked
from dynamics.validation import number
from dynamics.workers.one_thread import threads
from verify.judging import Context

PACKAGES = ("luckproof", "numpy", "scipy", "torch", "hypothesis", "mpmath", "python-flint")
"""The packages that a verdict can depend on."""


def installed_versions() -> dict[str, str]:
    """Versions of Python and of :data:`PACKAGES`."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return versions


@dataclass(frozen=True)
class RunInfo:
    """The settings under which verdicts were reached."""

    seed: int
    budget: str
    device: str
    seconds: float = 0.0
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    versions: Mapping[str, str] = field(default_factory=installed_versions)
    threads: int = field(default_factory=threads)

    @classmethod
    @checked
    def of(cls, context: Context, seconds: float = 0.0) -> RunInfo:
        """Those of a context, with the time that a run took."""
        number("seconds", seconds, least=0)
        return cls(context.seed, context.budget.name, context.device, seconds)

    @property
    def options(self) -> str:
        """The command-line options that repeat this run's settings; defaults are left out."""
        options = [] if self.budget == "quick" else [f"--budget {self.budget}"]
        return " ".join(options + ([f"--seed {self.seed}"] if self.seed else []))
