"""What an Arrow or Parquet file says of how it was made, in its schema's metadata."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from genotok.dataset.vocabulary import Vocabulary

__all__ = ["describe", "facts", "facts_of"]

KEY = b"genotok"


def facts(vocabulary: Vocabulary, options: Mapping[str, Any]) -> dict[str, Any]:
    """How files are made: with which tokenizer, by which version, under which options."""
    return {
        "genotok": version("genotok"),
        "tokenizer_sha256": vocabulary.sha256,
        "vocab_size": len(vocabulary.strings),
        "options": dict(options),
    }


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
