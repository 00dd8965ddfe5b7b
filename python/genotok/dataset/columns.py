"""Record batches of encoded sequences, and their columns as numpy arrays without a copy.

The schema: `record: utf8, start: int64, end: int64, input_ids: list<uint16 or uint32>`, no nulls. A row has
the ids of the letters `start..end` of its record.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Ids = NDArray[np.uint16] | NDArray[np.uint32]

__all__ = [
    "COLUMNS",
    "Ids",
    "bases_of",
    "ends_of",
    "fault_of_schema",
    "ids_of",
    "is_wide",
    "offsets_of",
    "starts_of",
    "view_of",
]

COLUMNS = ("record", "start", "end", "input_ids")


def fault_of_schema(schema: pa.Schema) -> str:
    """What is wrong with a pyarrow schema; nothing if it is that of encoded sequences."""
    if tuple(schema.names) != COLUMNS:
        return f"its columns are {', '.join(schema.names) or 'none'}, not {', '.join(COLUMNS)}"
    record, start, end, ids = schema.types
    if record not in {pa.string(), pa.large_string()}:
        return f"column record is {record}, not string"
    if start != pa.int64() or end != pa.int64():
        return f"columns start and end are {start} and {end}, not int64"
    is_list = pa.types.is_list(ids) or pa.types.is_large_list(ids)
    if not is_list or ids.value_type not in {pa.uint16(), pa.uint32()}:
        return f"column input_ids is {ids}, not list<uint16> or list<uint32>"
    return ""


def is_wide(schema: pa.Schema) -> bool:
    """Whether ids take 32 bits; else they take 16."""
    return bool(schema.field("input_ids").type.value_type.bit_width == 32)


def starts_of(batch: pa.RecordBatch) -> NDArray[np.int64]:
    """Where in its record each row begins."""
    return view_of(batch.column("start"))


def ends_of(batch: pa.RecordBatch) -> NDArray[np.int64]:
    """Where in its record each row ends."""
    return view_of(batch.column("end"))


def bases_of(batch: pa.RecordBatch) -> NDArray[np.int64]:
    """The letters of each row."""
    return ends_of(batch) - starts_of(batch)


def offsets_of(batch: pa.RecordBatch) -> NDArray[np.int64]:
    """Row i has the ids `ids_of(batch)[offsets[i]:offsets[i + 1]]`."""
    offsets: NDArray[np.int64] = view_of(batch.column("input_ids").offsets).astype(np.int64)
    offsets -= offsets[0]
    return offsets


def ids_of(batch: pa.RecordBatch) -> Ids:
    """The ids of all rows, end to end."""
    return view_of(batch.column("input_ids").flatten())


def view_of(column: pa.Array) -> NDArray[Any]:
    """An Arrow array of numbers without nulls as a read-only numpy view of its memory.

    As `column.toview_of()`, which however imports pandas where it is installed: half a second.
    """
    kind = np.dtype(str(column.type))
    data = column.buffers()[1]
    if not len(column) or data is None:
        return np.empty(0, kind)
    return np.frombuffer(data, kind, len(column), column.offset * kind.itemsize)
