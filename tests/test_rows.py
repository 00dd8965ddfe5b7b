"""The same rows from every input: formats, compressions, standard input; and what is none of them is told."""

from __future__ import annotations

import gzip
import json
import os
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pyarrow as pa
import pytest

from genotok import ArgumentError, GenotokWarning, SequenceFileError, SymbolError, Tokenizer
from genotok.files.paths import expand
from genotok.rows import ColumnRequest, RowSource, RowTokenization, chunks, open_rows, text_rows
from genotok.rows.strands import OtherStrand
from genotok.tokenizer.reference import reverse_complement
from tests.support.encoded import TOKENIZER
from tests.support.row_files import (
    COLUMNS,
    FASTA,
    FASTQ,
    FILES,
    SCORES,
    SEQUENCES,
    TABLES,
    as_json,
    as_parquet,
    delimited,
    miscounted,
    standard_input,
)

OPTIONS = RowTokenization(TOKENIZER, allow_empty=False)


def read(source: RowSource) -> tuple[list[list[int]], pa.Table]:
    """The ids of all rows, and their columns."""
    pieces = list(source.batches())
    ids = [piece.sides[0][row].tolist() for piece in pieces for row in range(len(piece))]
    return ids, pa.Table.from_batches([piece.columns for piece in pieces], source.schema)


def check_rows(source: RowSource) -> None:
    ids, table = read(source)
    assert ids == [[1, *TOKENIZER.encode(text), 2] for text in SEQUENCES]
    assert source.symbols.read == sum(map(len, SEQUENCES))
    if source.schema.names == ["record", "start", "end"]:
        assert table["end"].to_pylist() == list(map(len, SEQUENCES))
    else:
        assert table.to_pydict() == COLUMNS
        assert table.schema.types == [pa.string(), pa.int64(), pa.string(), pa.float64()]


@pytest.mark.parametrize("name", FILES)
def test_the_same_rows_come_from_every_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    source = open_rows(OPTIONS, [str(tmp_path / name)])
    assert source.is_repeatable
    check_rows(source)
    check_rows(source)


@pytest.mark.parametrize("piped", [True, False])
@pytest.mark.parametrize(
    "name", ["t.csv", "t.csv.gz", "t.tsv.zst", "t.parquet", "t.jsonl", "s.fa", "s.fq.zst"]
)
def test_the_same_rows_come_from_standard_input(tmp_path: Path, name: str, piped: bool) -> None:
    with standard_input(FILES[name], tmp_path / "held", piped=piped):
        check_rows(open_rows(OPTIONS, ["-"]))


@pytest.mark.parametrize("piped", [None, True, False])
@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "s.fa", "s.fq.zst"])
def test_both_strands_come_from_every_source(tmp_path: Path, name: str, piped: bool | None) -> None:
    """Of files and of standard input, which is copied, as the files are read twice."""
    options = replace(OPTIONS, both_strands=True)
    (tmp_path / name).write_bytes(FILES[name])
    held = nullcontext() if piped is None else standard_input(FILES[name], tmp_path / "held", piped=piped)
    with held:
        source = open_rows(options, [str(tmp_path / name) if piped is None else "-"])
        assert source.is_repeatable
        for _ in range(2):
            check_rows(source)
            (piece,) = source.batches()
            (found,) = piece.reverse
            turned = [reverse_complement(text) for text in SEQUENCES]
            assert [found[row].tolist() for row in range(4)] == [
                [1, *TOKENIZER.encode(text), 2] for text in turned
            ]
            last = [part.reverse[0][0].tolist() for part in piece.parts(1)][-1]
            assert last == [1, *TOKENIZER.encode(turned[-1]), 2]


@pytest.mark.parametrize("symbols", ["ACGTRYKMBVDHSWN-.U", "acgtrykmbvdhswnu"])
@pytest.mark.parametrize("bases", ["ACGT", "ACGU", "ACGTU"])
def test_the_other_strand_is_that_of_files(tmp_path: Path, symbols: str, bases: str) -> None:
    tokens = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]", *bases]
    vocab = {token: number for number, token in enumerate(tokens)}
    model = {"type": "BPE", "vocab": vocab, "merges": [], "unk_token": "[UNK]"}
    tokenizer = Tokenizer.from_json(json.dumps({"version": "1.0", "model": model}))
    (tmp_path / "x.fa").write_text(f">x\n{symbols}\n")
    settings: dict[str, Any] = {"uppercase": True, "allow_unknown": 1.0}
    (batch,) = tokenizer.encode_files(tmp_path / "x.fa", reverse_complement=True, **settings)
    (turned,) = OtherStrand(tokenizer, uppercase=True).of([symbols])
    found = tokenizer.encode_batch([turned], uppercase=True)
    assert pa.record_batch(batch)["input_ids"].to_pylist() == found.to_list()
    assert OtherStrand(tokenizer, uppercase=True).of([turned]) == [symbols] or "U" in bases


