"""Tests of ``dynamics.ode``."""
