"""Ensembles of two-layer students, trained on the problems that the flows integrate."""
