"""Timings beside the peers, the bounds beside measured rates, and the pages made of them."""
