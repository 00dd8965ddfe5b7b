"""Benchmarks: equal output first, then time and memory, each record with its machine, versions and date."""
