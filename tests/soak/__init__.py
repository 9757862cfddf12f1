"""Endurance: memory and norms over long use."""
