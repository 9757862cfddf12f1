"""Sweeps: a command's runs over axes of its options, each kept in a file of its own, on any engine, resumed at will."""
