"""Mutation testing: `make mutants` (docs/contributing/mutation.md)."""
