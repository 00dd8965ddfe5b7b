"""BED files as lists of work: strands, names, numbers, blocks, orders, faults; regions as samtools reads."""

from __future__ import annotations

import gzip
import hashlib
import os
import random
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import genotok
from genotok.dataset import BedRow, TokenDataset
from genotok.dataset.encode import encode
from genotok.dataset.megatron import MegatronFile
from genotok.errors import ArgumentError, SequenceFileError
from genotok.tokenizer import reference
from tests.support.encoded import TOKENIZER, schema
from tests.support.program import ENVIRONMENT, PROGRAM

CHR1 = "AAAACCCCGGGGTTTTACGTACGTACGTAAAC"
FASTA = f">chr1 primary\n{CHR1}\n>chr2\nTTTTGGGG\n"


@pytest.fixture
def genome(tmp_path: Path) -> str:
    path = tmp_path / "g.fa"
    path.write_text(FASTA)
    return str(path)


def bed(folder: Path, text: str | bytes, name: str = "x.bed") -> str:
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return str(folder / name)


def read(files: str | list[str], **options: Any) -> list[dict[str, Any]]:
    """The rows, with their symbols instead of ids."""
    batches = [pa.record_batch(batch) for batch in TOKENIZER.encode_files(files, **options)]
    found = [row for batch in batches for row in batch.to_pylist()]
    return [row | {"input_ids": TOKENIZER.decode(row["input_ids"])} for row in found]


def sequences(files: str | list[str], **options: Any) -> list[str]:
    return [row["input_ids"] for row in read(files, **options)]


# -- what a line says -------------------------------------------------------------------------------


def test_strand_name_and_number_are_kept(genome: str, tmp_path: Path) -> None:
    path = bed(tmp_path, "chr1\t0\t8\tgeneA\t0\t-\n")
    row = {"record": "chr1", "start": 0, "end": 8, "bed_row": 0, "name": "geneA"}
    assert read(genome, bed=path) == [row | {"strand": "-", "input_ids": "GGGGTTTT"}]
    assert read(genome, bed=path, reverse_complement=True) == [row | {"strand": "+", "input_ids": "AAAACCCC"}]


def test_blocks_are_joined_on_request(genome: str, tmp_path: Path) -> None:
    path = bed(tmp_path, "chr1\t0\t32\tx\t0\t+\t0\t32\t0\t2\t4,4\t0,28\n")
    assert sequences(genome, bed=path) == [CHR1]
    (row,) = read(genome, bed=path, bed_blocks=True)
    assert (row["input_ids"], row["start"], row["end"]) == ("AAAAAAAC", 0, 32)
    assert (row["block_starts"], row["block_sizes"]) == ([0, 28], [4, 4])
    path = bed(tmp_path, "chr1\t0\t32\tx\t0\t-\tnot\tread\t0\t2\t4,4,\t0,28,\n")
    assert sequences(genome, bed=path, bed_blocks=True) == ["GTTTTTTT"]
    windows = read(genome, bed=path, bed_blocks=True, window=6)
    assert [(row["start"], row["end"], row["block_sizes"]) for row in windows] == [
        (0, 30, [4, 2]),
        (30, 32, [2]),
    ]
    six = bed(tmp_path, "chr1\t0\t32\tx\t0\t-\n")
    with pytest.raises(SequenceFileError, match="line 1: has fewer than 12 columns"):
        TOKENIZER.encode_files(genome, bed=six, bed_blocks=True)
    with pytest.raises(ArgumentError, match="bed_blocks=true: joins the blocks of BED files"):
        TOKENIZER.encode_files(genome, bed_blocks=True)


def test_batches_have_the_columns_without_pyarrow(genome: str, tmp_path: Path) -> None:
    (batch,) = TOKENIZER.encode_files(genome, bed=bed(tmp_path, "chr1\t0\t8\ta b\t0\t-\nchr2\t1\t3\n"))
    assert (batch.bed_rows.tolist(), batch.names, batch.strands) == ([0, 1], ["a b", ""], ["-", "+"])
    (plain,) = TOKENIZER.encode_files(genome)
    assert (plain.bed_rows, plain.names, plain.strands) == (None, None, None)
    assert pa.schema(plain) == schema()


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfchr1\t0\t4\tone\t0\t-\nchr2\t4\t8\n",
        b"chr1\t0\t4\tone\t0\t-\r\nchr2\t4\t8\r\n",
        b"\xef\xbb\xbf# title\r\ntrack name=x\r\nbrowser position\n\nchr1\t0\t4\tone\t0\t-\n\n\nchr2\t4\t8",
        b"chr1 0 4 one 0 -\nchr2  4 8\n",
        gzip.compress(b"chr1\t0\t4\tone\t0\t-\tx\ty\nchr2\t4\t8\t\t\t\n"),
    ],
    ids=["mark", "crlf", "headers", "blanks", "gzip"],
)
def test_all_ways_to_write_a_list(genome: str, tmp_path: Path, text: bytes) -> None:
    found = read(genome, bed=bed(tmp_path, text))
    assert [tuple(row.values()) for row in found] == [
        ("chr1", 0, 4, "TTTT", 0, "one", "-"),
        ("chr2", 4, 8, "GGGG", 1, "", "+"),
    ]


