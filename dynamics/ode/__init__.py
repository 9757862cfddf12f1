"""A small ODE library: guarded integration with events, dense output, typed ends and files. It knows no ReLU."""
