"""Our integrators and the peers on the papers' flows, compared at equal true error."""
