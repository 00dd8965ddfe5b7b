"""Parquet files as the native module writes them: other readers find what was written."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from genotok.dataset.batch_checksums import COUNT, ChecksumWriter
from tests.support.batches import COLUMNS, SCHEMAS, Sink, batch_of, write


def written(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> tuple[bytes, list[str]]:
    sink = Sink()
    sums = write(sink, schema, list(batches), form="parquet")
    return b"".join(sink.pieces), sums


@pytest.mark.parametrize("name", SCHEMAS)
def test_pyarrow_reads_what_was_written(name: str) -> None:
    schema = pa.schema(list(SCHEMAS[name].items()))
    whole = batch_of(schema, 90, 1)
    batches = [whole.slice(0, 7), whole.slice(7, 21), whole.slice(28)]
    body, sums = written(batches, schema)
    file = parquet.ParquetFile(pa.BufferReader(body), page_checksum_verification=True)
    assert file.schema_arrow.types == schema.types
    assert file.schema_arrow.names == schema.names
    for number, expected in enumerate(batches):
        table = file.read_row_group(number)
        table.validate(full=True)
        assert table.to_pydict() == expected.to_pydict()
    expected_sums = ChecksumWriter("about")
    assert [expected_sums.add(batch) for batch in batches] == sums
    assert file.metadata.metadata == {b"genotok": b"about", COUNT: " ".join(sums).encode()}
    assert file.metadata.num_rows == 90


def test_statistics_select_row_groups() -> None:
    schema = pa.schema(list(COLUMNS.items()))
    rows = {"record": ["b", "a"], "start": [-5, 300], "end": [7, 9], "input_ids": [[40_000, 3], []]}
    body, _ = written([pa.record_batch(rows, schema=schema)], schema)
    group = parquet.ParquetFile(pa.BufferReader(body)).metadata.row_group(0)
    found = [group.column(number).statistics for number in range(4)]
    assert [(each.min, each.max) for each in found] == [("a", "b"), (-5, 300), (7, 9), (3, 40_000)]
    assert [each.null_count for each in found] == [0, 0, 0, 1]


def test_long_rows_take_several_pages() -> None:
    schema = pa.schema(list(COLUMNS.items()))
    dice = random.Random(3)
    lengths = [1, 0, 600_000, 0, 0, 262_143, 1, 300_000, 0]
    ids = [[dice.randrange(60_000) for _ in range(length)] for length in lengths]
    rows = {"record": ["x" * 200_000] * 9, "start": [0] * 9, "end": lengths, "input_ids": ids}
    batch = pa.record_batch(rows, schema=schema)
    body, _ = written([batch], schema)
    table = parquet.read_table(pa.BufferReader(body))
    assert table.to_pydict() == batch.to_pydict()


def test_a_file_may_be_without_rows() -> None:
    schema = pa.schema(list(COLUMNS.items()))
    body, sums = written([], schema)
    file = parquet.ParquetFile(pa.BufferReader(body))
    assert (sums, file.num_row_groups, file.metadata.num_rows) == ([], 0, 0)
    assert file.schema_arrow.types == schema.types


@pytest.mark.parametrize("reader", ["polars", "pandas", "duckdb", "datasets"])
def test_others_read_what_was_written(tmp_path: Path, reader: str) -> None:
    module = pytest.importorskip(reader)
    schema = pa.schema(list(COLUMNS.items()))
    batches = [batch_of(schema, 50, seed) for seed in range(3)]
    path = tmp_path / "file.parquet"
    path.write_bytes(written(batches, schema)[0])
    expected = pa.Table.from_batches(batches).to_pylist()
    if reader == "polars":
        found = module.read_parquet(path).to_dicts()
    elif reader == "pandas":
        found = module.read_parquet(path).to_dict("records")
        found = [{**row, "input_ids": row["input_ids"].tolist()} for row in found]
    elif reader == "duckdb":
        found = module.sql(f"select * from read_parquet('{path}')").to_arrow_table().to_pylist()
    else:
        found = module.Dataset.from_parquet(str(path), cache_dir=str(tmp_path / "cache")).to_list()
    assert found == expected
