"""Gradients in forms that share no code: by back-propagation, by samples, term by term, under normalisation."""
