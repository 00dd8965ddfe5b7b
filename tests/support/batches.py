"""Record batches of every kind that encoded sequences have, and the native writer into memory."""

from __future__ import annotations

import random

import pyarrow as pa

from genotok import _native

COLUMNS: dict[str, pa.DataType] = {
    "record": pa.string(),
    "start": pa.int64(),
    "end": pa.int64(),
    "input_ids": pa.list_(pa.uint16()),
}
BED = {"bed_row": pa.int64(), "name": pa.string(), "strand": pa.string()}
BLOCKS = {"block_starts": pa.list_(pa.int64()), "block_sizes": pa.list_(pa.int64())}
SCHEMAS = {
    "narrow": COLUMNS,
    "wide": COLUMNS | {"input_ids": pa.list_(pa.uint32())},
    "bed": COLUMNS | BED,
    "blocks": COLUMNS | BED | BLOCKS,
}


class Sink:
    """An object that takes bytes."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.pieces.append(data)
        return len(data)


def batch_of(schema: pa.Schema, rows: int, seed: int) -> pa.RecordBatch:
    source = random.Random(seed)
    values = {
        pa.string(): lambda: source.choice(["", "x", "chr1", "é"]),
        pa.int64(): lambda: source.randrange(100),
        pa.list_(pa.int64()): lambda: [source.randrange(50) for _ in range(source.randrange(3))],
    }

    def ids() -> list[int]:
        return [source.randrange(60_000) for _ in range(source.choice([0, 1, 5, 300]))]

    columns = [pa.array([values.get(kind, ids)() for _ in range(rows)], kind) for kind in schema.types]
    return pa.record_batch(columns, schema=schema)


def write(
    sink: object, schema: pa.Schema, batches: list[pa.RecordBatch], *, form: str = "arrow"
) -> list[str]:
    writer = _native.BatchWriter(sink, schema, {"genotok": "about"}, "about", form=form)
    for batch in batches:
        writer.write(_native.EncodedRows(batch))
    return writer.close()
