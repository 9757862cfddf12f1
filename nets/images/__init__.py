"""Labelled images and the teachers that are trained on them."""
