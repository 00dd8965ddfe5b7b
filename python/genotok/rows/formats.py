"""The format of an input, from its name and its first bytes, which have to agree.

Compression is recognised by content alone, as for sequence files. Where name and content contradict each
other an error reports both, and `input_format` (`--input-format`) decides.
"""

from __future__ import annotations

import bz2
import lzma
import os
import zlib
from typing import TYPE_CHECKING, get_args

import pyarrow as pa

from genotok.errors import ArgumentError, SequenceFileError
from genotok.options import InputFormat

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["COMPRESSED", "HEAD_BYTES", "SEQUENCES", "InputFormat", "compression_of", "format_of", "unpacked"]

HEAD_BYTES = 1 << 18
"""Bytes that decide the format: more than one block of zstd."""

COMPRESSED = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"(\xb5/\xfd": "zstd"}
"""The first bytes of compressed files."""

COMPRESSED_ENDINGS = (".gz", ".bgz", ".bz2", ".xz", ".zst")
ENDINGS: dict[str, InputFormat] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    **dict.fromkeys((".fa", ".fasta", ".fna", ".ffn", ".frn", ".fas"), "fasta"),
    **dict.fromkeys((".fq", ".fastq"), "fastq"),
}
SEQUENCES = ("fasta", "fastq")
MAGIC: dict[bytes, str] = {b"PAR1": "parquet", b"ARROW1": "arrow"}
STARTS: dict[str, InputFormat] = {">": "fasta", "@": "fastq", "{": "jsonl"}
DELIMITERS: dict[str, InputFormat] = {"\t": "tsv", ",": "csv"}
SHOWN = {
    "fasta": "FASTA",
    "fastq": "FASTQ",
    "csv": "fields separated by commas",
    "tsv": "fields separated by tabs",
    "parquet": "Parquet",
    "jsonl": "JSON lines",
    "arrow": "an Arrow file",
}
"""The formats as messages name them."""

NAMED = {"csv": "CSV", "tsv": "TSV"}


def compression_of(head: bytes) -> str:
    """The compression of a file with these first bytes; "" for none."""
    return next((name for start, name in COMPRESSED.items() if head.startswith(start)), "")


def unpacked(head: bytes) -> bytes:
    """The first bytes of a file, decompressed; empty if they are damaged."""
    packing = compression_of(head)
    try:
        if packing == "gzip":
            return zlib.decompressobj(31).decompress(head, HEAD_BYTES)
        if packing == "bz2":
            return bz2.BZ2Decompressor().decompress(head, HEAD_BYTES)
        if packing == "xz":
            return lzma.LZMADecompressor().decompress(head, HEAD_BYTES)
        if packing == "zstd":
            return bytes(pa.input_stream(pa.py_buffer(head), compression="zstd").read(1 << 12))
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return b""
    return head


def format_of(
    path: str, head: bytes, *, columns: Iterable[str] = (), given: InputFormat | str | None = None
) -> InputFormat:
    """The format of a file with the first bytes `head`.

    Args:
        path: Its name, `-` for standard input.
        head: Its first bytes, at most `HEAD_BYTES`, not decompressed.
        columns: A file of unknown ending is a table if one of these columns is in its first line.
        given: The format that the user gave.

    Raises:
        ArgumentError: `given` is not a format, or name and content contradict each other.
        SequenceFileError: It is an Arrow file.
    """
    found = _by_content(unpacked(head))
    if found == "arrow":
        raise SequenceFileError(f"{path}: is an Arrow file; write it as Parquet, or as CSV")
    if given is not None and given not in get_args(InputFormat):
        raise ArgumentError(f"input_format={given}: one of {', '.join(get_args(InputFormat))} is expected")
    named = given or ENDINGS.get(_ending(path))
    if named is None:
        if _names_a_column(unpacked(head), columns):
            return _as_format(found or "csv")  # of one column, maybe
        return _as_format(found) if found in {"parquet", "jsonl"} else "fasta"
    if found is None or found == named or (found in SEQUENCES and named in SEQUENCES):
        return _as_format(named)
    if found in DELIMITERS.values() and (given or not _names_a_column(unpacked(head), columns)):
        return _as_format(named)  # one column, or text that the reader of the format checks
    says = "input_format" if given else "its name"
    raise ArgumentError(
        f"{path}: holds {SHOWN[found]}, and {says} says {NAMED.get(named, SHOWN[named])}; "
        f"rename it, or say --input-format {found} (input_format={found!r})"
    )


def _as_format(name: str) -> InputFormat:
    return next(one for one in get_args(InputFormat) if one == name)


def _ending(path: str) -> str:
    """The ending of a name, without that of compression."""
    stem, ending = os.path.splitext(path.lower())
    return os.path.splitext(stem)[1] if ending in COMPRESSED_ENDINGS else ending


def _by_content(head: bytes) -> str | None:
    """The format that the first bytes suggest; None if they suggest none."""
    for start, name in MAGIC.items():
        if head.startswith(start):
            return name
    text = _text(head)
    if text[:1] in STARTS:
        return STARTS[text[0]]
    line = _first_line(text)
    return next((name for delimiter, name in DELIMITERS.items() if delimiter in line), None)


def _names_a_column(head: bytes, columns: Iterable[str]) -> bool:
    """Whether the first line names one of these columns."""
    line = _first_line(_text(head))
    delimiter = next((one for one in DELIMITERS if one in line), ",")
    names = {field.strip().strip('"').strip().lower() for field in line.split(delimiter)}
    return any(column.lower() in names for column in columns)


def _text(head: bytes) -> str:
    return head.decode("utf-8", "replace").removeprefix("\ufeff").lstrip()


def _first_line(text: str) -> str:
    return text.replace("\r", "\n").partition("\n")[0]
