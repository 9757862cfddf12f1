"""The error that ends a study in which a network stopped being finite."""

from __future__ import annotations


class DivergedTrainingError(RuntimeError):
    """A network of a study stopped being finite; the message says which one and where."""
