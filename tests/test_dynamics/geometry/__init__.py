"""Tests of ``dynamics.geometry``."""
