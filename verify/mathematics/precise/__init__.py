"""Slow, independent evaluations (mpmath, rationals): what counterexamples are confirmed with."""
