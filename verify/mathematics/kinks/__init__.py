"""Kinks of two-layer and deep networks on a region: who sees them, who cancels them, how large they are."""
