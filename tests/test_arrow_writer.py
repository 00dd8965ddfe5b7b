"""Arrow files that the native module writes: other readers see what was written, whatever the columns."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from genotok import _native
from genotok.dataset.batch_checksums import BATCH, COUNT, ChecksumWriter
from genotok.dataset.counts import Counts
from genotok.files.atomic import AtomicFile
from tests.support.batches import COLUMNS, SCHEMAS, Sink, batch_of, write


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", SCHEMAS)
def test_pyarrow_reads_what_was_written(tmp_path: Path, name: str, *, stream: bool) -> None:
    schema = pa.schema(list(SCHEMAS[name].items()))
    form = "arrow-stream" if stream else "arrow"
    whole = batch_of(schema, 40, 1)
    # Slices begin inside of the buffers.
    batches = [whole.slice(0, 7), whole.slice(7, 0), whole.slice(7, 21), whole.slice(28)]
    path = tmp_path / "file"
    file = AtomicFile(str(path), checksum=True)
    sums = write(file.native, schema, batches, form=form)
    file.commit()
    assert file.num_bytes == path.stat().st_size
    sink = Sink()
    assert write(sink, schema, batches, form=form) == sums
    assert b"".join(sink.pieces) == path.read_bytes()

    reader = (pa.ipc.open_stream if stream else pa.ipc.open_file)(path.read_bytes())
    assert reader.schema.equals(schema.with_metadata({"genotok": "about"}), check_metadata=True)
    if stream:
        found = list(reader.iter_batches_with_custom_metadata())
    else:
        found = [reader.get_batch_with_custom_metadata(number) for number in range(reader.num_record_batches)]
    for pair, expected in zip(found, batches, strict=True):
        pair.batch.validate(full=True)
        assert pair.batch.to_pydict() == expected.to_pydict()
    expected_sums = ChecksumWriter("about")
    assert [expected_sums.add(batch) for batch in batches] == sums
    assert [pair.custom_metadata[BATCH].decode() for pair in found] == sums
    assert [pair.custom_metadata.get(COUNT) for pair in found] == [None, None, None, b"4"]


def test_polars_reads_what_was_written(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    schema = pa.schema(list(COLUMNS.items()))
    batches = [batch_of(schema, 20, seed) for seed in range(3)]
    file = AtomicFile(str(tmp_path / "file.arrow"))
    write(file.native, schema, batches)
    file.commit()
    found = polars.read_ipc(tmp_path / "file.arrow")
    assert found.to_dicts() == pa.Table.from_batches(batches).to_pylist()


def test_an_output_without_rows_has_an_empty_batch() -> None:
    sink = Sink()
    (checksum,) = write(sink, pa.schema(list(COLUMNS.items())), [])
    reader = pa.ipc.open_file(b"".join(sink.pieces))
    pair = reader.get_batch_with_custom_metadata(0)
    assert (reader.num_record_batches, pair.batch.num_rows) == (1, 0)
    assert pair.custom_metadata == {BATCH: checksum.encode(), COUNT: b"1"}


def test_an_error_of_the_disk_names_the_output() -> None:
    rows = batch_of(pa.schema(list(COLUMNS.items())), 3, 1)

    class Full(Sink):
        def write(self, data: bytes) -> int:
            raise OSError(28, "No space left on device", f"out ({len(data) > 0})")

    with pytest.raises(OSError, match="No space left") as raised:
        write(Full(), rows.schema, [rows, rows])
    assert raised.value.filename == "out (True)"


@pytest.mark.parametrize("name", SCHEMAS)
def test_rows_are_counted_and_cut_by_bases(name: str) -> None:
    batch = batch_of(pa.schema(list(SCHEMAS[name].items())), 30, 2)
    sizes = batch.column("block_sizes").to_pylist() if name == "blocks" else None
    places = zip(batch.column("start").to_pylist(), batch.column("end").to_pylist(), strict=True)
    bases = [sum(row) for row in sizes] if sizes is not None else [abs(end - start) for start, end in places]
    ids = [one for row in batch.column("input_ids").to_pylist() for one in row]
    rows = _native.EncodedRows(batch)
    assert rows.counts(ids[0]) == (sum(bases), len(ids), ids.count(ids[0]))
    for wanted in (0, 1, bases[0], bases[0] + 1, sum(bases), sum(bases) + 9):
        taken = rows.rows_until(wanted)
        assert sum(bases[: taken - 1 if taken else 0]) < max(wanted, 1)
        assert sum(bases[:taken]) >= wanted or taken == 30
    counts = Counts()
    counts.add(rows.slice(0, 10))
    counts.add(rows.slice(10, 99), ids[0])
    assert (counts.rows, counts.bases, counts.tokens) == (30, sum(bases), len(ids))
    assert pa.record_batch(rows.slice(3, 4)).to_pydict() == batch.slice(3, 4).to_pydict()


def test_missing_values_are_refused() -> None:
    batch = pa.record_batch({"record": pa.array(["a", None])})
    with pytest.raises(ValueError, match="missing values"):
        _native.EncodedRows(batch)
