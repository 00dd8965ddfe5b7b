"""How sequences in memory become tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypedDict

from genotok.options.rows import UnknownPolicy  # noqa: TC001 - the types of a group are read at run time

__all__ = ["BatchKeywords", "BatchOptions", "NullPolicy"]

NullPolicy = Literal["error", "empty", "null"]
"""Missing rows: an error, an empty sequence, or a null in the result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """How sequences in memory become tokens; `Tokenizer.encode_batch` explains each field."""

    add_special_tokens: bool = False
    unknown: UnknownPolicy = "token"
    uppercase: bool = False
    offsets: bool = False
    nulls: NullPolicy = "error"
    threads: int | None = None


class BatchKeywords(TypedDict, total=False):
    """`BatchOptions` as keywords."""

    add_special_tokens: bool
    unknown: UnknownPolicy
    uppercase: bool
    offsets: bool
    nulls: NullPolicy
    threads: int | None
