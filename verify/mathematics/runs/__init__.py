"""Runs from random starts that several statements look at: flows and trained networks, each computed once."""