def test_a_record_may_be_called_track(tmp_path: Path) -> None:
    (tmp_path / "t.fa").write_text(">track\nACGT\n")
    assert sequences(str(tmp_path / "t.fa"), bed=bed(tmp_path, "track name=x\ntrack\t1\t3\n")) == ["CG"]


def test_rows_are_numbered_through_all_lists_and_twins_are_kept(genome: str, tmp_path: Path) -> None:
    one = bed(tmp_path, "#\nchr2\t0\t2\ta\nchr1\t0\t2\tb\nchr1\t0\t2\tb\n", "one.bed")
    two = bed(tmp_path, "chr1\t1\t5\tc\n", "two.bed")
    found = read(genome, bed=[one, two], region="chr2:8-")
    assert [(row["bed_row"], row["name"], row["start"]) for row in found] == [
        (1, "b", 0),
        (2, "b", 0),
        (3, "c", 1),
        (-1, "", 7),
        (0, "a", 0),
    ]


def test_rows_in_the_order_of_the_list(tmp_path: Path) -> None:
    source = random.Random(3)
    texts = {f"r{number}": "".join(source.choices("ACGT", k=60)) for number in range(40)}
    files = []
    for number in range(2):
        (tmp_path / f"{number}.fa").write_text(
            "".join(f">{name}\n{text}\n" for name, text in list(texts.items())[number::2])
        )
        files.append(str(tmp_path / f"{number}.fa"))
    lines, expected = [], []
    for number in range(500):
        name, start = source.choice(list(texts)), source.randrange(60)
        end, strand = source.randrange(start + 1, 61), source.choice("+-.")
        lines.append(f"{name}\t{start}\t{end}\tn{number}\t0\t{strand}\n")
        text = texts[name][start:end]
        expected.append(reference.reverse_complement(text) if strand == "-" else text)
    path = bed(tmp_path, "".join(lines))
    found = read(files, bed=path, bed_order=True, batch_bases=50)
    assert [row["input_ids"] for row in found] == expected
    assert [row["bed_row"] for row in found] == list(range(500))
    unordered = read(files, bed=path)
    assert sorted(unordered, key=lambda row: row["bed_row"]) == found
    assert unordered != found
    assert sequences(files, bed=path, bed_order=True, window=7) == [
        text
        for line, whole in zip(lines, expected, strict=True)
        for text in _windows(whole, 7, backwards=line.endswith("-\n"))
    ]


def _windows(text: str, width: int, *, backwards: bool) -> list[str]:
    """Windows cut along the record, also of a row that was reversed."""
    if not backwards:
        return [text[at : at + width] for at in range(0, len(text), width)]
    return [text[max(0, end - width) : end] for end in range(len(text), 0, -width)]


def test_twenty_thousand_records(tmp_path: Path) -> None:
    number = 20_000
    (tmp_path / "many.fa").write_text("".join(f">s{at}\nACGTACGT\n" for at in range(number)))
    path = bed(tmp_path, "".join(f"s{at}\t1\t5\tn{at}\t0\t-\n" for at in reversed(range(number))))
    for order in (False, True):
        found = read(str(tmp_path / "many.fa"), bed=path, bed_order=order)
        rows = [row["bed_row"] for row in found]
        assert rows == (list(range(number)) if order else list(reversed(range(number))))
        assert {row["input_ids"] for row in found} == {"TACG"}
        assert all(row["name"] == f"n{row['record'][1:]}" for row in found)


# -- pipes ------------------------------------------------------------------------------------------


def test_a_list_may_be_a_pipe(genome: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("chr1\t0\t8\tgeneA\t0\t-\n",))
    writer.start()
    encode(TOKENIZER, genome, f"{tmp_path}/shards/", bed=pipe)
    writer.join()
    data = TokenDataset(tmp_path / "shards")
    row = data.row(0)
    assert isinstance(row, BedRow)
    assert (*row[:3], *row[4:]) == ("chr1", 0, 8, 0, "geneA", "-")
    assert TOKENIZER.decode(row.ids.tolist()) == "GGGGTTTT"
    assert data.manifest is not None
    digest = hashlib.sha256(b"chr1\t0\t8\tgeneA\t0\t-\n").hexdigest()
    assert data.manifest.head.options["bed_sha256"] == [digest]


