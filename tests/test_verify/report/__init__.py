"""Tests of ``verify.report``."""
