"""What an Arrow or Parquet file says of how it was made, in its schema's metadata."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa


__all__ = ["describe", "facts_of"]

KEY = b"genotok"


def describe(schema: pa.Schema, about: Mapping[str, Any]) -> pa.Schema:
    """A pyarrow schema with what it says about itself in its metadata."""
    return schema.with_metadata({KEY: json.dumps(about)})


def facts_of(schema: pa.Schema) -> dict[str, Any]:
    """The facts in a pyarrow schema's metadata; none if it was made elsewhere."""
    try:
        about = json.loads((schema.metadata or {}).get(KEY, b"{}"))
    except (ValueError, RecursionError):
        return {}
    return about if isinstance(about, dict) else {}
