"""Encoded sequences made up for the tests: streams of record batches as `Tokenizer.encode_files` gives them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tests.dna import read_fasta

Row = tuple[str, int, int, list[int]]


def schema(*, wide: bool = False) -> pa.Schema:
    ids = pa.uint32() if wide else pa.uint16()
    types = [pa.string(), pa.int64(), pa.int64(), pa.list_(pa.field("item", ids, nullable=False))]
    names = ["record", "start", "end", "input_ids"]
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in zip(names, types, strict=True)])


def batch(rows: Sequence[Row], *, wide: bool = False) -> pa.RecordBatch:
    columns = [[row[number] for row in rows] for number in range(4)]
    kinds = schema(wide=wide)
    arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds.types, strict=True)]
    return pa.record_batch(arrays, kinds)
