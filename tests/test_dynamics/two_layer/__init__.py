"""Tests of ``dynamics.two_layer``."""
