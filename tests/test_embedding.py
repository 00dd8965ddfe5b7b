"""Vectors of files are those of their rows one by one, in the order of the files, whatever the files are."""

from __future__ import annotations

import bz2
import csv
import gzip
import json
import lzma
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.support.encoded import TOKENIZER
from tests.support.program import fails, names, run

torch = pytest.importorskip("torch", reason="embedding needs torch: the extra `model`")
pytest.importorskip("safetensors", reason="weights are read with safetensors: the extra `model`")

from genotok import (  # noqa: E402
    ArgumentError,
    SequenceFileError,
    SymbolError,
    Tokenizer,
    _native,
)
from genotok.embedding import Embedder, embed, files  # noqa: E402
from genotok.embedding.embedder import batches  # noqa: E402
from genotok.model import EncoderConfig, MaskedLanguageModel, pack, pool  # noqa: E402
from genotok.model.checkpoint import write  # noqa: E402
from genotok.rows import chunks  # noqa: E402

torch.set_num_threads(1)  # for two, such small products are too little work
CONFIG = EncoderConfig(
    vocab_size=TOKENIZER.vocab_size,
    hidden_size=24,
    num_layers=2,
    num_heads=3,
    intermediate_size=20,
    initializer_range=0.3,
)
GENOME = _native.simulate(5_000, 3).decode()
LENGTHS = (200, 1, 33, 900, 33, 7, 0, 1500, 64, 33)


