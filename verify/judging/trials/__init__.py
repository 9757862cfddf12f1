"""Trials: how a statement comes to its verdict, by drawn instances, shrinking, confirmation and attack."""
