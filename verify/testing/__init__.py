"""Statements as tests of pytest: a plugin for files of them, and a test function for one's own test files."""
