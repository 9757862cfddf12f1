"""Tests of ``dynamics.deep``."""