def test_the_digest_is_that_of_the_list(genome: str, tmp_path: Path) -> None:
    path = bed(tmp_path, "chr1\t0\t8\n")
    folder = f"{tmp_path}/shards/"
    encode(TOKENIZER, genome, folder, bed=path)
    encode(TOKENIZER, genome, folder, bed=path, resume=True)
    with pytest.raises(ArgumentError, match="cannot resume: bed_sha256 was"):
        encode(TOKENIZER, genome, folder, bed=bed(tmp_path, "chr1\t0\t9\n"), resume=True)
    with pytest.raises(ArgumentError, match="cannot resume: bed_order was False and is True"):
        encode(TOKENIZER, genome, folder, bed=bed(tmp_path, "chr1\t0\t8\n"), bed_order=True, resume=True)


# -- faults -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ": there is no region in it"),
        ("# nothing\n", ": there is no region in it"),
        ("chr1\t5\t5\n", ", line 1: the region from 5 to 5 is empty"),
        ("chr1\t0\t1\nchr1\t5\t4\n", ", line 2: the region from 5 to 4 is reversed"),
        ("chr1\t-1\t4\n", ', line 1: found "-1", expected a position'),
        ("chrom\tstart\tend\n", ", line 1: .* a header line starts with #"),
        ("chr1\t0\t4\tn\t0\t*\n", ", line 1: the strand, column 6, is .*, where \\+, - or \\. is expected"),
        ("chr1\t0\t4\rchr1\t1\t4\r", ", line 1: has a CR within"),
        ("chr1\t0\t33\n", ', line 1: record "chr1" has 32 symbols only'),
        (
            "chr1\t0\t1\nchr1\tx\t1\n\nchr1\t9\t1\nchr1\t3\n",
            ", line 2: found .*; line 4: the region from 9 to 1 is reversed; .*; line 5: a name, a start",
        ),
        (
            "chr2\t0\t9\nchrM\t0\t1\nchr1\t0\t1\nchr1\t31\t33\nchrM\t0\t1\n",
            (
                ', line 1: record "chr2" has 8 symbols only; line 2: no record "chrM" in the files, as in 1 '
                'more lines; line 4: record "chr1" has 32 symbols only; they have "chr1", "chr2"$'
            ),
        ),
        ("chr1\t9\t1\n" * 1000, "; line 12: the region from 9 to 1 .* above the start; and 988 more$"),
    ],
)
def test_all_faults_are_told_at_once(genome: str, tmp_path: Path, text: str, says: str) -> None:
    for order in (False, True):
        with pytest.raises(SequenceFileError, match=r"x\.bed") as raised:
            read(genome, bed=bed(tmp_path, text), bed_order=order)
        assert raised.match(says)
        assert "\n" not in str(raised.value)


def test_a_fault_leaves_no_output(genome: str, tmp_path: Path) -> None:
    with pytest.raises(SequenceFileError, match="32 symbols only"):
        encode(TOKENIZER, genome, tmp_path / "o.arrow", bed=bed(tmp_path, "chr2\t0\t1\nchr1\t0\t33\n"))
    assert {path.name for path in tmp_path.iterdir()} == {"g.fa", "x.bed"}


# -- files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["arrow", "arrows", "parquet"])
@pytest.mark.parametrize("blocks", [False, True])
def test_columns_are_written_and_read(genome: str, tmp_path: Path, ending: str, blocks: bool) -> None:
    path = bed(tmp_path, "chr2\t0\t8\tx\t0\t-\t0\t0\t0\t2\t3,1\t0,7\nchr1\t4\t8\ty\t0\t+\t0\t0\t0\t1\t4\t0\n")
    output = tmp_path / f"o.{ending}"
    report = encode(TOKENIZER, genome, output, bed=path, bed_blocks=blocks, bed_order=True)
    assert report["bases"] == (8 if blocks else 12)
    data = TokenDataset(output)
    found = [data.row(number) for number in range(2)]
    assert [(row.record, row.start, row.end, *row[4:]) for row in found] == [
        ("chr2", 0, 8, 0, "x", "-"),
        ("chr1", 4, 8, 1, "y", "+"),
    ]
    assert [TOKENIZER.decode(row.ids.tolist()) for row in found] == ["CAAA" if blocks else "CCCCAAAA", "CCCC"]
    names = [name for batch in data.batches() for name in batch.schema.names]
    assert ("block_sizes" in names) == blocks


