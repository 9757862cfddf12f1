"""Margins in ball arithmetic and in exact fractions: on which instances a claim is proved, and where it is equal."""
