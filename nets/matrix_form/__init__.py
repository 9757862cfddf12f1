"""One deep network as matrices: its gates, its modulation recursion, and Eqn 6 beside the exact gradient."""
