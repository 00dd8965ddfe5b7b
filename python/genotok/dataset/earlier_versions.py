"""Manifests and journals of earlier versions, as they are written today.

Version 3 has SHA-256 sums of files, without the name of the algorithm. Version 2 names symbols "letters"; and
version 1 has no checksums of itself and of record batches.
"""

from __future__ import annotations

from typing import TypeVar, cast

from genotok.files.checksums import sha256

__all__ = ["with_current_keys"]

T = TypeVar("T")

RENAMED = {"letters": "symbols", "unknown_letters": "unknown_symbols"}

NESTED = frozenset({"head", "portions", "tokenizer", "inputs", "digests", "shards", "files"})
"""Keys of what may have old keys itself."""


def with_current_keys(value: T) -> T:
    """Parsed JSON of a manifest or a part of it, with the keys of today."""
    made: object = value
    if isinstance(value, list):
        made = [with_current_keys(item) for item in value]
    elif isinstance(value, dict):
        items = {key: with_current_keys(item) if key in NESTED else item for key, item in value.items()}
        made = dict(_current(key, item, is_file="bytes" in items) for key, item in items.items())
    return cast("T", made)  # of the same shape


def _current(key: str, item: object, *, is_file: bool) -> tuple[str, object]:
    """A key and what it names, as today."""
    if is_file and key == "sha256":
        return "checksum", sha256(item) if isinstance(item, str) else item
    return RENAMED.get(key, key), item
