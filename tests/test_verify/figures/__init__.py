"""Tests of ``verify.figures``."""
