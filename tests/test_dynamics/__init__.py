"""Tests of ``dynamics``, room by room."""
