"""Tokens as BED: a valid track, its strand, and its compressed form with an index."""

from __future__ import annotations

import gzip
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from genotok import Tokenizer
from genotok.dataset.encode import encode
from genotok.dataset.formats import choose
from genotok.errors import ArgumentError
from tests.support.encoded import TOKENIZER

SEQUENCE = "ACGTTGCAACGTAAACCCGATTACAACGTTTGACCA"


@pytest.fixture
def genome(tmp_path: Path) -> str:
    path = tmp_path / "g.fa"
    path.write_text("".join(f">s{number}\n{SEQUENCE * 40}\n" for number in range(3)))
    return str(path)


def lines_of(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.splitlines()]


def test_a_track_is_valid(genome: str, tmp_path: Path) -> None:
    encode(TOKENIZER, genome, tmp_path / "t.bed")
    lines = lines_of((tmp_path / "t.bed").read_text())
    assert {len(line) for line in lines} == {7}
    for record, start, end, token, score, strand, index in lines:
        assert record in {"s0", "s1", "s2"}
        assert (SEQUENCE * 40)[int(start) : int(end)] == token
        assert (score, strand) == ("0", "+")
        assert TOKENIZER.vocab[token] == int(index)
    if shutil.which("bedtools"):
        done = subprocess.run(
            ["bedtools", "getfasta", "-fi", genome, "-bed", tmp_path / "t.bed", "-s", "-tab"],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert [line[1] for line in lines_of(done.stdout)] == [line[3] for line in lines]


def test_each_row_has_its_strand(genome: str, tmp_path: Path) -> None:
    (tmp_path / "x.bed").write_text("s0\t3\t40\ta\t0\t-\ns0\t50\t80\tb\t0\t+\ns1\t7\t19\tc\t0\t-\n")
    encode(TOKENIZER, genome, tmp_path / "t.bed", bed=tmp_path / "x.bed")
    lines = lines_of((tmp_path / "t.bed").read_text())
    places = [(line[0], int(line[1])) for line in lines]
    assert places == sorted(places), "lines rise on both strands"
    pairs = str.maketrans("ACGT", "TGCA")
    for record, start, end, token, _, strand, _ in lines:
        text = (SEQUENCE * 40)[int(start) : int(end)]
        assert token == (text.translate(pairs)[::-1] if strand == "-" else text)
        assert strand == ("+" if record == "s0" and int(start) >= 50 else "-")
    covered = sum(int(end) - int(start) for _, start, end, *_ in lines)
    assert covered == 37 + 30 + 12


def test_tokens_over_joints_have_no_place(genome: str, tmp_path: Path) -> None:
    (tmp_path / "x.bed").write_text("s0\t0\t9\ta\t0\t+\t0\t0\t0\t2\t2,2\t0,7\n")
    with pytest.raises(ArgumentError, match="format=bed: a token over the joint of two blocks"):
        encode(TOKENIZER, genome, tmp_path / "t.bed", bed=tmp_path / "x.bed", bed_blocks=True)
    assert not (tmp_path / "t.bed").exists()


def test_a_compressed_track_has_the_same_lines_and_an_index(genome: str, tmp_path: Path) -> None:
    encode(TOKENIZER, genome, tmp_path / "t.bed", window=100)
    report = encode(TOKENIZER, genome, tmp_path / "t.bed.gz", window=100)
    text = (tmp_path / "t.bed").read_text()
    packed, index = tmp_path / "t.bed.gz", tmp_path / "t.bed.gz.tbi"
    assert gzip.decompress(packed.read_bytes()).decode() == text
    assert packed.read_bytes()[12:16] == b"BC\x02\x00", "BGZF"
    assert report["bytes"] == packed.stat().st_size + index.stat().st_size
    magic, names, kind, *columns = struct.unpack("<4s8i", gzip.decompress(index.read_bytes())[:36])
    assert (magic, names, kind, columns[:3]) == (b"TBI\x01", 3, 0x10000, [1, 2, 3])
    if shutil.which("tabix"):
        for record, start, end in (("s1", 100, 130), ("s2", 1300, 1440), ("s0", 0, 1)):
            done = subprocess.run(
                ["tabix", packed, f"{record}:{start + 1}-{end}"],
                capture_output=True,
                text=True,
                check=True,
                timeout=60,
            )
            expected = [
                line
                for line in lines_of(text)
                if line[0] == record and int(line[1]) < end and int(line[2]) > start
            ]
            assert lines_of(done.stdout) == expected


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"window": 20, "stride": 10}, "tokens sorted by position"),
        ({"bed": b"s0\t9\t20\ns0\t2\t8\n"}, "tokens sorted by position"),
        ({"bed": b"s0\t9\t20\ns1\t2\t8\ns0\t20\t28\n", "bed_order": True}, "together"),
    ],
)
def test_what_cannot_be_indexed_is_refused(
    genome: str, tmp_path: Path, options: dict[str, object], says: str
) -> None:
    if "bed" in options:
        (tmp_path / "x.bed").write_bytes(options["bed"])  # type: ignore[arg-type]
        options = options | {"bed": tmp_path / "x.bed"}
    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(ArgumentError, match=f"^format=bed-gz: a tabix index needs .*{says}.*such as .bed$"):
        encode(TOKENIZER, genome, tmp_path / "t.bed.gz", **options)  # type: ignore[arg-type]
    assert {path.name for path in tmp_path.iterdir()} == before
    encode(TOKENIZER, genome, tmp_path / "t.bed", **options)  # type: ignore[arg-type]


def test_rows_of_one_kmer_have_their_place(tmp_path: Path) -> None:
    (tmp_path / "k.fa").write_text(">a\nACG\n>b\nACGTA\n")
    encode(Tokenizer.kmer(3), tmp_path / "k.fa", tmp_path / "k.bed")
    places = [line[:4] for line in lines_of((tmp_path / "k.bed").read_text())]
    rest = [["b", str(start), str(start + 3), "ACGTA"[start : start + 3]] for start in range(3)]
    assert places == [["a", "0", "3", "ACG"], *rest]


def test_the_pair_is_written_over_with_force_only(genome: str, tmp_path: Path) -> None:
    output = tmp_path / "t.bed.gz"
    encode(TOKENIZER, genome, output)
    with pytest.raises(ArgumentError, match="is there already"):
        encode(TOKENIZER, genome, output)
    encode(TOKENIZER, genome, output, force=True)
    (tmp_path / "t.bed.gz").unlink()
    with pytest.raises(ArgumentError, match=r"t\.bed\.gz\.tbi: is there already"):
        encode(TOKENIZER, genome, output)


def test_the_ending_and_the_name_say_the_same() -> None:
    assert choose(None, "a.bed.gz").name == choose("bed", "a.BED.GZ").name == "bed-gz"
    assert choose("bed", "a.bed").name == choose("bed", "-").name == "bed"
    assert choose("bed-gz", "tokens").paths("tokens") == ["tokens.bed.gz", "tokens.bed.gz.tbi"]
    with pytest.raises(ArgumentError, match="names no format"):
        choose(None, "a.fa.gz")
