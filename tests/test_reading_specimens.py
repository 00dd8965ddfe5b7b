"""Single specimens of what people bring: mixed line ends, and names that are not UTF-8.

Each is read rightly or an error with its place, by every reader; `test_reading` has the many mutated ones.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import genotok
from genotok.cli.commands.show import _sequence
from genotok.corpus.packed import words_of
from tests.support.program import fails, run
from tests.support.readers import LINE, READERS, UNIX, encode
from tests.support.reading import parse

MAC = b">a\r" + (LINE + b"\r") * 2
MIXED = {
    "CR joined to LF": (MAC + UNIX, "line 4", "byte 0x0a", "column 3"),
    "LF joined to CR": (UNIX + MAC, "line 10", "byte 0x0d", "column 3"),
    "CR in a later title": (UNIX + b">e note\rmore\n" + LINE + b"\n", "line 10", "byte 0x0d", "column 8"),
    "CR in front": (b"\r" + UNIX, "line 2", "byte 0x0a", "column 3"),
    "CR in a sequence": (UNIX + b">e\nAC\rGT\n", "line 11", "byte 0x0d", "column 3"),
    "CR before a title": (UNIX + b"\r>e\nACGT\n", "line 10", "byte 0x0d", "column 1"),
    "LF CR": (b">a\n\rACGT\n\r>b\n\rACGT\n\r", "line 2", "byte 0x0d", "column 1"),
    "CR LF after CR": (MAC + b">b\r\nACGT\r\n", "line 5", "byte 0x0a", "column 1"),
    "nine CR": (b">a" + b"\r" * 9 + b"\nACGT\n", "line 1", "byte 0x0d", "column 3"),
    "CR in a FASTQ title": (b"@a\nAC\n+\nII\n@b\rAC\n+\nII\n", "line 5", "byte 0x0d", "column 3"),
    "CR in a plus line": (b"@a\nAC\n+\rII\n@b\nAC\n+\nII\n", "line 3", "byte 0x0d", "column 2"),
    "CR in a quality": (b"@a\nACAC\n+\nI\rII\n", "line 4", "byte 0x0d", "column 2"),
    "LF in a CR quality": (b"@a\rACAC\r+\rI\nII\r", "line 4", "byte 0x0a", "column 2"),
    "CR joined to LF in FASTQ": (b"@a\rAC\r+\rII\r@b\nAC\n+\nII\n", "line 5", "byte 0x0a", "column 3"),
    "Ctrl-Z": (b">a\nACGT\n\x1a", "line 3", "byte 0x1a", "column 1"),
    "Ctrl-Z after FASTQ": (b"@a\nAC\n+\nII\n\x1a", "line 5", "byte 0x1a", "column 1"),
    "a form feed": (b">a\nACGT\n\x0c>b\nACGT\n", "line 3", "byte 0x0c", "column 1"),
    "a line separator of Unicode": (b">a\nACGT\xe2\x80\xa8ACGT\n", "line 2", "byte 0xe2", "column 5"),
    "a byte-order mark inside": (b">a\nACGT\n\xef\xbb\xbf>b\nACGT\n", "line 3", "byte 0xef", "column 1"),
    "NUL in a title": (b">a\nACGT\n>b\0c\nACGT\n", "line 3", "byte 0x00", "column 3"),
}
READ = {
    "LF": UNIX,
    "CR": MAC,
    "CR LF": UNIX.replace(b"\n", b"\r\n"),
    "CR CR LF": UNIX.replace(b"\n", b"\r\r\n"),
    "LF joined to CR LF": UNIX + MAC.replace(b"\r", b"\r\n"),
    "a last CR": UNIX + b"\r",
    "no last line end": UNIX[:-1],
    "a byte-order mark": b"\xef\xbb\xbf" + UNIX,
    "empty lines": b"\n \t\r\n" + UNIX.replace(b"\n", b"\n\n"),
    "CR FASTQ": b"@a\rACGT\r+\rI>@+\r@b\rAC\r+b\rII\r",
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", MIXED)
def test_line_ends_that_do_not_belong_are_refused_with_their_place(
    name: str, reader: str, tmp_path: Path
) -> None:
    text, *places = MIXED[name]
    path = tmp_path / "mixed.fa"
    path.write_bytes(text)
    with pytest.raises(genotok.SequenceFileError) as caught:
        READERS[reader](path, tmp_path)
    assert all(place in str(caught.value) for place in (str(path), *places)), caught.value
    report = genotok.check_files(path)[0]
    line = int(places[0].removeprefix("line "))
    errors = [defect for defect in report["defects"] if defect["severity"] == "error"]
    assert errors[0]["line"] == line
    assert errors[0]["column"] in {None, int(places[-1].removeprefix("column "))}


@pytest.mark.parametrize("name", READ)
def test_line_ends_of_any_system_are_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / "read.fa"
    path.write_bytes(READ[name])
    records = parse(READ[name])
    assert encode(path, tmp_path) == [record.name for record in records]
    bases = sum(len(record.symbols) for record in records)
    assert genotok.pack(path, tmp_path / "one.pack")["bases"] == bases
    assert genotok.check_files(path)[0]["errors"] == 0


def test_a_symbol_of_no_nucleotide_has_its_line(tmp_path: Path) -> None:
    """In lines of one width and of others, after blanks, and in FASTQ."""
    for text, line in [
        (b"@a\nACGT\n+\nIIII\n@b\nACGE\n+\nIIII\n", 6),
        (b">a\n" + b"ACGT\n" * 9000 + b"AC\n\nACG\nA E\n", 9005),
        (b">a\nACGT\nACGT\nACGTAC\nACGTAC\n ACGTAC\nACGLAC\n", 7),
        (b">a\r\nACGT\r\nACGT\r\nACGL\r\n", 4),
        (b">a\n" + b"ACGT" * 200_000 + b"\nACGL\n", 3),
    ]:
        path = tmp_path / "symbols.fa"
        path.write_bytes(text)
        for reader in ("train", "pack", "pack_shards"):
            with pytest.raises(genotok.SymbolError, match=rf"symbols.fa, line {line}: record "):
                READERS[reader](path, tmp_path)


# -- names ------------------------------------------------------------------------------------------

NAMES = {
    b"caf\xe9": r"caf\xe9",
    b"caf\xe8": r"caf\xe8",
    "café".encode(): "café",
    rb"caf\xe9": r"caf\x5cxe9",
    rb"a\b": r"a\b",
    b"\xff\xfe": r"\xff\xfe",
}


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """Records whose names are in several encodings, each of another length."""
    path = tmp_path / "named.fa"
    path.write_bytes(
        b"".join(b">" + name + b" d\xe9\n" + b"A" * number + b"\n" for number, name in enumerate(NAMES, 1))
    )
    return path


def test_different_names_stay_different_everywhere(named: Path, tmp_path: Path) -> None:
    shown = list(NAMES.values())
    tokenizer = genotok.Tokenizer.kmer(1)
    reader = tokenizer.encode_files(named, digests=True)
    rows = [(name, int(end)) for batch in reader for name, end in zip(batch.records, batch.ends, strict=True)]
    assert rows == [(name, number) for number, name in enumerate(shown, 1)]
    report = reader.report()
    assert [digest["record"] for digest in report["digests"]] == shown
    assert report["duplicate_names"] == 0
    assert genotok.check_files(named)[0]["counts"] == {}
    genotok.pack_shards(named, tmp_path / "shards")
    (shard,) = (tmp_path / "shards").glob("*.pack")
    assert [(word.record, word.end) for word in words_of(shard)] == rows


def test_regions_find_the_record_that_is_meant(named: Path, tmp_path: Path) -> None:
    """By the name that is shown, and by the bytes in a BED file."""
    tokenizer = genotok.Tokenizer.kmer(1)
    for number, (raw, shown) in enumerate(NAMES.items(), 1):
        (batch,) = tokenizer.encode_files(named, region="{" + shown + "}")
        assert (batch.records, list(batch.ends)) == ([shown], [number])
        bed = tmp_path / "one.bed"
        for name in {shown.encode(), raw} - {rb"caf\xe9"}:
            bed.write_bytes(name + b"\t0\t%d\n" % number)
            (batch,) = tokenizer.encode_files(named, bed=bed)
            assert (batch.records, list(batch.ends)) == ([shown], [number])
    with pytest.raises(genotok.ArgumentError, match=r'they have "caf\\xe9", "caf\\xe8"'):
        list(tokenizer.encode_files(named, region="cafe"))


def test_a_bed_track_of_any_names_is_read_back(named: Path, tmp_path: Path) -> None:
    genotok.Tokenizer.kmer(1).save(tmp_path / "one.json")
    done = run("encode", "-t", "one.json", named.name, "-o", "track.bed", folder=tmp_path)
    assert done.returncode == 0, done
    done = run(
        "encode", "-t", "one.json", named.name, "--bed", "track.bed", "-o", "back.bed", folder=tmp_path
    )
    assert done.returncode == 0, done
    assert (tmp_path / "back.bed").read_bytes() == (tmp_path / "track.bed").read_bytes()


def test_commands_refuse_joined_files_of_two_systems(tmp_path: Path) -> None:
    (tmp_path / "joined.fa").write_bytes(MAC + UNIX)
    genotok.Tokenizer.kmer(1).save(tmp_path / "one.json")
    for arguments in [
        ("train-bpe", "joined.fa", "-o", "new.json"),
        ("pack", "joined.fa", "-o", "new.pack"),
        ("encode", "-t", "one.json", "joined.fa", "-o", "new.arrow"),
    ]:
        done = run(*arguments, "-q", folder=tmp_path)
        fails(done, "joined.fa, line 4: found byte 0x0a inside a title, column 3", "mac2unix")
    assert run("check", "joined.fa", folder=tmp_path).returncode == 1
    assert not list(tmp_path.glob("new*"))


def test_a_title_on_standard_input_ends_with_its_line_only() -> None:
    """Not at a form feed or a separator of Unicode, behind which it would become sequence."""
    assert _sequence(">a\x0cGGGG\u2028GGGG\nAC GT\n\nAC\n") == "ACGTAC"
