"""Tests of ``verify.judging``."""
