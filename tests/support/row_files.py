"""The same rows as files of every format."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pyarrow as pa
from pyarrow import parquet

SEQUENCES = ["ACGTACGTTAGG", "GGGTTTAACC" * 5, "TTGACA", "ACGT" * 30]
LABELS = [1, 0, 1, 1]
NAMES = ["a", "b, c", 'd "e"', "007"]
SCORES = [0.1, -2.5, 1e-7, 3.0]
COLUMNS: dict[str, Any] = {"sequence": SEQUENCES, "label": LABELS, "name": NAMES, "score": SCORES}


def delimited(delimiter: str, end: str = "\n", start: str = "") -> bytes:
    def field(value: object) -> str:
        text = str(value)
        quoted = '"' + text.replace('"', '""') + '"'
        return quoted if any(one in text for one in f'{delimiter}"\n') else text

    rows = [list(COLUMNS), *zip(*COLUMNS.values(), strict=True)]
    return (start + "".join(delimiter.join(map(field, row)) + end for row in rows)).encode()


def as_parquet(columns: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.table(columns), out)
    return out.getvalue()


def miscounted(number: int, says: int = -3) -> bytes:
    """Parquet of three rows whose footer miscounts them: 0 in all, 1 in a column, 2 in a row group."""
    out = io.BytesIO()
    parquet.write_table(pa.table({"sequence": ["ACGTACGT"] * 3}), out, compression="none")
    data = out.getvalue()
    start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    # Thrift's compact protocol: the next field, of type i64, whose zigzag number is 6, which is 3.
    at = [found.start() for found in re.finditer(b"\x16\x06", data[start:])][number] + start
    return data[:at] + bytes([0x16, 2 * says if says >= 0 else -2 * says - 1]) + data[at + 2 :]


def as_json(columns: dict[str, Any]) -> bytes:
    rows = zip(*columns.values(), strict=True)
    return "".join(json.dumps(dict(zip(columns, row, strict=True))) + "\n" for row in rows).encode()


def zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, "zstd", asbytes=True))


FASTA = "".join(f">{number}\n{text}\n" for number, text in enumerate(SEQUENCES)).encode()
FASTQ = "".join(
    f"@{number}\n{text}\n+\n{'I' * len(text)}\n" for number, text in enumerate(SEQUENCES)
).encode()


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": partial(gzip.compress, mtime=0),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstd,
}


TABLES = {
    "csv": delimited(","),
    "tsv": delimited("\t"),
    "jsonl": as_json(COLUMNS),
    "parquet": as_parquet(COLUMNS),
}


FILES = {
    **{f"t.{name}": data for name, data in TABLES.items()},
    **{f"t.{name}{ending}": pack(TABLES[name]) for name in TABLES for ending, pack in PACKINGS.items()},
    "crlf.csv": delimited(",", "\r\n"),
    "bom.csv": delimited(",", "\r\n", "\ufeff"),
    "gaps.csv": delimited(",", "\n\n"),
    "table.txt": delimited("\t"),
    "no-name": as_parquet(COLUMNS),
    "plainly.csv": gzip.compress(delimited(","), mtime=0),
    "packed.csv.gz": delimited(","),
    "s.fa": FASTA,
    "s.fq": FASTQ,
    "s.fa.gz": gzip.compress(FASTA, mtime=0),
    "s.fq.zst": zstd(FASTQ),
    "s.txt": FASTA,
}


@contextmanager
def standard_input(data: bytes, path: Path, *, piped: bool) -> Iterator[None]:
    """Standard input with this content, of a pipe or of a file."""
    before = os.dup(0)
    if piped:
        reader, writer = os.pipe()

        def feed() -> None:
            with open(writer, "wb") as pipe:
                pipe.write(data)

        thread = Thread(target=feed)
        thread.start()
    else:
        path.write_bytes(b"passed" + data)
        reader = os.open(path, os.O_RDONLY)
        os.lseek(reader, 6, os.SEEK_SET)
    os.dup2(reader, 0)
    os.close(reader)
    try:
        yield
    finally:
        os.dup2(before, 0)
        os.close(before)
