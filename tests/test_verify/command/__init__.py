"""Tests of ``verify.command``."""
