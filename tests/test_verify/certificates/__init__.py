"""Tests of ``verify.certificates``."""
