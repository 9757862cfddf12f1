"""Tests of ``nets.deep``."""
