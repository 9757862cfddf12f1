"""Tests of ``nets``, room by room."""
