"""Eqn 6 for networks of any depth, on given samples."""
