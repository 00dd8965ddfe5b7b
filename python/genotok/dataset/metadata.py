"""What an Arrow or Parquet file says of how it was made, in its schema's metadata."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa


__all__ = ["describe", "facts_of"]

KEY = b"genotok"

KINDS = {"genotok": str, "tokenizer_sha256": str, "vocab_size": int, "options": dict}
"""What there is to say, and of what type it is."""


def describe(schema: pa.Schema, about: Mapping[str, Any]) -> pa.Schema:
    """A pyarrow schema with what it says about itself in its metadata."""
    return schema.with_metadata({KEY: json.dumps(about)})


def facts_of(schema: pa.Schema) -> dict[str, Any]:
    """The facts in a pyarrow schema's metadata; none if it was made elsewhere."""
    try:
        about = json.loads((schema.metadata or {}).get(KEY, b"{}"))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(about, dict):
        return {}
    return {name: about[name] for name, kind in KINDS.items() if isinstance(about.get(name), kind)}
