"""Studies with trained networks that several statements and figures share."""