@pytest.mark.parametrize(("name", "form"), [("s.fa", None), ("t.csv", "csv")])
def test_a_pipe_with_a_name_is_read_once(tmp_path: Path, name: str, form: str | None) -> None:
    os.mkfifo(tmp_path / "pipe")
    thread = Thread(target=(tmp_path / "pipe").write_bytes, args=(FILES[name],))
    thread.start()
    source = open_rows(OPTIONS, [str(tmp_path / "pipe")], input_format=form)
    assert source.is_repeatable == (form is not None)
    check_rows(source)
    thread.join()


def test_standard_input_that_is_longer_than_what_is_looked_at_is_whole(tmp_path: Path) -> None:
    many = b"".join(b">%d\n%s\n" % (number, b"ACGTTGCA" * 100) for number in range(1000))
    with standard_input(many, tmp_path / "held", piped=True):
        ids, _ = read(open_rows(OPTIONS, ["-"]))
    assert len(ids) == 1000
    lines = b"sequence\n" + b"ACGTTGCA\n" * 40_000
    with standard_input(lines, tmp_path / "held", piped=True):
        assert len(read(open_rows(OPTIONS, ["-"]))[0]) == 40_000


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv", FASTA, "x.csv: holds FASTA, and its name says CSV.*--input-format fasta"),
        ("x.csv", gzip.compress(FASTQ, mtime=0), "holds FASTQ, and its name says CSV"),
        ("x.csv", as_parquet(COLUMNS), "holds Parquet, and its name says CSV"),
        ("x.csv", delimited("\t"), "holds fields separated by tabs, and its name says CSV"),
        ("x.tsv", delimited(","), "holds fields separated by commas, and its name says .*TSV"),
        ("x.csv", as_json(COLUMNS), "holds JSON lines, and its name says CSV"),
        ("x.parquet", delimited(","), "holds fields separated by commas, and its name says Parquet"),
        ("x.fa", delimited(","), "holds fields separated by commas, and its name says FASTA"),
        ("x.csv", b"ARROW1\0\0", "is an Arrow file"),
        ("x.csv", b"ACGTACGTTAGGT,1,2\nACGT,0,3\n", "line 1 holds a sequence where a header is expected"),
        ("x.parquet", as_parquet({"ACGTACGT": ["ACGT"]}), "a sequence stands where the name of a column"),
        (
            "x.csv",
            b"seq,label\nACGT,1\n",
            "columns seq, label; sequence .* are expected; --sequence and",
        ),
        ("x.csv", b"sequence,label\nACGT,1\n,0\n", "line 3: an empty sequence; remove the row"),
        ("x.csv", b"sequence,label\nACGT,1\nACLT,0\n", "line 3, position 2: 'L'"),
        ("x.csv", b"sequence\n\xff\xfe\n", "damaged, or not what its name says"),
        ("x.parquet", as_parquet(COLUMNS)[:200], "damaged, or not what its name says"),
        ("x.parquet", as_parquet({"sequence": ["ACGT", None]}), r"row 2: no sequence \(null\)"),
        ("x.parquet", as_parquet({"sequence": ["ACGT", ""]}), "row 2: an empty sequence"),
        ("x.parquet", as_parquet({"sequence": [1, 2]}), "column sequence is int64; text is expected"),
        ("x.parquet", as_parquet({"sequence": pa.array([], pa.string())}), "has no rows"),
        ("x.parquet", miscounted(0), "damaged: row groups of 3 rows, where the file says -3"),
        ("x.parquet", miscounted(0, 4), "damaged: row groups of 3 rows, where the file says 4"),
        ("x.parquet", miscounted(1), "damaged: 0 rows, where the file says 3"),
        ("x.parquet", miscounted(2), "damaged: row group 0 has a negative number of rows"),
        ("x.jsonl", b'{"sequence": "ACGT"}\n{"sequence": null}\n', r"line 2: no sequence \(null\)"),
        ("x.jsonl", b'{"sequence": "ACGT"}\n{"sequence": "ACGT", "b": 1}\n', "line 2: has a key 'b'"),
        ("x.jsonl", b'{"sequence": "ACGT"}\n[1]\n', "line 2: no object"),
        ("x.jsonl", b'{"sequence": "ACGT"}\n{\n', "line 2: no JSON"),
        ("x.jsonl", b'{"sequence": "A", "b": 1}\n{"sequence": "A", "b": "c"}\n', "column b: .* no one type"),
        ("x.fa", b">a\nACGT\n>b\n>c\nACGT\n", "x.fa: record b, 0-0: an empty sequence"),
        ("x.csv", b"sequence\n" + b"ACGU" * 40 + b"\n", "25.0 % of its 160 symbols"),
        ("x.parquet", as_parquet({"sequence": ["ACGU" * 40]}), "25.0 % of its 160 symbols"),
    ],
)
def test_what_is_wrong_is_told_with_its_file(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises((ArgumentError, SequenceFileError, SymbolError), match=message) as caught:
        read(open_rows(OPTIONS, [str(tmp_path / name)]))
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_format_that_is_said_settles_it(tmp_path: Path) -> None:
    cases = {"a.csv": (FASTA, "fasta"), "b.fa": (TABLES["csv"], "csv"), "d": (TABLES["tsv"], "tsv")}
    cases["c.csv"] = (TABLES["parquet"], "parquet")
    for name, (content, form) in cases.items():
        (tmp_path / name).write_bytes(content)
        check_rows(open_rows(OPTIONS, [str(tmp_path / name)], input_format=form))
    with pytest.raises(ArgumentError, match="holds Parquet, and input_format says JSON lines"):
        open_rows(OPTIONS, [str(tmp_path / "c.csv")], input_format="jsonl")
    with pytest.raises(ArgumentError, match="input_format=xlsx: one of fasta, fastq, csv"):
        open_rows(OPTIONS, [str(tmp_path / "c.csv")], input_format="xlsx")


@pytest.mark.parametrize("count", [1, 2, 130])
@pytest.mark.parametrize("ending", ["csv", "parquet", "fa"])
def test_many_files_are_rows_in_their_order(tmp_path: Path, count: int, ending: str) -> None:
    for number in range(count):
        sequence = "ACGT" * (number + 1)
        content = {
            "csv": f"sequence,n\n{sequence},{number}\n".encode(),
            "fa": f">{number}\n{sequence}\n".encode(),
            "parquet": as_parquet({"sequence": [sequence], "n": [number]}),
        }[ending]
        (tmp_path / f"{number:03}.{ending}").write_bytes(content)
    ids, table = read(open_rows(OPTIONS, expand(str(tmp_path / f"*.{ending}"))))
    assert len(ids) == count
    order = table["record" if ending == "fa" else "n"].to_pylist()
    assert [int(number) for number in order] == list(range(count))


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "other.csv").write_text("sequence,labels\nACGT,1\n")
    (tmp_path / "typed.parquet").write_bytes(as_parquet({**COLUMNS, "label": ["x"] * 4}))
    for names, message in (
        (("t.csv", "s.fa"), "s.fa: is no table as .*t.csv is"),
        (("t.csv", "other.csv"), "other.csv: its columns are not those of"),
        (("t.parquet", "typed.parquet"), "typed.parquet: its columns have other types"),
    ):
        with pytest.raises(ArgumentError, match=message):
            open_rows(OPTIONS, [str(tmp_path / name) for name in names])
    ids, _ = read(open_rows(OPTIONS, [str(tmp_path / name) for name in ("t.csv", "t.parquet", "t.jsonl")]))
    assert len(ids) == 3 * len(SEQUENCES)


