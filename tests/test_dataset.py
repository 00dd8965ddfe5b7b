"""Files and folders of encoded sequences: written, read by others and by genotok, refused when damaged."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from genotok.dataset import TokenDataset
from genotok.errors import ArgumentError, SequenceFileError
from tests.support import encoded
from tests.support.encoded import ENDINGS, TOKENIZER, rows_of, write

READABLE = sorted(ENDINGS)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# -- one file ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", READABLE)
@pytest.mark.parametrize("number", [0, 1, 12])
def test_what_was_written_is_read(tmp_path: Path, form: str, number: int) -> None:
    rows = rows_of(number, number)
    data = TokenDataset(write(tmp_path, form, rows))
    assert len(data) == len(rows)
    assert [ids.tolist() for ids in data] == [row[3] for row in rows]
    assert [data[index].tolist() for index in range(-len(rows), len(rows))] == [row[3] for row in rows] * 2
    if form != "megatron":
        assert [(*data.row(index)[:3], data[index].tolist()) for index in range(len(rows))] == rows
    with pytest.raises(IndexError):
        data[len(rows)]


@pytest.mark.parametrize("form", READABLE)
def test_ids_of_32_bits(tmp_path: Path, form: str) -> None:
    rows = [("r", 0, 2, [70_000, 5]), ("r", 2, 3, [])]
    data = TokenDataset(write(tmp_path, form, rows, wide=True))
    assert [ids.tolist() for ids in data] == [[70_000, 5], []]


@pytest.mark.parametrize("form", ["arrow", "arrow-stream", "megatron"])
def test_rows_are_read_only_views_of_the_file(tmp_path: Path, form: str) -> None:
    data = TokenDataset(write(tmp_path, form, rows_of(1, 10)))
    ids = next(data[index] for index in range(len(data)) if len(data[index]))
    assert ids.dtype == np.uint16
    assert not ids.flags.writeable
    assert not ids.flags.owndata
    same = pickle.loads(pickle.dumps(data))
    assert [row.tolist() for row in same] == [row.tolist() for row in data]


def test_arrow_opens_in_other_libraries(tmp_path: Path) -> None:
    """The file format in pyarrow, polars and DuckDB; the stream in `datasets`."""
    rows = rows_of(2, 9)
    expected = [dict(zip(encoded.schema().names, row, strict=True)) for row in rows]
    file, stream = str(write(tmp_path, "arrow", rows)), str(write(tmp_path, "arrow-stream", rows))
    table = pa.ipc.open_file(file).read_all()
    assert table.to_pylist() == expected
    assert table.schema.field("input_ids").type == pa.list_(pa.uint16())
    with pa.memory_map(stream) as mapped:
        assert pa.ipc.open_stream(mapped).read_all().to_pylist() == expected


def test_arrow_opens_in_polars(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    rows = rows_of(3, 9)
    file, stream = str(write(tmp_path, "arrow", rows)), str(write(tmp_path, "arrow-stream", rows))
    parquet = str(write(tmp_path, "parquet", rows))
    for frame in (polars.read_ipc(file), polars.read_ipc_stream(stream), polars.read_parquet(parquet)):
        assert frame.rows() == rows
        assert frame.schema["input_ids"] == polars.List(polars.UInt16)


def test_arrow_opens_in_duckdb(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    rows = rows_of(4, 9)
    table = pa.ipc.open_file(str(write(tmp_path, "arrow", rows))).read_all()
    assert duckdb.from_arrow(table).fetchall() == rows
    assert duckdb.read_parquet(str(write(tmp_path, "parquet", rows))).fetchall() == rows


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_stream_opens_in_datasets(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    rows = rows_of(5, 9)
    data = datasets.Dataset.from_file(str(write(tmp_path, "arrow-stream", rows)))
    assert data[:]["input_ids"] == [row[3] for row in rows]
    assert data[:]["record"] == [row[0] for row in rows]


def test_a_file_says_how_it_was_made(tmp_path: Path) -> None:
    for form in ("arrow", "parquet"):
        path = write(tmp_path, form, rows_of(1, 2), window=1000)
        schema = pa.parquet.read_schema(path) if form == "parquet" else pa.ipc.open_file(str(path)).schema
        facts = json.loads(schema.metadata[b"genotok"])
        assert facts["options"] == {"window": 1000}
        assert facts["tokenizer_sha256"] == encoded.VOCABULARY.sha256


# -- Megatron ---------------------------------------------------------------------------------------


def test_megatron_as_its_format_is_described(tmp_path: Path) -> None:
    """A reader of the description alone: a record is a document, a row a sequence."""
    rows = [("a", 0, 4, [5, 6]), ("a", 4, 8, [7]), ("b", 0, 1, []), ("b", 0, 3, [9, 9, 9]), ("c", 2, 3, [8])]
    path = write(tmp_path, "megatron", rows)
    index = path.with_suffix(".idx").read_bytes()
    assert index[:9] == b"MMIDIDX\x00\x00"
    assert int.from_bytes(index[9:17], "little") == 1
    assert index[17] == 8
    count, documents = int.from_bytes(index[18:26], "little"), int.from_bytes(index[26:34], "little")
    assert (count, documents) == (5, 5)
    lengths = np.frombuffer(index, "<i4", count, 34)
    pointers = np.frombuffer(index, "<i8", count, 34 + 4 * count)
    first_rows = np.frombuffer(index, "<i8", documents, 34 + 12 * count)
    # Megatron's readers take what the counts say, and no more; what follows is the checksums'.
    assert index[34 + 12 * count + 8 * documents :].startswith(b"genotok\x00")
    data = path.read_bytes()
    found = [
        np.frombuffer(data, "<u2", length, start).tolist()
        for length, start in zip(lengths, pointers, strict=True)
    ]
    assert found == [row[3] for row in rows]
    assert first_rows.tolist() == [0, 2, 3, 4, 5]  # `b` begins anew where it goes back


@pytest.mark.parametrize("size", [0, 8, 33, 60, -1])
def test_a_cut_megatron_index_is_refused(tmp_path: Path, size: int) -> None:
    path = write(tmp_path, "megatron", rows_of(1, 5))
    index = path.with_suffix(".idx")
    index.write_bytes(index.read_bytes()[:size])
    with pytest.raises(SequenceFileError, match="idx"):
        TokenDataset(path)


@pytest.mark.parametrize("place", range(0, 120, 3))
def test_an_altered_megatron_index_is_refused_or_harmless(tmp_path: Path, place: int) -> None:
    path = write(tmp_path, "megatron", rows_of(1, 5))
    index = path.with_suffix(".idx")
    body = bytearray(index.read_bytes())
    body[place] ^= 0xFF
    index.write_bytes(body)
    with pytest.raises(SequenceFileError, match="idx"):
        TokenDataset(path)


# -- BED --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reverse", [False, True])
def test_tokens_as_bed(tmp_path: Path, reverse: bool) -> None:
    bases = "ACGTTGCAACGTAAACCCGATTACA"
    shown = bases.translate(str.maketrans("ACGT", "TGCA"))[::-1] if reverse else bases
    unknown = TOKENIZER.vocab["[UNK]"]
    ids = [TOKENIZER.vocab["[CLS]"], *TOKENIZER.encode(shown), unknown]
    path = write(tmp_path, "bed", [("r", 100, 126, ids), ("e", 3, 3, [])], reverse_complement=reverse)
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    tokens = [*TOKENIZER.explain(shown)[-1]["tokens"], "[UNK]"]
    assert [line[3] for line in lines] == (tokens[::-1] if reverse else tokens)
    for name, start, end, token, score, strand, index in lines:
        assert (name, score) == ("r", "0")
        assert TOKENIZER.vocab[token] == int(index)
        assert strand == ("-" if reverse else "+")
        if token != "[UNK]":
            place = (
                slice(126 - int(end), 126 - int(start))
                if reverse
                else slice(int(start) - 100, int(end) - 100)
            )
            assert shown[place] == token


def test_overlapping_tokens_step_by_one_base(tmp_path: Path) -> None:
    ids = [TOKENIZER.vocab[token] for token in ("A", "C", "G")]
    two = next(index for token, index in TOKENIZER.vocab.items() if len(token) == 2)
    path = write(tmp_path, "bed", [("r", 10, 14, [two] * 3)])
    places = [tuple(map(int, line.split("\t")[1:3])) for line in path.read_text().splitlines()]
    assert places == [(10, 12), (11, 13), (12, 14)]
    with pytest.raises(ArgumentError, match="are not contiguous"):
        write(tmp_path / "..", "bed", [("r", 0, 9, ids)])
    assert names(tmp_path) == {"rows.bed"}


def test_writing_and_reading_arrow_does_without_pandas(tmp_path: Path) -> None:
    """It takes half a second to import, and pyarrow reaches for it where numpy would do."""
    (tmp_path / "a.fa").write_text(">a\nACGTTGCA\n")
    TOKENIZER.save(tmp_path / "tokenizer.json")
    code = (
        "import sys, genotok; from genotok.dataset import TokenDataset; "
        "from genotok.dataset.encode import encode; "
        "encode(genotok.Tokenizer.from_file('tokenizer.json'), 'a.fa', 'a.arrow'); "
        "assert len(TokenDataset('a.arrow')[0]); print('pandas' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
