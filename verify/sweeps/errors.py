"""What ends a sweep besides its own work."""

from __future__ import annotations


class BusyFolderError(ValueError):
    """Another driver is at work on points of the same folder."""


class EngineError(RuntimeError):
    """What computes the points is gone: the scheduler, or an executor that was shut down. Finished points are kept."""
