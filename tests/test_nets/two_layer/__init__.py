"""Tests of ``nets.two_layer``."""
