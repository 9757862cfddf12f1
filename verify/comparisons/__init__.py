"""Flows beside networks: what a flow says of every step that networks take, and whether they take it."""
