"""Wheels and the release checklist (docs/release.md). Not part of the package."""
