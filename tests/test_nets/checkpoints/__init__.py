"""Tests of ``nets.checkpoints``."""
