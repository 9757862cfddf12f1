"""Tests of ``verify.sweeps``."""
