"""Two-layer ReLU networks with every bias as arrays, the kinks of their residual, and their exact critical points."""