def sequences() -> list[str]:
    return [GENOME[at : at + length] for at, length in zip(range(0, 5_000, 40), LENGTHS, strict=False)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny model and its tokenizer."""
    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    write(MaskedLanguageModel(CONFIG), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(CONFIG.to_published()))
    TOKENIZER.save(folder / "tokenizer.json")
    return folder


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    path = tmp_path / "some.fa"
    path.write_text("".join(f">r{number}\n{text}\n" for number, text in enumerate(sequences())))
    return path


def one_by_one(model: Path, texts: list[str], pooling: Any = "mean") -> Any:
    """The vectors, each sequence alone, by the encoder itself."""
    embedder = Embedder(model)
    found = []
    for text in texts:
        ids = torch.tensor([1, *TOKENIZER.encode(text), 2])
        with torch.no_grad():
            packing = pack([len(ids)])
            found.append(pool(embedder._encoder(ids, packing).last, packing, pooling)[0])
    return torch.stack(found).numpy()


def vectors_of(table: Any) -> Any:
    return np.array(table.column("embedding").to_pylist(), np.float32)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("batch_tokens", [1, 100, 8192])
def test_vectors_of_a_file_are_those_of_its_records_one_by_one(
    model: Path, fasta: Path, tmp_path: Path, pooling: Any, batch_tokens: int
) -> None:
    embedder = Embedder(model, pooling=pooling, batch_tokens=batch_tokens)
    report = embed(embedder, fasta, tmp_path / "out.parquet")
    table = parquet.read_table(tmp_path / "out.parquet")
    assert table.schema.names == ["record", "start", "end", "embedding"]
    assert table.schema.field("embedding").type == pa.list_(pa.field("element", pa.float32()), 24)
    assert table.column("record").to_pylist() == [f"r{number}" for number in range(len(LENGTHS))]
    assert table.column("end").to_pylist() == list(LENGTHS)
    expected = one_by_one(model, sequences(), pooling)
    assert np.abs(vectors_of(table) - expected).max() < 1e-5
    assert np.abs(embedder.vectors(sequences()) - expected).max() < 1e-5
    assert (report["rows"], report["empty"], report["symbols"]) == (len(LENGTHS), 1, sum(LENGTHS))
    assert report["tokens"] == sum(len(TOKENIZER.encode(text)) + 2 for text in sequences())
    assert (report["width"], report["backend"], report["device"]) == (24, "sdpa", "cpu")
    about = json.loads(table.schema.metadata[b"genotok"])
    assert about["options"]["pooling"] == pooling


def test_pieces_and_their_parts_change_nothing(
    model: Path, fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_ROWS", 3)
    monkeypatch.setattr(chunks, "BATCH_SYMBOLS", 400)
    events: list[dict[str, Any]] = []
    report = embed(Embedder(model), fasta, tmp_path / "out.parquet", progress=events.append)
    table = parquet.read_table(tmp_path / "out.parquet")
    assert parquet.ParquetFile(tmp_path / "out.parquet").num_row_groups > 3
    assert np.abs(vectors_of(table) - one_by_one(model, sequences())).max() < 1e-5
    told = [event for event in events if event["phase"] == "embedding"]
    assert told[-1] == {
        "phase": "embedding",
        "tokens": report["tokens"],
        "tokens_total": report["tokens"],
    }
    assert [event["tokens"] for event in told] == sorted(event["tokens"] for event in told)


def test_windows_are_rows(model: Path, fasta: Path, tmp_path: Path) -> None:
    embed(Embedder(model), fasta, tmp_path / "out.parquet", window=300, stride=200)
    rows = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    by_name = dict(zip((f"r{number}" for number in range(len(LENGTHS))), sequences(), strict=True))
    texts = [by_name[row["record"]][row["start"] : row["end"]] for row in rows]
    assert max(map(len, texts)) == 300
    assert [row["start"] for row in rows if row["record"] == "r7"][:3] == [0, 200, 400]
    found = np.array([row["embedding"] for row in rows])
    assert np.abs(found - one_by_one(model, texts)).max() < 1e-5


@pytest.mark.parametrize("ending", [".csv", ".tsv.gz", ".jsonl"])
def test_vectors_as_text_are_the_same_to_the_bit(
    model: Path, fasta: Path, tmp_path: Path, ending: str
) -> None:
    embedder = Embedder(model)
    embed(embedder, fasta, tmp_path / "out.parquet")
    wanted = vectors_of(parquet.read_table(tmp_path / "out.parquet"))
    report = embed(embedder, fasta, tmp_path / f"out{ending}")
    data = (tmp_path / f"out{ending}").read_bytes()
    assert report["bytes"] == len(data)
    lines = (gzip.decompress(data) if ending.endswith(".gz") else data).decode().splitlines()
    if ending == ".jsonl":
        rows = [json.loads(line)["embedding"] for line in lines]
    else:
        header, *fields = [line.split("\t" if "tsv" in ending else ",") for line in lines]
        assert header == ["record", "start", "end", *(f"v{number}" for number in range(24))]
        rows = [row[3:] for row in fields]
    assert (np.array(rows).astype(np.float32) == wanted).all()


TABLE = [
    ["sequence", "label", "name", "score"],
    [GENOME[:50], "1", "007", "1"],
    [GENOME[50:300], "-2", "a, b", "2.5"],
    ["", "3", 'with "quotes"\nand lines', "-1e-3"],
]
OPENERS: dict[str, Any] = {"": open, ".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".csv.bz2", ".csv.xz", ".csv.zst", ".tsv"])
def test_columns_of_a_table_are_kept(model: Path, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"some{ending}"
    packing = ending.removeprefix(".csv") if ending.startswith(".csv") else ""
    if packing == ".zst":
        with pa.CompressedOutputStream(str(path), "zstd") as packed:
            plain = tmp_path / "plain.csv"
            with plain.open("w", newline="") as file:
                csv.writer(file).writerows(TABLE)
            packed.write(plain.read_bytes())
    else:
        with OPENERS[packing](path, "wt", newline="", encoding="utf-8-sig") as file:
            csv.writer(file, delimiter="\t" if ending == ".tsv" else ",").writerows(TABLE)
    report = embed(Embedder(model), path, tmp_path / "out.parquet")
    table = parquet.read_table(tmp_path / "out.parquet")
    assert table.schema.types[:4] == [pa.string(), pa.int64(), pa.string(), pa.float64()]
    columns = [table.column(name).to_pylist() for name in TABLE[0]]
    assert columns[0] == [row[0] for row in TABLE[1:]]
    assert columns[1:] == [[1, -2, 3], ["007", "a, b", 'with "quotes"\nand lines'], [1.0, 2.5, -0.001]]
    assert np.abs(vectors_of(table) - one_by_one(model, columns[0])).max() < 1e-5
    assert (report["rows"], report["empty"]) == (3, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty; a header"),
        ("sequence,label\n", "has a header and no rows"),
        ("seq,label\nACGT,1\n", "columns seq, label; sequence .* are expected"),
        ("sequence,sequence\nACGT,1\n", "2 columns are called sequence; one is expected"),
        ("sequence,a,a\nACGT,1,2\n", "a name stands twice"),
        ("sequence,embedding\nACGT,1\n", "a column is called embedding already"),
        ("sequence,label\nACGT,1\nACGT\n", "line 3: 1 fields; the header has 2"),
        ('sequence,label\n"ACGT,1\n', "damaged, or not what its name says"),
    ],
)
def test_a_table_that_is_wrong_is_refused(model: Path, tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "some.csv"
    path.write_text(content)
    with pytest.raises((ArgumentError, SequenceFileError), match=message) as caught:
        embed(Embedder(model), path, tmp_path / "out.parquet")
    assert str(path) in str(caught.value)
    assert names(tmp_path) == {"some.csv"}


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zst"])
def test_a_table_that_is_cut_short_is_refused(model: Path, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"some.csv{ending}"
    content = "sequence,label\n" + "".join(f"{GENOME[at : at + 50]},{at}\n" for at in range(4000))
    if ending == ".zst":
        with pa.CompressedOutputStream(str(path), "zstd") as packed:
            packed.write(content.encode())
    else:
        with OPENERS[ending](path, "wt") as file:
            file.write(content)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(SequenceFileError, match=r"damaged, or not what its name says|fields; the header has"):
        embed(Embedder(model), path, tmp_path / "out.parquet")
    (tmp_path / f"noise.csv{ending}").write_bytes(b"sequence\n\xff\xfe")
    with pytest.raises(SequenceFileError, match="damaged, or not what its name says"):
        embed(Embedder(model), tmp_path / f"noise.csv{ending}", tmp_path / "out.parquet")
    assert "out.parquet" not in names(tmp_path)


def test_a_fault_at_the_end_is_found_before_the_first_vector(
    model: Path, fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder = Embedder(model)
    monkeypatch.setattr(embedder, "of_ids", None)
    lengths = [len(TOKENIZER.encode(text)) + 2 for text in sequences()]
    with pytest.raises(
        ArgumentError, match=rf"record r7, 0-1,500: {max(lengths)} tokens, and {max(lengths) - 1} "
    ):
        embed(embedder, fasta, tmp_path / "out.parquet", max_tokens=max(lengths) - 1)
    fasta.write_text(fasta.read_text() + ">last\nACGTJ?!\n")
    with pytest.raises((SequenceFileError, SymbolError)):
        embed(embedder, fasta, tmp_path / "out.parquet", unknown="error")
    path = tmp_path / "some.csv"
    path.write_text("sequence\nACGT\nACNT\n")
    with pytest.raises(SymbolError, match=r"some\.csv: counted from line 2"):
        embed(embedder, path, tmp_path / "out.parquet", unknown="error")
    with pytest.raises(ArgumentError, match=r"some\.csv, line 2: 6 tokens, and 3 are"):
        embed(embedder, path, tmp_path / "out.parquet", max_tokens=3)
    assert names(tmp_path) == {"some.fa", "some.csv"}


def test_lower_case_is_counted_and_can_be_read(model: Path, tmp_path: Path) -> None:
    plain = json.loads(TOKENIZER.to_json())
    plain["normalizer"] = None  # as in the published file, which says what stands around a sequence
    plain["post_processor"] = {"type": "BertProcessing", "cls": ["[CLS]", 1], "sep": ["[SEP]", 2]}
    embedder = Embedder(model, Tokenizer.from_json(json.dumps(plain)))
    (tmp_path / "soft.fa").write_text(f">s\n{GENOME[:40]}{GENOME[40:50].lower()}\n")
    (tmp_path / "soft.csv").write_text(f"sequence\n{GENOME[:40]}{GENOME[40:50].lower()}\n")
    for name in ("soft.fa", "soft.csv"):
        report = embed(embedder, tmp_path / name, tmp_path / "out.parquet", force=True)
        assert (report["symbols"], report["unknown"], report["lower_case"]) == (50, 10, 10)
        report = embed(embedder, tmp_path / name, tmp_path / "out.parquet", force=True, uppercase=True)
        assert (report["unknown"], report["lower_case"]) == (0, 0)
        found = vectors_of(parquet.read_table(tmp_path / "out.parquet"))
        assert np.abs(found - one_by_one(model, [GENOME[:50]])).max() < 1e-5


def test_stopped_in_the_middle_it_leaves_nothing(model: Path, fasta: Path, tmp_path: Path) -> None:
    def stop(event: dict[str, Any]) -> None:
        if event["phase"] == "embedding":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed(Embedder(model), fasta, tmp_path / "out.parquet", progress=stop)
    assert names(tmp_path) == {"some.fa"}


def test_options_that_cannot_be_are_refused(model: Path, fasta: Path, tmp_path: Path) -> None:
    embedder = Embedder(model)
    table = tmp_path / "some.csv"
    table.write_text("sequence\nACGT\n")
    other = tmp_path / "other.csv"
    other.write_text("seq\nACGT\n")
    out = tmp_path / "out.parquet"
    with pytest.raises(ArgumentError, match=r"some\.fa: is no table"):
        embed(embedder, [table, fasta], out)
    with pytest.raises(ArgumentError, match=r"other\.csv: its columns are not those of"):
        embed(embedder, [table, other], out)
    with pytest.raises(ArgumentError, match="a row of a table is one row"):
        embed(embedder, table, out, window=10)
    with pytest.raises(ArgumentError, match=r"a name in \.parquet, \.csv, \.tsv, \.jsonl is expected"):
        embed(embedder, table, tmp_path / "out.arrow")
    with pytest.raises(ArgumentError, match="max_tokens=0"):
        embed(embedder, table, out, max_tokens=0)
    for wrong, message in (
        ({"pooling": "max"}, "pooling=max: one of mean, cls"),
        ({"dtype": "float8"}, "dtype=float8: one of float32"),
        ({"device": "abacus"}, "device=abacus: .*is expected"),
        ({"device": "meta"}, "device=meta: .*is expected"),
        ({"batch_tokens": 0}, "batch_tokens=0"),
    ):
        with pytest.raises(ArgumentError, match=message):
            Embedder(model, **wrong)


def test_a_model_that_does_not_fit_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such folder"):
        Embedder(tmp_path / "absent")
    with pytest.raises(FileNotFoundError):
        Embedder(tmp_path)
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((model / name).read_bytes())
    with pytest.raises(FileNotFoundError, match=r"tokenizer\.json"):
        Embedder(tmp_path)
    with pytest.raises(ArgumentError, match=r"the model knows 120 tokens and the tokenizer has 100"):
        Embedder(tmp_path, TOKENIZER.truncate(100))
    for layers in (1, 3):
        config = CONFIG.with_changes(num_layers=layers)
        (tmp_path / "config.json").write_text(json.dumps(config.to_published()))
        with pytest.raises(ArgumentError, match=f"num_hidden_layers={layers}, and the weights have 2 layers"):
            Embedder(tmp_path, TOKENIZER)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(ArgumentError, match=r"config\.json: holds a list; a JSON object is expected"):
        Embedder(tmp_path, TOKENIZER)
    (tmp_path / "config.json").write_text(json.dumps(CONFIG.to_published()))
    (tmp_path / "model.safetensors").write_bytes(b"cut")
    with pytest.raises(ArgumentError, match=r"model\.safetensors: damaged"):
        Embedder(tmp_path, TOKENIZER)


def test_half_precision_gives_nearly_the_same(model: Path, fasta: Path) -> None:
    expected = Embedder(model).vectors(sequences())
    found = Embedder(model, dtype="bfloat16").vectors(sequences())
    assert found.dtype == np.float32
    assert 0 < np.abs(found - expected).max() < 0.1
    assert Embedder(model).vectors([]).shape == (0, 24)


def test_batches_hold_all_rows_and_not_too_many_tokens() -> None:
    lengths = np.array([5, 0, 9, 3, 3, 12, 1, 0])
    for most in (1, 5, 9, 100):
        found = list(batches(lengths, most))
        assert sorted(np.concatenate(found).tolist()) == list(range(8))
        assert all(len(rows) == 1 or lengths[rows].sum() <= most for rows in found)
        flat = lengths[np.concatenate(found)].tolist()
        assert flat == sorted(flat, reverse=True)
    assert list(batches(np.array([], np.int64), 9)) == []


# -- the command ------------------------------------------------------------------------------------


def test_the_command_embeds_and_reports(model: Path, fasta: Path, tmp_path: Path) -> None:
    command = ["embed", "--model", str(model), "-o", "out.parquet", "--threads", "1"]
    done = run(*command, fasta.name, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for part in ("embedded 10 rows", "24 numbers each, pooled by mean", "attention by sdpa", "out.parquet"):
        assert part in done.stdout
    found = vectors_of(parquet.read_table(tmp_path / "out.parquet"))
    assert np.abs(found - one_by_one(model, sequences())).max() < 1e-5
    piped = run(*command, "-", "--force", "--json", folder=tmp_path, stdin=">a\nACGTacgtNN\n")
    report = json.loads(piped.stdout)
    assert (report["rows"], report["symbols"], report["unknown"]) == (1, 10, 2)
    assert report["tokens_per_second"] > 0


def test_an_output_that_is_there_is_kept(model: Path, fasta: Path, tmp_path: Path) -> None:
    embedder = Embedder(model)
    out = tmp_path / "out.parquet"
    embed(embedder, fasta, out)
    before = out.read_bytes()
    with pytest.raises(ArgumentError, match=r"out\.parquet: is there already; --force replaces it"):
        embed(embedder, fasta, out)
    embed(embedder, fasta, out, force=True, window=100)
    assert out.read_bytes() != before
    out.write_text(">a genome\nACGT\n")
    with pytest.raises(ArgumentError, match="is not a Parquet file"):
        embed(embedder, fasta, out, force=True)


def test_a_backend_that_is_not_here_is_refused(
    model: Path, fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "flash_attn", None)
    with pytest.raises(ArgumentError, match='attention="flash" needs'):
        embed(Embedder(model, attention="flash"), fasta, tmp_path / "out.parquet")
    assert names(tmp_path) == {"some.fa"}


def test_the_command_fails_in_one_line(model: Path, fasta: Path, tmp_path: Path) -> None:
    done = run("embed", "-m", str(model), fasta.name, "-o", "o.parquet", "--max-tokens", "9", folder=tmp_path)
    fails(done, "record r0, 0-200", "--max-tokens")
    assert names(tmp_path) == {"some.fa"}


def test_without_torch_the_command_says_what_to_install(tmp_path: Path) -> None:
    code = "import sys; sys.modules['torch'] = None; from genotok.cli import main; main()"
    command = [sys.executable, "-c", code, "embed", "--model", "m", "a.fa", "-o", "out.parquet"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    fails(done, "pip install 'genotok[model]'")
