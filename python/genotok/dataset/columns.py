"""Record batches of encoded sequences, and their columns as numpy arrays without a copy.

The schema: `record: utf8, start: int64, end: int64, input_ids: list<uint16 or uint32>`, no nulls. A row has
the ids of the bases `start..end` of its record. Rows that BED files chose also have `bed_row: int64, name:
utf8, strand: utf8`; and where their blocks are joined, `block_starts: list<int64>, block_sizes: list<int64>`:
then a row has the bases of its blocks only.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from genotok.rows.arrays import view_of

Ids = NDArray[np.uint16] | NDArray[np.uint32]

__all__ = [
    "BED_COLUMNS",
    "BLOCK_COLUMNS",
    "COLUMNS",
    "KINDS",
    "Ids",
    "bases_of",
    "bed_rows_of",
    "ends_of",
    "fault_of_schema",
    "ids_of",
    "is_of_bed",
    "is_of_blocks",
    "is_wide",
    "offsets_of",
    "starts_of",
    "view_of",
]

COLUMNS = ("record", "start", "end", "input_ids")

BED_COLUMNS = ("bed_row", "name", "strand")
"""What rows of BED files have more."""

BLOCK_COLUMNS = ("block_starts", "block_sizes")
"""What rows of joined blocks have more than these."""

KINDS = (COLUMNS, COLUMNS + BED_COLUMNS, COLUMNS + BED_COLUMNS + BLOCK_COLUMNS)
"""All columns that a file may have."""


def fault_of_schema(schema: pa.Schema) -> str:
    """What is wrong with a pyarrow schema; nothing if it is that of encoded sequences."""
    if tuple(schema.names) not in KINDS:
        return f"its columns are {', '.join(schema.names) or 'none'}, not {', '.join(COLUMNS)}"
    record, start, end, ids, *more = schema.types
    if record not in {pa.string(), pa.large_string()}:
        return f"column record is {record}, not string"
    if start != pa.int64() or end != pa.int64():
        return f"columns start and end are {start} and {end}, not int64"
    is_list = pa.types.is_list(ids) or pa.types.is_large_list(ids)
    if not is_list or ids.value_type not in {pa.uint16(), pa.uint32()}:
        return f"column input_ids is {ids}, not list<uint16> or list<uint32>"
    expected = [pa.int64(), pa.string(), pa.string(), pa.list_(pa.int64()), pa.list_(pa.int64())]
    for name, found, kind in zip(schema.names[len(COLUMNS) :], more, expected, strict=False):
        if found != kind:
            return f"column {name} is {found}, not {kind}"
    return ""


def is_of_bed(batch: pa.RecordBatch) -> bool:
    """Whether the rows were chosen by BED files."""
    return BED_COLUMNS[0] in batch.schema.names


def is_of_blocks(schema: pa.Schema) -> bool:
    """Whether a row has the bases of its blocks only."""
    return BLOCK_COLUMNS[0] in schema.names


def is_wide(schema: pa.Schema) -> bool:
    """Whether ids take 32 bits; else they take 16."""
    return bool(schema.field("input_ids").type.value_type.bit_width == 32)


def starts_of(batch: pa.RecordBatch) -> NDArray[np.int64]:
    """Where in its record each row starts."""
    return view_of(batch.column("start"))


def ends_of(batch: pa.RecordBatch) -> NDArray[np.int64]:
    """Where in its record each row ends."""
    return view_of(batch.column("end"))


def bases_of(batch: pa.RecordBatch) -> NDArray[np.int64]:
    """The bases of each row."""
    if is_of_blocks(batch.schema):
        sizes = batch.column(BLOCK_COLUMNS[1])
        passed = np.concatenate((np.zeros(1, np.int64), np.cumsum(view_of(sizes.flatten()))))
        offsets = view_of(sizes.offsets)
        found: NDArray[np.int64] = np.diff(passed[offsets - offsets[0]])
        return found
    return ends_of(batch) - starts_of(batch)


def bed_rows_of(batch: pa.RecordBatch) -> NDArray[np.int64]:
    """The number of the BED line of each row; -1 for none."""
    if is_of_bed(batch):
        return view_of(batch.column(BED_COLUMNS[0]))
    return np.full(batch.num_rows, -1, np.int64)


def offsets_of(batch: pa.RecordBatch) -> NDArray[np.int64]:
    """Row i has the ids `ids_of(batch)[offsets[i]:offsets[i + 1]]`."""
    offsets: NDArray[np.int64] = view_of(batch.column("input_ids").offsets).astype(np.int64)
    offsets -= offsets[0]
    return offsets


def ids_of(batch: pa.RecordBatch) -> Ids:
    """The ids of all rows, concatenated."""
    return view_of(batch.column("input_ids").flatten())
