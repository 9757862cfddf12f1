"""What statements still lack, by name: lists that may only shrink.

A test of something that every statement must bring calls :func:`settle`. It fails for a statement that lacks it, unless
the statement is listed here, and it fails for a listed one that brings it, so that no entry outlives its reason.
"""

from __future__ import annotations


def settle(listed: frozenset[str], name: str, complaint: str) -> None:
    """Fail where ``name`` has a ``complaint`` and is not ``listed``, or is listed and has none."""
    if name in listed:
        assert complaint, f"{name} is mended: remove its line from tests/test_verify/still_open.py"
    else:
        assert not complaint, f"{name}: {complaint}"


UNDECIDED: frozenset[str] = frozenset()
"""Statements with a control that is not decided: its sampling error is too large."""

COARSE: frozenset[str] = frozenset()
"""Statements with a tolerance of which no negative control has K at most ``LARGEST_TOLERANCE_FACTOR``."""

CONFIRMATIONS_THAT_REFUSE: frozenset[str] = frozenset()
"""Statements of which the confirmation does not accept a positive control, or cannot be asked."""

CONFIRMATIONS_OF_ONE_NUMBER: frozenset[str] = frozenset()
"""Statements of which the confirmation gives the same numbers whatever the instance."""

DIGITS_NOT_CARRIED: frozenset[str] = frozenset()
"""Statements of which the confirmation does not compute with the digits that it states."""

ASSUMPTIONS_WITHOUT_CONTROLS: frozenset[str] = frozenset()
"""Statements with an assumption that no control excludes, or without an instance just inside."""

WITHOUT_SCRIPT: frozenset[str] = frozenset()
"""Statements that fail without a sceptic's script or a reason why there is none."""

FIELDS_WITHOUT_DOMAIN: frozenset[str] = frozenset()
"""Statements with a field of their instances that may be anything."""

ATTACKED_TOO_LITTLE: frozenset[str] = frozenset()
"""Statements that hold without an attack of 500 evaluations on record."""