def test_types_of_csv_hold_what_all_its_rows_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "MAX_ROWS", 1)
    (tmp_path / "a.csv").write_text("sequence,i,f,t,e,h\nACGT,1,1,1,1e400,9223372036854775808\n")
    (tmp_path / "b.csv").write_text("sequence,i,f,t,e,h\nACGT,-2,.5,2,1,1\nACGT,3,2.5,x,1,1\n")
    _, table = read(open_rows(OPTIONS, [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]))
    assert table["i"].to_pylist() == [1, -2, 3]
    assert table["f"].to_pylist() == ["1", ".5", "2.5"]
    assert table["t"].to_pylist() == ["1", "2", "x"]
    assert table["e"].to_pylist() == ["1e400", "1", "1"]
    (tmp_path / "a.jsonl").write_text(
        '{"sequence":"ACGT","x":null,"y":1}\n{"sequence":"ACGT","x":2,"y":2.5}\n'
    )
    _, table = read(open_rows(OPTIONS, [str(tmp_path / "a.jsonl")]))
    assert table.select(["x", "y"]).to_pydict() == {"x": [None, 2], "y": [1.0, 2.5]}


@pytest.mark.parametrize(
    ("header", "wanted", "sequences"),
    [
        ("sequence,label", ColumnRequest(), ("AC",)),
        ("Sequence,Label", ColumnRequest(need_label=True), ("AC",)),
        (" sequence ,label", ColumnRequest(), ("AC",)),
        ("sequence1,sequence2", ColumnRequest(), ("AC", "GT")),
        ("sequence2,sequence1", ColumnRequest(pairs=True), ("GT", "AC")),
        ("dna,y", ColumnRequest(("dna",), label="y", need_label=True), ("AC",)),
        ("x,y", ColumnRequest(("y", "x")), ("GT", "AC")),
        ("sequence1,sequence2", ColumnRequest(pairs=False), "has pairs .* trained on single sequences"),
        ("sequence,label", ColumnRequest(pairs=True), "has single sequences .* trained on pairs"),
        ("x,y", ColumnRequest(("y", "x"), pairs=False), "has pairs"),
        ("x,y", ColumnRequest(("y",), pairs=True), "has single sequences"),
        ("x,y", ColumnRequest(("z",)), "columns x, y; z are expected; --sequence"),
        (
            "sequence,y",
            ColumnRequest(need_label=True),
            "columns sequence, y; .* and label are expected; --sequence",
        ),
        ("sequence,predicted", ColumnRequest(taken=frozenset({"predicted"})), "is called predicted already"),
    ],
)
def test_columns_are_found_by_name(
    tmp_path: Path, header: str, wanted: ColumnRequest, sequences: Any
) -> None:
    (tmp_path / "a.csv").write_text(f"{header}\nAC,GT\n")
    if isinstance(sequences, str):
        with pytest.raises((ArgumentError, SequenceFileError), match=rf"a\.csv: .*{sequences}"):
            open_rows(OPTIONS, [str(tmp_path / "a.csv")], wanted)
        return
    source = open_rows(OPTIONS, [str(tmp_path / "a.csv")], wanted)
    (piece,) = source.batches()
    assert tuple(side[0].tolist() for side in piece.sides) == tuple(
        [1, *TOKENIZER.encode(one), 2] for one in sequences
    )
    assert source.sides == len(sequences)


