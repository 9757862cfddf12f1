"""Tests of ``nets.specialization``."""
