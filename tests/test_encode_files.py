"""Files to record batches: rows, places, regions, policies, reports, and Arrow's other readers."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import genotok
from genotok.options import TrainOptions
from genotok.tokenizer import reference
from tests.support import dna

SCHEMA = pa.schema(
    {"record": pa.string(), "start": pa.int64(), "end": pa.int64(), "input_ids": pa.list_(pa.uint16())}
)


@pytest.fixture(scope="module")
def tokenizer(train_words: Callable[..., Any]) -> genotok.Tokenizer:
    words = [genotok._native.simulate(20_000, 5).decode()]
    return genotok.Tokenizer(train_words(words, vocab_size=300))


def table(reader: genotok.TokenReader) -> pa.Table:
    """All batches of a reader as a checked table."""
    batches = [pa.record_batch(batch) for batch in reader]
    read = pa.Table.from_batches(batches, SCHEMA)
    read.validate(full=True)
    return read


def rows(reader: genotok.TokenReader) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in table(reader).to_pylist()]


@pytest.fixture
def small(tmp_path: Path) -> str:
    path = tmp_path / "small.fa"
    path.write_text(">a first\nACGTACGTAC\nGTNNACG\n>b\n>c:1-5\nggacTT\n")
    return str(path)


# -- rows and places ------------------------------------------------------------------------------------


def test_a_row_is_a_record(tokenizer: genotok.Tokenizer, small: str) -> None:
    reader = tokenizer.encode_files(small)
    texts = {"a": "ACGTACGTACGTNNACG", "b": "", "c:1-5": "ggacTT"}
    expected = [(name, 0, len(text), tokenizer.encode(text)) for name, text in texts.items()]
    assert rows(reader) == expected
    assert reader.report() == {
        "files": 1,
        "records": 3,
        "rows": 3,
        "bases": 23,
        "tokens": sum(len(row[3]) for row in expected),
        "unknown": {"N": 2},
        "lower_case": 0,
        "duplicate_names": 0,
    }


def test_batches_have_columns_without_pyarrow(tokenizer: genotok.Tokenizer, small: str) -> None:
    (batch,) = tokenizer.encode_files(small, window=10)
    assert (len(batch), batch.num_rows) == (3, 3)
    assert batch.records == ["a", "a", "c:1-5"]
    assert batch.starts.tolist() == [0, 10, 0]
    assert batch.ends.tolist() == [10, 17, 6]
    assert batch.input_ids[2] == tokenizer.encode("GGACTT")
    assert repr(batch) == "<genotok.RecordBatch: 3 rows>"
    assert pa.schema(batch) == SCHEMA


@given(
    st.lists(st.text(alphabet="ACGTNacgtn", max_size=80), min_size=1, max_size=5),
    st.one_of(st.none(), st.integers(1, 30)),
    st.integers(1, 40),
    st.integers(1, 200),
    st.booleans(),
    st.booleans(),
)
def test_every_token_has_its_place(
    tmp_path_factory: pytest.TempPathFactory,
    tokenizer: genotok.Tokenizer,
    sequences: list[str],
    window: int | None,
    stride: int,
    batch_bases: int,
    split: bool,
    reverse: bool,
) -> None:
    path = dna.write_fasta(tmp_path_factory.mktemp("places") / "a.fa", sequences, line_width=7)
    if not any(sequences):
        with pytest.raises(genotok.SequenceFileError, match="no symbol in its"):
            list(tokenizer.encode_files(path))
        return
    reader = tokenizer.encode_files(
        path,
        need_bases=False,
        window=window,
        stride=None if window is None else stride,
        batch_bases=batch_bases,
        unknown="split" if split else "token",
        reverse_complement=reverse,
    )
    spelled = list(tokenizer.vocab)
    for record, start, end, ids in rows(reader):
        text = sequences[int(record[1:])][start:end].upper()
        text = reference.reverse_complement(text) if reverse else text
        assert ids == tokenizer.encode(text)
        assert end - start == sum(1 if spelled[id_] == "[UNK]" else len(spelled[id_]) for id_ in ids)
        assert not (split and "N" in text)
        assert window is None or end - start <= window


def test_all_bases_are_in_windows(tokenizer: genotok.Tokenizer, tmp_path: Path) -> None:
    text = genotok._native.simulate(3_000_000, 2).decode()
    path = dna.write_fasta(tmp_path / "a.fa", [text])
    read = rows(tokenizer.encode_files(path, window=1000, batch_bases=100_000))
    assert [(row[1], row[2]) for row in read] == [(at, at + 1000) for at in range(0, 3_000_000, 1000)]
    assert tokenizer.decode_batch([row[3] for row in read]) == list(_cut(text, 1000))


def _cut(text: str, window: int) -> Iterator[str]:
    return (text[at : at + window] for at in range(0, len(text), window))


def test_regions_and_bed(tokenizer: genotok.Tokenizer, small: str, tmp_path: Path) -> None:
    bed = tmp_path / "parts.bed.gz"
    bed.write_bytes(gzip.compress(b"track name=parts\na\t2\t6\n"))
    reader = tokenizer.encode_files(small, region=["c:1-5:2-3", "a:11-12", "a:1-1,0"], bed=bed, window=4)
    found = [row for batch in reader for row in pa.record_batch(batch).to_pylist()]
    assert [(row["record"], row["start"], row["end"]) for row in found] == [
        ("a", 10, 12),
        ("a", 0, 4),
        ("a", 4, 8),
        ("a", 8, 10),
        ("a", 2, 6),
        ("c:1-5", 1, 3),
    ]
    assert rows(tokenizer.encode_files(small, region="c:1-5"))[0][:3] == ("c:1-5", 0, 6)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"region": "x"}, 'region="x": no record of this name in the files; they have "a", "b", "c:1-5"'),
        ({"region": "a:1-18"}, 'region="a:1-18": record "a" has 17 symbols only'),
        ({"region": "a:5-4"}, "the end comes before the start"),
        ({"region": []}, "region=.*give at least one"),
        ({"region": [5]}, "region=5: a string is expected, not int"),
        ({"window": 0}, "window=0"),
        ({"window": -1}, "window=-1"),
        ({"stride": 5}, "stride=5: needs a window"),
        ({"window": 5, "stride": 0}, "stride=0"),
        ({"batch_bases": 0}, "batch_bases=0"),
        ({"threads": 0}, "threads=0"),
        ({"unknown": "x"}, 'unknown="x"'),
        ({"unknown": "error"}, "small.fa, line 3: record \"a\", position 12: 'N' is not in the vocabulary"),
        ({"window": 10**30}, "window="),
    ],
)
def test_what_cannot_be_is_an_error(
    tokenizer: genotok.Tokenizer, small: str, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(genotok.GenotokError, match=says):
        list(tokenizer.encode_files(small, **options))


def test_errors_in_files_have_their_place(tokenizer: genotok.Tokenizer, small: str, tmp_path: Path) -> None:
    bed = tmp_path / "x.bed"
    bed.write_text("a\t0\t1\na\t5\t5\n")
    with pytest.raises(genotok.SequenceFileError, match=r"x\.bed, line 2: the region from 5 to 5 is empty"):
        tokenizer.encode_files(small, bed=bed)
    broken = tmp_path / "broken.fa"
    broken.write_text(">a\nACGT\n>b\nAC4\n")
    with pytest.raises(genotok.SequenceFileError, match=r"broken\.fa, line 4"):
        list(tokenizer.encode_files([small, broken]))
    with pytest.raises(FileNotFoundError):
        tokenizer.encode_files(tmp_path / "none.fa")
    packed = tmp_path / "packed"
    genotok.pack(small, packed)
    with pytest.raises(genotok.SequenceFileError, match="packed corpus"):
        tokenizer.encode_files(packed)
    with pytest.raises(genotok.ArgumentError, match="standard input"):
        tokenizer.encode_files("-", bed="-")
    no_unknown = genotok.Tokenizer(
        genotok._native.Tokenizer.train_words(
            [("ACGT", 1)], TrainOptions(vocab_size=4, special_tokens=()), threads=1, seed=None
        )
    )
    with pytest.raises(genotok.SymbolError, match=r'small\.fa, line 3: record "a", position 12'):
        list(no_unknown.encode_files(small))
    with pytest.raises(genotok.ArgumentError, match="add_special_tokens"):
        no_unknown.encode_files(small, add_special_tokens=True)


def test_special_tokens_stand_around_each_row(tokenizer: genotok.Tokenizer, small: str) -> None:
    vocab = tokenizer.vocab
    for *_, ids in rows(tokenizer.encode_files(small, add_special_tokens=True)):
        assert (ids[0], ids[-1]) == (vocab["[CLS]"], vocab["[SEP]"])


def test_compressions_and_standard_input_are_read(
    tokenizer: genotok.Tokenizer, small: str, tmp_path: Path
) -> None:
    expected = rows(tokenizer.encode_files(small))
    packed = tmp_path / "small.fa.gz"
    packed.write_bytes(gzip.compress(Path(small).read_bytes()))
    assert rows(tokenizer.encode_files(packed)) == expected
    tokenizer.save(tmp_path / "tokenizer.json")
    code = (
        "import sys, genotok; tokenizer = genotok.Tokenizer.from_file(sys.argv[1]);"
        "print([ids for batch in tokenizer.encode_files('-') for ids in batch.input_ids])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "tokenizer.json")]
    done = subprocess.run(command, input=packed.read_bytes(), capture_output=True, check=True)
    assert done.stdout.decode().strip() == str([row[3] for row in expected])


# -- what is counted ------------------------------------------------------------------------------------


def upper_case_only(tokenizer: genotok.Tokenizer) -> genotok.Tokenizer:
    """As published tokenizers are: lower case is unknown."""
    read = json.loads(tokenizer.to_json())
    read["normalizer"] = None
    return genotok.Tokenizer.from_json(json.dumps(read))


def test_lower_case_that_is_not_read_is_warned_of(tokenizer: genotok.Tokenizer, small: str) -> None:
    plain = upper_case_only(tokenizer)
    reader = plain.encode_files(small)
    with pytest.warns(genotok.GenotokWarning, match=r"17\.4 % of the symbols \(4 of 23\).*uppercase=True"):
        read = rows(reader)
    assert read[2][3] == [0, 0, 0, 0, *tokenizer.encode("TT")]
    assert list(reader) == []  # without a second warning
    report = reader.report()
    assert (report["unknown"], report["lower_case"]) == ({"bases": 4, "N": 2}, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert rows(plain.encode_files(small, uppercase=True)) == rows(tokenizer.encode_files(small))
    with pytest.warns(genotok.GenotokWarning, match="were left out"):
        pa.RecordBatchReader.from_stream(plain.encode_files(small, unknown="split")).read_all()


def test_digests_are_those_of_whole_records(tokenizer: genotok.Tokenizer, small: str) -> None:
    reader = tokenizer.encode_files(small, digests=True, region="a:1-4")
    assert len(rows(reader)) == 1

    def digest(text: str) -> str:
        return "SQ." + base64.urlsafe_b64encode(hashlib.sha512(text.encode()).digest()[:24]).decode()

    assert reader.report()["digests"] == [
        {"file": small, "record": "a", "length": 17, "digest": digest("ACGTACGTACGTNNACG")},
        {"file": small, "record": "b", "length": 0, "digest": digest("")},
        {"file": small, "record": "c:1-5", "length": 6, "digest": digest("GGACTT")},
    ]


def test_the_report_is_of_what_was_given(tokenizer: genotok.Tokenizer, tmp_path: Path) -> None:
    path = dna.write_fasta(tmp_path / "a.fa", ["ACGT" * 25] * 50)
    reader = tokenizer.encode_files(path, batch_bases=300)
    assert reader.report()["rows"] == 0
    first = next(reader)
    assert reader.report()["rows"] >= len(first)
    assert reader.report()["files"] == 0
    assert sum(len(batch) for batch in reader) + len(first) == 50 == reader.report()["rows"]
    twice = tmp_path / "twice.fa"
    twice.write_text(">a\nA\n>a\nC\n")
    reader = tokenizer.encode_files(twice)
    assert len(rows(reader)) == 2
    assert reader.report()["duplicate_names"] == 1


def test_progress_is_reported(tokenizer: genotok.Tokenizer, tmp_path: Path) -> None:
    path = dna.write_fasta(tmp_path / "a.fa", [genotok._native.simulate(20_000_000, 4).decode()])
    events: list[dict[str, object]] = []
    reader = tokenizer.encode_files(path, window=1000, batch_bases=200_000, progress=events.append)
    for _ in reader:
        time.sleep(0.003)  # or all is done before the first event
    assert events
    assert all(event["phase"] == "reading" and event["file"] == path for event in events)

    def fail(event: dict[str, object]) -> None:
        raise RuntimeError("enough")

    reader = tokenizer.encode_files(path, window=1000, batch_bases=200_000, progress=fail)
    with pytest.raises(RuntimeError, match="enough"):
        all(time.sleep(0.003) is None for _ in reader)
    with pytest.raises(genotok.ArgumentError, match="closed"):
        next(reader)


# -- states -----------------------------------------------------------------------------------------------


def test_a_reader_ends_once_and_for_all(tokenizer: genotok.Tokenizer, small: str) -> None:
    reader = tokenizer.encode_files(small)
    assert iter(reader) is reader
    assert len(list(reader)) == 1
    assert list(reader) == []
    assert pa.RecordBatchReader.from_stream(reader).read_all().num_rows == 0
    reader.close()
    assert list(reader) == []


def test_a_closed_reader_says_so(tokenizer: genotok.Tokenizer, small: str) -> None:
    with tokenizer.encode_files(small, window=1, batch_bases=1) as reader:
        first = next(reader)
    reader.close()
    with pytest.raises(genotok.ArgumentError, match="reader=closed"):
        next(reader)
    assert pa.record_batch(first).num_rows == len(first)
    with pytest.raises(pa.ArrowInvalid, match="closed"):
        pa.RecordBatchReader.from_stream(reader).read_all()


def test_an_error_is_remembered(tokenizer: genotok.Tokenizer, tmp_path: Path) -> None:
    path = tmp_path / "broken.fa"
    path.write_text(">a\nACGT\n>b\nAC4\n")
    reader = tokenizer.encode_files(path, batch_bases=1)
    with pytest.raises(genotok.SequenceFileError, match="line 4"):
        list(reader)
    with pytest.raises(genotok.ArgumentError, match="reader=stopped: an error ended it"):
        list(reader)
    with pytest.raises(pa.ArrowInvalid, match="line 4"):
        pa.RecordBatchReader.from_stream(tokenizer.encode_files(path)).read_all()


# -- other libraries ----------------------------------------------------------------------------------------


def test_pyarrow_polars_and_duckdb_read_the_stream(tokenizer: genotok.Tokenizer, small: str) -> None:
    expected = rows(tokenizer.encode_files(small, window=4, batch_bases=8))

    def reader() -> genotok.TokenReader:
        return tokenizer.encode_files(small, window=4, batch_bases=8)

    read = pa.RecordBatchReader.from_stream(reader())
    assert read.schema == pa.schema(reader()) == SCHEMA
    assert [tuple(row.values()) for row in read.read_all().to_pylist()] == expected
    assert [tuple(row.values()) for row in pa.table(reader()).to_pylist()] == expected
    polars = pytest.importorskip("polars")
    assert polars.DataFrame(reader()).rows() == expected
    duckdb = pytest.importorskip("duckdb")
    stream = reader()  # DuckDB finds it by its name
    found = duckdb.sql('select record, start, "end", input_ids from stream').fetchall()
    assert found == expected
    del stream


def test_several_files_are_one_stream(tokenizer: genotok.Tokenizer, tmp_path: Path) -> None:
    paths = [dna.write_fasta(tmp_path / f"{number}.fa", ["ACGT" * number]) for number in range(1, 6)]
    reader = tokenizer.encode_files([Path(path) for path in paths], window=1000)
    assert [row[2] for row in rows(reader)] == [4, 8, 12, 16, 20]
    assert reader.report()["files"] == 5


def test_memory_does_not_grow(tokenizer: genotok.Tokenizer, tmp_path: Path) -> None:
    """A hundred million bases, in windows and in batches, within the memory of a few batches."""
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak of memory is read as Linux tells it")
    tokenizer.save(tmp_path / "tokenizer.json")
    code = """
