"""The pages and pictures made of what the benchmarks measured."""
