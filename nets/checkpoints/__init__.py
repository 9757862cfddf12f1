"""Tensors in files: our checkpoints, and state dicts of other people, read without running code."""
