"""Tests of ``verify.luckmatters``."""
