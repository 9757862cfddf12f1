"""The intended Hypothesis profile is the loaded one."""

from __future__ import annotations

import os

from hypothesis import settings


def test_the_intended_profile_is_loaded() -> None:
    """CI is derandomised, deep runs at least 10,000 instances, and no profile skips a health check."""
    expected = os.environ.get("LUCKPROOF_PROFILE", "ci" if os.environ.get("CI") else "dev")
    assert settings.get_current_profile_name() == expected
    profile = settings.get_profile(expected)
    assert settings().max_examples == profile.max_examples
    assert tuple(settings().suppress_health_check) == ()
    if expected == "ci":
        assert settings().derandomize
    if expected == "deep":
        assert settings().max_examples >= 10_000
