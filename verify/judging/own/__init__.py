"""Statements that live outside this project: in a file of the user's, or in an installed package that offers them."""
