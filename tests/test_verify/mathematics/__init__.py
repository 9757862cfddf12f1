"""Tests of ``verify.mathematics``."""
