"""The command and the README as a user runs them."""
