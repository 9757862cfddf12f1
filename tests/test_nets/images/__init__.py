"""Tests of ``nets.images``."""
