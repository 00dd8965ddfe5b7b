"""Formats that are not read are named; BGZF without its end marker is refused unless the user accepts it."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

import genotok
from tests.support.readers import READERS, UNIX, encode


def block(text: bytes) -> bytes:
    """A BGZF block."""
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(text) + packer.flush()
    head = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0" + (len(packed) + 25).to_bytes(2, "little")
    return head + packed + zlib.crc32(text).to_bytes(4, "little") + len(text).to_bytes(4, "little")


def test_bgzf_without_its_end_is_refused_unless_the_environment_lets_it_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "unmarked.fa.gz"
    path.write_bytes(block(UNIX[:100]) + block(UNIX[100:]))
    assert gzip.decompress(path.read_bytes()) == UNIX
    name = "GENOTOK_ACCEPT_UNMARKED_BGZF"
    for value in ("", "0"):
        monkeypatch.setenv(name, value)
        for read in READERS.values():
            with pytest.raises(genotok.SequenceFileError, match=f"end marker is missing.*set {name}=1"):
                read(path, tmp_path)
        assert genotok.check_files(path)[0]["counts"] == {"compression": 1}
    monkeypatch.setenv(name, "1")
    for read in READERS.values():
        read(path, tmp_path)
    assert genotok.pack(path, tmp_path / "one.pack")["bases"] == 366
    report = genotok.check_files(path)[0]
    assert (report["errors"], report["counts"]) == (0, {"no-end-marker": 1})
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(genotok.SequenceFileError, match="cut short"):
        encode(path, tmp_path)


def tar(name: str, text: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    return made.getvalue()


def zipped(name: str, text: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(name, text)
    return made.getvalue()


FORMATS: dict[str, tuple[bytes, str]] = {
    "tar": (tar("genome.fa", UNIX), "tar archive; unpack it first"),
    "tar.gz": (gzip.compress(tar("genome.fa", UNIX)), "tar archive; unpack it first"),
    "tar.xz": (lzma.compress(tar(">genome.fa", UNIX)), "not a text file"),
    "bzip2": (bz2.compress(UNIX), "bzip2 -dc"),
    "tar.bz2": (bz2.compress(tar("genome.fa", UNIX)), "bzip2 -dc"),
    "bzip2 in gzip": (gzip.compress(bz2.compress(UNIX)), "bzip2 -dc"),
    "gzip in xz": (lzma.compress(gzip.compress(UNIX)), "compressed twice"),
    "old lzma": (lzma.compress(UNIX, format=lzma.FORMAT_ALONE), "--format=lzma"),
    "lz4": (b"\x04\x22\x4d\x18\x64\x40\xa7" + UNIX, "lz4 -dc"),
    "zlib": (zlib.compress(UNIX), "zlib"),
    "zip": (zipped("genome.fa", UNIX), "zip archive"),
    "2bit": (b"\x43\x27\x41\x1a\0\0\0\0", "twoBitToFa"),
    "BAM": (gzip.compress(b"BAM\x01\0\0\0\0"), "samtools fasta"),
    "CRAM": (b"CRAM\x03\0", "samtools fasta"),
    "SAM": (b"@HD\tVN:1.6\n@SQ\tSN:1\tLN:4\nr\t0\t1\t1\t9\t4M\t*\t0\t0\tACGT\tIIII\n", "SAM"),
    "SRA": (b"NCBI.sra\x05\x03\x19\x88", "fasterq-dump"),
    "FAST5": (b"\x89HDF\r\n\x1a\n", "HDF5"),
    "GFA": (b"H\tVN:Z:1.0\nS\t1\tACGT\n", "GFA"),
    "Word": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Word"),
    "UTF-16": (">a\nACGT\n".encode("utf-16"), "UTF-16"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_no_sequence_file_is_named(name: str, tmp_path: Path) -> None:
    content, says = FORMATS[name]
    path = tmp_path / "other"
    path.write_bytes(content)
    for read in READERS.values():
        with pytest.raises(genotok.SequenceFileError) as caught:
            read(path, tmp_path)
        assert says in str(caught.value), caught.value
    report = genotok.check_files(path)[0]
    assert says in "; ".join(defect["what"] + "; " + defect["fix"] for defect in report["defects"])
    assert report["errors"] > 0