def test_shards_are_cut_by_the_symbols_of_blocks(genome: str, tmp_path: Path) -> None:
    path = bed(tmp_path, "chr1\t0\t32\tx\t0\t+\t0\t0\t0\t2\t4,4\t0,28\n" * 4)
    encode(TOKENIZER, genome, f"{tmp_path}/s/", bed=path, bed_blocks=True, shard_size=16)
    manifest = TokenDataset(tmp_path / "s").manifest
    assert manifest is not None
    assert [(shard.rows, shard.bases) for shard in manifest.shards] == [(2, 16), (2, 16)]
    assert list(genotok.dataset.verify_folder(tmp_path / "s")) == []


def test_a_line_is_a_document_of_megatron(genome: str, tmp_path: Path) -> None:
    path = bed(tmp_path, "chr1\t0\t8\nchr1\t10\t14\nchr2\t0\t8\n")
    encode(TOKENIZER, genome, tmp_path / "o.bin", bed=path, window=4)
    pair = MegatronFile(str(tmp_path / "o.bin"), str(tmp_path / "o.idx"))
    assert np.asarray(pair.documents).tolist() == [0, 2, 3, 5]


# -- regions ----------------------------------------------------------------------------------------

NAMES = f"{FASTA}>HLA-A*01:01:01\nACGTACGTAC\n>a:5\nACGTACGTAC\n>a\nCCCCCCCC\n>x:y\nACGTACGT\n"


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("chr1", CHR1),
        ("chr1:", CHR1),
        ("chr1:-5", "AAAAC"),
        ("chr1:5-", CHR1[4:]),
        ("chr1:5", CHR1[4:]),
        ("chr1:5-5", "C"),
        ("chr1:1,0-1,2", "GGG"),
        ("HLA-A*01:01:01", "ACGTACGTAC"),
        ("HLA-A*01:01:01:1-5", "ACGTA"),
        ("HLA-A*01:01:01:-5", "ACGTA"),
        ("HLA-A*01:01:01:5", "ACGTAC"),
        ("{HLA-A*01:01:01}:1-5", "ACGTA"),
        ("{HLA-A*01:01:01}", "ACGTACGTAC"),
        ("{a:5}", "ACGTACGTAC"),
        ("{a:5}:-3", "ACG"),
        ("{a}:5", "CCCC"),
        ("x:y", "ACGTACGT"),
        ("x:y:3", "GTACGT"),
    ],
)
def test_regions_are_read_as_samtools_does(tmp_path: Path, region: str, expected: str) -> None:
    path = tmp_path / "names.fa"
    path.write_text(NAMES)
    assert sequences(str(path), region=region) == [expected]
    if shutil.which("samtools"):
        done = subprocess.run(
            ["samtools", "faidx", path, region], capture_output=True, text=True, check=True, timeout=60
        )
        assert done.stdout.split("\n", 1)[1].replace("\n", "") == expected


@pytest.mark.parametrize(
    ("region", "says"),
    [
        ("chr1:1-1k", '"1k" is no position'),
        ("chr1:1e1-12", '"1e1" is no position'),
        ("chr1:0-5", "positions are counted from 1"),
        ("chr1:0", "positions are counted from 1"),
        ("chr1:5-4", "the end comes before the start"),
        ("chr1:30-40", 'record "chr1" has 32 symbols only'),
        ("chr1:100", 'record "chr1" has 32 symbols only'),
        ("chr1:-", '"" is no position'),
        ("chr1:-5-7", '"5-7" is no position'),
        ("chr1:1-5x", '"1-5x" is no position'),
        ("chr1:x", '"x" is no position'),
        ("a:5", "put braces around the name"),
        ("zzz", "no record of this name in the files"),
        ("{chr1", "`}` is missing"),
    ],
)
def test_regions_that_samtools_makes_something_of_are_refused(tmp_path: Path, region: str, says: str) -> None:
    path = tmp_path / "names.fa"
    path.write_text(NAMES)
    with pytest.raises(ArgumentError, match=r"^region=") as raised:
        read(str(path), region=region)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


# -- the command ------------------------------------------------------------------------------------


def test_the_command_reads_a_process_substitution(
    genome: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    TOKENIZER.save(tmp_path / "tokenizer.json")
    program = subprocess.list2cmdline(PROGRAM)
    listed = "<(printf 'chr1\\t0\\t8\\tgeneA\\t0\\t-\\n')"
    for output in ("o.arrow", "o.parquet", "folder/"):
        command = f"{program} encode {genome} -o {output} -q --bed {listed}"
        subprocess.run(["bash", "-c", command], check=True, env=ENVIRONMENT)
        assert TokenDataset(tmp_path / output).row(0)[4:] == (0, "geneA", "-")
