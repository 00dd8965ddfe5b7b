"""Manifests and journals of earlier versions, as they are written today.

Version 2 names symbols "letters". Version 1 does so too, and has no checksums.
"""

from __future__ import annotations

__all__ = ["with_current_keys"]

RENAMED = {"letters": "symbols", "unknown_letters": "unknown_symbols"}


def with_current_keys(value: object) -> object:
    """Parsed JSON of a portion, of totals or of a list of them, with the keys of today."""
    if isinstance(value, list):
        return [with_current_keys(item) for item in value]
    if isinstance(value, dict):
        return {RENAMED.get(key, key): item for key, item in value.items()}
    return value
