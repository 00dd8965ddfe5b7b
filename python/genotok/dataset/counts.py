"""What is in encoded rows, as totals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genotok._native import EncodedRows

__all__ = ["Counts"]


@dataclass(slots=True)
class Counts:
    """What was written, or read.

    Attributes:
        bases: 0 of rows without places, which Megatron's files hold.
        unknown: How often the unknown token stands in it.
    """

    rows: int = 0
    bases: int = 0
    tokens: int = 0
    unknown: int = 0

    def add(self, rows: EncodedRows, unknown_id: int | None = None) -> None:
        """Count rows in."""
        bases, tokens, unknown = rows.counts(unknown_id)
        self.rows += rows.num_rows
        self.bases += bases
        self.tokens += tokens
        self.unknown += unknown
