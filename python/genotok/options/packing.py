"""How a folder of packed files is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

from genotok.options.declaration import Option
from genotok.options.fields import MAX_UNKNOWN, AllowUnknown

__all__ = ["DEFAULT_SHARD_SIZE", "PackKeywords", "PackOptions"]

DEFAULT_SHARD_SIZE = 512_000_000
"""Bases of a shard: 128 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackOptions:
    """How sequences are packed; `pack_shards` explains each field."""

    shard_size: Annotated[
        int | None,
        Option(
            "Write a folder, and start a new shard after this many bases, such as 512M.",
            metavar="BASES",
            is_amount=True,
            default="512M in a folder",
        ),
    ] = None
    append: Annotated[bool, Option("Add to the shards in the folder.")] = False
    allow_unknown: AllowUnknown = MAX_UNKNOWN


class PackKeywords(TypedDict, total=False):
    """`PackOptions` as keywords."""

    shard_size: int | None
    append: bool
    allow_unknown: float
