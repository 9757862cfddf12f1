"""Integration methods: SciPy's under a norm of each instance, CVODE, stabilised ones, and the choice among them."""