import sys, genotok
tokenizer = genotok.Tokenizer.from_file(sys.argv[1])
text = genotok._native.simulate(1_000_000, 1)
with open(sys.argv[2], "wb") as file:
    file.write(b">a\\n")
    for _ in range(100):
        file.write(text + b"\\n")

def peak():  # of this process alone: `getrusage` begins with that of the parent
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) // 1024 for line in file if line.startswith("VmHWM"))

def run(times):
    for _ in range(times):
        for batch in tokenizer.encode_files(sys.argv[2], window=1000, batch_bases=2_000_000):
            pass
        windows = [text[at : at + 1000] for at in range(0, len(text), 1000)]
        for _ in range(20):
            tokenizer.encode_batch(windows)

run(1)
before = peak()
run(3)
print(before, peak())
"""
    command = [sys.executable, "-c", code, str(tmp_path / "tokenizer.json"), str(tmp_path / "a.fa")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert before < 200
    assert after - before < 40


def test_numbers_of_columns_stay_when_the_batch_is_gone(tokenizer: genotok.Tokenizer, small: str) -> None:
    starts = [batch.starts for batch in tokenizer.encode_files(small, window=4, batch_bases=1)]
    assert np.concatenate(starts).tolist() == [0, 4, 8, 12, 16, 0, 4]