@pytest.mark.parametrize(
    ("content", "wanted", "names", "note"),
    [
        (
            "ACGTTGCA,1\nGGATTACA,0\n",
            ColumnRequest(),
            ["sequence", "label"],
            "no header: line 1 is read as data",
        ),
        ("ACGTTGCA\nGGATTACA\n", ColumnRequest(), ["sequence"], "no header: line 1 is read as data"),
        (
            "seq,y\nACGTTGCA,1\nGGATTACA,0\n",
            ColumnRequest(need_label=True),
            ["seq", "y"],
            "seq is the sequence, y",
        ),
    ],
)
def test_a_table_whose_columns_have_no_known_names_is_read_and_told(
    tmp_path: Path, content: str, wanted: ColumnRequest, names: list[str], note: str
) -> None:
    (tmp_path / "a.csv").write_text(content)
    with pytest.warns(GenotokWarning, match=rf"a\.csv: .*{note}"):
        source = open_rows(OPTIONS, [str(tmp_path / "a.csv")], wanted)
    ids, table = read(source)
    assert ids == [[1, *TOKENIZER.encode(text), 2] for text in ("ACGTTGCA", "GGATTACA")]
    assert table.column_names == names
    assert table[names[-1]].to_pylist()[-1] in (0, "0", "GGATTACA")


def test_what_sequence_files_have_not_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.fa").write_bytes(FASTA)
    for wanted, message in (
        (ColumnRequest(need_label=True), "sequence files have no labels"),
        (ColumnRequest(("dna",)), "sequence=dna: .* has records, not columns"),
        (ColumnRequest(pairs=True), "trained on pairs"),
    ):
        with pytest.raises(ArgumentError, match=message):
            open_rows(OPTIONS, [str(tmp_path / "a.fa")], wanted)


@pytest.mark.parametrize("name", ["t.csv", "t.tsv.gz", "t.jsonl", "t.parquet", "t.parquet.zst"])
def test_any_table_is_text_in_rows(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    header, *rows = text_rows(tmp_path / name)
    assert header[1] == list(COLUMNS)
    assert [fields[0] for _, fields in rows] == SEQUENCES
    assert [fields[1] for _, fields in rows] == ["1", "0", "1", "1"]
    assert [float(fields[3]) for _, fields in rows] == SCORES
    first = {"csv": 2, "tsv": 2}.get(name.split(".")[1], 1)
    assert [number for number, _ in rows] == list(range(first, first + len(rows)))
