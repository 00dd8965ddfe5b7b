"""Encoded sequences on disk: Arrow, Parquet and Megatron files, and folders of them, written, read, verified.

Example:
    >>> from genotok.dataset import TokenDataset
    >>> rows = TokenDataset("shards")
    >>> len(rows), rows[0]  # the ids of the first row, a view of the mapped file

`writers` write one output atomically, `folder` and `journal` a folder of them that can
be resumed, `manifest` says what is in it, `shards` and `reading` read, `batch_checksums` finds what was
altered, `verify` trusts nothing. pyarrow and numpy are imported when they are needed.
"""

from genotok.dataset.batches import Collate, PaddedRow, PaddedRows
from genotok.dataset.reading import BedRow, Row, TokenDataset
from genotok.dataset.verify import verify_file, verify_folder

__all__ = [
    "BedRow",
    "Collate",
    "PaddedRow",
    "PaddedRows",
    "Row",
    "TokenDataset",
    "open",
    "verify_file",
    "verify_folder",
]

open = TokenDataset  # noqa: A001
"""Open a folder of shards or a single file of encoded sequences."""
