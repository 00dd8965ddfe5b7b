"""Rows of token ids as batches for torch: a collate of our own, and rows that torch's own collate stacks."""

# Shapes: B rows, S padded length.

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypedDict

from genotok.tokenizer.padding import pad_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import SupportsIndex

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from genotok.tokenizer.padding import Padded, Side

__all__ = ["Collate", "PaddedRow", "PaddedRows"]


@dataclass(frozen=True, slots=True)
class Collate:
    """The `collate_fn` of a DataLoader over a `TokenDataset`: a padded batch as models take it.

    Example:
        >>> loader = DataLoader(TokenDataset("shards"), batch_size=32, collate_fn=Collate(pad_id))
        >>> for batch in loader: model(**batch)

    Attributes:
        value: The id to fill up with: the tokenizer's `pad_token_id`.
        length: S; None for the length of the longest row of each batch.
        side: Fill up on the right or on the left.
        truncate: Keep only the first `length` ids of longer rows, which are an error else.
    """

    value: int
    length: int | None = None
    side: Side = "right"
    truncate: bool = False

    def __call__(self, rows: Sequence[NDArray[np.integer]]) -> dict[str, torch.Tensor]:
        """`input_ids` and `attention_mask` (B, S) of int64.

        Raises:
            ArgumentError: A row is longer than `length`; an attribute is outside its rule.
        """
        import torch  # noqa: PLC0415 - the core is installed without it

        return {name: torch.from_numpy(array) for name, array in self.pad(rows)._asdict().items()}

    def pad(self, rows: Sequence[NDArray[np.integer]]) -> Padded:
        """The same as numpy arrays."""
        return pad_rows(rows, value=self.value, length=self.length, side=self.side, truncate=self.truncate)


class PaddedRow(TypedDict):
    """A row filled up to S tokens, under the names that models take it by: int64, (S,) each."""

    input_ids: NDArray[np.int64]
    attention_mask: NDArray[np.int64]


class Rows(Protocol):
    """Rows of ids by number, as a `TokenDataset` has them."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: SupportsIndex) -> NDArray[np.integer]: ...
    def __getitems__(self, indices: Sequence[int]) -> Sequence[NDArray[np.integer]]: ...


class PaddedRows:
    """The rows of a `TokenDataset` filled up to one length, by number: what `TokenDataset.padded` gives."""

    def __init__(
        self, rows: Rows, value: int, length: int, *, side: Side = "right", truncate: bool = False
    ) -> None:
        self.rows = rows
        self._collate = Collate(value, length, side, truncate)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: SupportsIndex) -> PaddedRow:
        """A row.

        Raises:
            ArgumentError: It is longer than `length`.
            IndexError: It is not there.
        """
        return self._padded([self.rows[index]])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[PaddedRow]:
        """Many rows, as `TokenDataset.__getitems__` finds them."""
        return self._padded(self.rows.__getitems__(indices))

    def _padded(self, rows: Sequence[NDArray[np.integer]]) -> list[PaddedRow]:
        """These rows, filled up."""
        ids, mask = self._collate.pad(rows)
        return [{"input_ids": row, "attention_mask": within} for row, within in zip(ids, mask, strict=True)]

    def __repr__(self) -> str:
        return f"<genotok.dataset.PaddedRows: {len(self):,} rows of {self._collate.length:,} tokens>"
