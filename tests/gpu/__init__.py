"""Large ensembles on a CUDA device; the same checks small elsewhere."""
