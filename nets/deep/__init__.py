"""Ensembles of deep students beside deep teachers, fully connected or convolutional."""
