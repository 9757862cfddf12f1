"""Tests of ``dynamics.measures``."""
