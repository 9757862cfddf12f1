"""Two-layer students: the problem, its starts, its flows, and what is known of their equilibria."""
