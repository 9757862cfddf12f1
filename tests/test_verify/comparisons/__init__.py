"""Tests of ``verify.comparisons``."""
