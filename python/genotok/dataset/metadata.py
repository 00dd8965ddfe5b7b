"""What an Arrow or Parquet file says of how it was made, in its schema's metadata, with a checksum."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from genotok.dataset.batch_checksums import SCHEME

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa


__all__ = ["about_of", "describe", "facts_of", "metadata_of", "text_of"]

KEY = "genotok"
CHECKSUM = "genotok.sha256"

KINDS = {"genotok": str, "tokenizer_sha256": str, "vocab_size": int, "options": dict, "checksums": str}
"""What there is to say, and of what type it is."""


def text_of(about: Mapping[str, Any]) -> str:
    """What a file with checksums says of itself."""
    return json.dumps({**about, "checksums": SCHEME})


def metadata_of(text: str) -> dict[str, str]:
    """The metadata of a schema: what a file says about itself, and its checksum."""
    return {KEY: text, CHECKSUM: hashlib.sha256(text.encode()).hexdigest()}


def describe(schema: pa.Schema, text: str) -> pa.Schema:
    """A pyarrow schema with what a file says about itself in its metadata."""
    return schema.with_metadata(metadata_of(text))


def about_of(schema: pa.Schema) -> str | None:
    """What a file with checksums says about itself; None of a file without them.

    Raises:
        ValueError: It is not what was written, or has checksums of another kind.
    """
    metadata = schema.metadata or {}
    text, expected = metadata.get(KEY.encode()), metadata.get(CHECKSUM.encode())
    if expected is None and (text is None or b'"checksums"' not in text):
        return None
    if text is None or expected is None or hashlib.sha256(text).hexdigest().encode() != expected:
        raise ValueError(
            "its metadata: the checksum differs; encode the input again, or restore it from a copy"
        )
    about = str(text, "utf-8")
    if (kind := facts_of(about).get("checksums")) != SCHEME:
        raise ValueError(f"it has checksums of kind {kind}, where {SCHEME} is expected; update genotok")
    return about


def facts_of(about: pa.Schema | str | None) -> dict[str, Any]:
    """The facts in what a file, or its schema's metadata, says; none if another program made it."""
    text = about if about is None or isinstance(about, str) else (about.metadata or {}).get(KEY.encode())
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: found[name] for name, kind in KINDS.items() if isinstance(found.get(name), kind)}
