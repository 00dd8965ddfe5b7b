"""Encoded sequences on disk: Arrow, Parquet and Megatron files, and folders of them, written, read, verified.

Example:
    >>> from genotok.dataset import TokenDataset
    >>> rows = TokenDataset("shards")
    >>> len(rows), rows[0]  # the ids of the first row, a view of the mapped file

`writers` write one output atomically, `folder` and `journal` a folder of them that can
be resumed, `manifest` says what is in it, `shards` and `reading` read, `batch_checksums` finds what was
altered, `verify` trusts nothing. pyarrow and numpy are imported when they are needed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genotok.dataset.batches import Collate, PaddedRow, PaddedRows
    from genotok.dataset.reading import BedRow, Row, TokenDataset
    from genotok.dataset.verify import verify_file, verify_folder

    open = TokenDataset  # noqa: A001

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

PLACES = {
    "BedRow": "reading",
    "Collate": "batches",
    "PaddedRow": "batches",
    "PaddedRows": "batches",
    "Row": "reading",
    "TokenDataset": "reading",
    "verify_file": "verify",
    "verify_folder": "verify",
}
"""Name to the module that has it. These load pyarrow, 0.1 s, which writers of Arrow files do without."""


def __getattr__(name: str) -> object:
    """A public name, imported when it is first asked for.

    `open` is `TokenDataset`: it opens a folder of shards or a single file of encoded sequences.
    """
    own = "TokenDataset" if name == "open" else name
    if own not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{PLACES[own]}"), own)
    globals()[name] = found
    return found
