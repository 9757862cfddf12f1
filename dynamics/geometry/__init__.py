"""Geometry of weight columns: norms and directions, accurate angles, narrow pairs, boundaries of ReLU nodes."""
