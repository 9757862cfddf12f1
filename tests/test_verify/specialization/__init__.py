"""Tests of ``verify.specialization``."""
