"""Synthetic encoded sequences, and a stand-in for the reader that encodes files."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

import genotok
from genotok.dataset.formats import FORMATS
from genotok.dataset.job import EncodingJob
from genotok.dataset.single import write_rows
from genotok.dataset.vocabulary import Vocabulary
from genotok.dataset.writers import files
from genotok.options import TrainOptions

Row = tuple[str, int, int, list[int]]

TOKENIZER = genotok.Tokenizer.from_json(
    genotok._native.Tokenizer.train_words(
        [(genotok._native.simulate(20_000, 5).decode(), 1)],
        TrainOptions(vocab_size=120),
        threads=1,
        seed=None,
    ).to_json()
)
VOCABULARY = Vocabulary.of(TOKENIZER)


def schema(*, wide: bool = False) -> pa.Schema:
    ids = pa.uint32() if wide else pa.uint16()
    names = ["record", "start", "end", "input_ids"]
    return pa.schema(zip(names, [pa.string(), pa.int64(), pa.int64(), pa.list_(ids)], strict=True))


def batch(rows: Sequence[Row], *, wide: bool = False) -> pa.RecordBatch:
    kinds = schema(wide=wide)
    columns = [pa.array([row[number] for row in rows], kind) for number, kind in enumerate(kinds.types)]
    return pa.record_batch(columns, schema=kinds)


def rows_of(seed: int, number: int) -> list[Row]:
    """Rows of records that are cut into windows, some of them empty."""
    source = random.Random(seed)
    rows: list[Row] = []
    for record in range(number):
        start = 0
        for _ in range(source.randrange(1, 4)):
            bases = "".join(source.choices("ACGT", k=source.choice([0, 1, 7, 40])))
            rows.append((f"r{record}", start, start + len(bases), TOKENIZER.encode(bases)))
            start += len(bases) + 1
    return rows


@dataclass
class FakeReader:
    """A stand-in for the reader of `Tokenizer.encode_files`, with known rows."""

    rows: Sequence[Row]
    name: str = "file"
    batch_rows: int = 5
    wide: bool = False
    taken: list[Row] = field(default_factory=list)

    def __arrow_c_schema__(self) -> object:
        return schema(wide=self.wide).__arrow_c_schema__()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for first in range(0, len(self.rows), self.batch_rows):
            part = self.rows[first : first + self.batch_rows]
            self.taken.extend(part)
            yield batch(part, wide=self.wide)

    def report(self) -> dict[str, Any]:
        names = list(dict.fromkeys(row[0] for row in self.taken))
        return {
            "files": 1,
            "records": len(names),
            "bases": sum(row[2] - row[1] for row in self.taken),
            "unknown": {"N": 3},
            "lower_case": 0,
            "digests": [
                {"file": self.name, "record": name, "length": 1, "digest": f"SQ.{name}"} for name in names
            ],
            "checksums": [genotok._native.file_checksum(self.name) if os.path.isfile(self.name) else None],
        }

    def close(self) -> None:
        pass


def plan(
    form: str = "arrow", inputs: Sequence[str] = (), *, shard_bases: int = 0, **options: Any
) -> EncodingJob:
    return EncodingJob(FORMATS[form], VOCABULARY, tuple(inputs), options, shard_bases)


ENDINGS = {"arrow": ".arrow", "arrow-stream": ".arrows", "parquet": ".parquet", "megatron": ".bin"}


def write(folder: Path, form: str, rows: Sequence[Row], **options: Any) -> Path:
    """A file of `rows`."""
    path = folder / f"rows{ENDINGS.get(form, '.bed')}"
    wide = options.pop("wide", False)
    work = plan(form, **options)
    write_rows(work, FakeReader(rows, wide=wide), lambda: files(work.form.paths(str(path))))
    return path
