"""Families of instances that several statements draw from: sizes, angles and seeds, and what they build."""
