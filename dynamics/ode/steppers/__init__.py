"""Integration methods: SciPy's under a norm of each instance, stabilised explicit ones, and the choice among them."""
