"""What kinds of files genotok writes, and how it knows its own before it replaces one.

It guards against `-o genomes/*.fa`, where the shell makes a genome the output, and against slips of the hand.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ARROW",
    "ARROW_STREAM",
    "BED",
    "BEDGRAPH",
    "CHECKPOINT",
    "MEGATRON",
    "MEGATRON_INDEX",
    "PACKED",
    "PAGE",
    "PARQUET",
    "RECORD",
    "RESULT_LINES",
    "RESULT_TABLE",
    "TABIX_INDEX",
    "TOKENIZER",
    "Kind",
]

HEAD = 1 << 16
"""Bytes that are looked at."""

HUGGING_FACE = re.compile(rb'\s*\{\s*"version"\s*:.*"added_tokens"\s*:', re.DOTALL)
K_MERS = re.compile(rb'\s*\{.*"format"\s*:\s*"genotok k-mers"', re.DOTALL)
STUDY = re.compile(rb'\s*\{\s*"kind"\s*:\s*"study"')
OUR_CHECKPOINT = re.compile(rb'\s*\{\s*"format"\s*:\s*"genotok checkpoint"')
OUR_PAGE = re.compile(rb'\s*<!doctype html>.*<meta name="generator" content="genotok', re.DOTALL)
RESULT_HEADER = re.compile(rb"[^\r\n]*(?<![^,\t\r\n])(predicted|v0)[,\t\r\n]")
RESULT_LINE = re.compile(rb'\{[^\r\n]*"(predicted|embedding)": ')
BEDGRAPH_LINE = re.compile(rb"[^\t\n]+\t\d+\t\d+\t-?\d[^\t\n]*\n")
BED_LINE = re.compile(rb"(#|track|browser)|[^\t\n]+\t\d+\t\d+[\t\n\r]")
GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of output file.

    Attributes:
        name: What messages call it, with its article.
        is_ours: Whether the file at a path is of this kind, to judge by how it begins.
        is_text: It may be shown on a terminal.
    """

    name: str
    is_ours: Callable[[str], bool]
    is_text: bool = False


def _head(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(HEAD)


def _starting(magic: bytes) -> Callable[[str], bool]:
    """Whether a file starts with these bytes."""
    return lambda path: _head(path).startswith(magic)


def _matching(*patterns: re.Pattern[bytes]) -> Callable[[str], bool]:
    """Whether the start of a file matches one of these patterns."""
    return lambda path: any(pattern.match(_head(path)) for pattern in patterns)


def _unpacked(*patterns: re.Pattern[bytes]) -> Callable[[str], bool]:
    """Whether the start of a file, unpacked where it is gzip, matches one of these patterns."""

    def matches(path: str) -> bool:
        head = _head(path)
        if head.startswith(GZIP):
            try:
                head = zlib.decompressobj(31).decompress(head, HEAD)
            except zlib.error:
                return False
        return any(pattern.match(head) for pattern in patterns)

    return matches


def _is_bed(path: str) -> bool:
    head = _head(path)
    return head.startswith(GZIP) or BED_LINE.match(head) is not None


def _has_index(path: str) -> bool:
    """Whether Megatron's index stands beside a file of bare numbers, which has no start of its own."""
    try:
        return MEGATRON_INDEX.is_ours(path.removesuffix(".bin") + ".idx")
    except OSError:
        return False


TOKENIZER = Kind("a tokenizer", _matching(HUGGING_FACE, K_MERS), is_text=True)
CHECKPOINT = Kind("a checkpoint of genotok train-bpe", _matching(OUR_CHECKPOINT))
PACKED = Kind("a packed file", _starting(b"GENOTOK\x1a"))
RECORD = Kind("a record of genotok study", _matching(STUDY), is_text=True)
PAGE = Kind("a report", _matching(OUR_PAGE), is_text=True)
ARROW = Kind("an Arrow file", _starting(b"ARROW1"))
ARROW_STREAM = Kind("a stream of Arrow", _starting(b"\xff\xff\xff\xff"))
PARQUET = Kind("a Parquet file", _starting(b"PAR1"))
MEGATRON_INDEX = Kind("a Megatron index", _starting(b"MMIDIDX"))
MEGATRON = Kind("a file of token ids", _has_index)
BED = Kind("a BED file", _is_bed, is_text=True)
BEDGRAPH = Kind("a bedGraph file", _unpacked(BEDGRAPH_LINE), is_text=True)
RESULT_TABLE = Kind("a table of predictions or vectors", _unpacked(RESULT_HEADER), is_text=True)
RESULT_LINES = Kind("predictions or vectors as JSON lines", _unpacked(RESULT_LINE), is_text=True)
TABIX_INDEX = Kind("a tabix index", _starting(GZIP))
