"""Tests of ``verify``, room by room."""
