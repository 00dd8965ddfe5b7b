"""The kinds of files that genotok writes, and how it recognises them before it replaces one.

This protects a user's files from `-o genomes/*.fa`, where the shell makes a genome the output, and from
typing errors.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genotok.files.reading import open_reading

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ARROW",
    "ARROW_STREAM",
    "AUDIT",
    "BED",
    "BEDGRAPH",
    "BIGWIG",
    "CHECKPOINT",
    "MEGATRON",
    "MEGATRON_INDEX",
    "MULTIQC",
    "PACKED",
    "PARQUET",
    "PLOT",
    "RECORD",
    "REPORT_PAGE",
    "RESULT_LINES",
    "RESULT_TABLE",
    "SCORED_VCF",
    "TABIX_INDEX",
    "TOKENIZER",
    "TOKEN_PAGE",
    "OutputKind",
]

HEAD = 1 << 16
"""Bytes of a file that decide its kind."""

HUGGING_FACE = re.compile(rb'\s*\{\s*"version"\s*:.*"added_tokens"\s*:', re.DOTALL)
K_MERS = re.compile(rb'\s*\{.*"format"\s*:\s*"genotok k-mers"', re.DOTALL)
OUR_AUDIT = re.compile(rb'\s*\{\s*"kind"\s*:\s*"audit"')
STUDY = re.compile(rb'\s*\{\s*"kind"\s*:\s*"study"')
OUR_CHECKPOINT = re.compile(rb'\s*\{\s*"format"\s*:\s*"genotok checkpoint"')
OUR_SECTION = re.compile(rb'\s*\{\s*"id"\s*:\s*"genotok_|genotok: "')
OUR_REPORT = re.compile(
    rb'\s*<!doctype html>(?!.*"genotok browse">).*<meta name="generator" content="genotok', re.DOTALL
)
OUR_TOKEN_PAGE = re.compile(
    rb'\s*<!doctype html>.*<meta name="application-name" content="genotok browse">', re.DOTALL
)
RESULT_HEADER = re.compile(
    rb"[^\r\n]*(?<![^,\t\r\n])(predicted|v0)[,\t\r\n]|contig[,\t]position[,\t](id|base)[,\t]"
)
RESULT_LINE = re.compile(
    rb'\{[^\r\n]*"(predicted|embedding)": |\{"contig": "[^"\r\n]*", "position": \d+, "(id|base)": '
)
OUR_PLOT = re.compile(rb"<svg [^>]*>\s*<title>genotok mutagenesis")
SCORED = re.compile(rb"##fileformat=VCF[^\n]*\n##genotok_score=")
BEDGRAPH_LINE = re.compile(rb"[^\t\n]+\t\d+\t\d+\t-?\d[^\t\n]*\n")
BED_LINE = re.compile(rb"(#|track|browser)|[^\t\n]+\t\d+\t\d+[\t\n\r]")
GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class OutputKind:
    """A kind of output file.

    Attributes:
        name: Its name in messages, with its article.
        is_ours: Whether the file at a path is of this kind, judged by its first bytes.
        is_text: Whether it may be written to a terminal.
    """

    name: str
    is_ours: Callable[[str], bool]
    is_text: bool = False


def _head(path: str) -> bytes:
    with open_reading(path) as file:
        return file.read(HEAD)


def _starting(magic: bytes) -> Callable[[str], bool]:
    """Whether a file starts with these bytes."""
    return lambda path: _head(path).startswith(magic)


def _matching(*patterns: re.Pattern[bytes]) -> Callable[[str], bool]:
    """Whether the start of a file matches one of these patterns."""
    return lambda path: any(pattern.match(_head(path)) for pattern in patterns)


def _unpacked(*patterns: re.Pattern[bytes]) -> Callable[[str], bool]:
    """Whether the start of a file, decompressed if it is gzip, matches one of these patterns."""

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
    """Whether a Megatron index is beside a file of token ids, which has no magic bytes of its own."""
    try:
        return MEGATRON_INDEX.is_ours(path.removesuffix(".bin") + ".idx")
    except OSError:
        return False


TOKENIZER = OutputKind("a tokenizer", _matching(HUGGING_FACE, K_MERS), is_text=True)
CHECKPOINT = OutputKind("a checkpoint of genotok train-bpe", _matching(OUR_CHECKPOINT))
PACKED = OutputKind("a packed file", _starting(b"GENOTOK\x1a"))
RECORD = OutputKind("a record of genotok study", _matching(STUDY), is_text=True)
AUDIT = OutputKind("a record of genotok gue audit", _matching(OUR_AUDIT), is_text=True)
MULTIQC = OutputKind("a section of genotok for MultiQC", _matching(OUR_SECTION), is_text=True)
REPORT_PAGE = OutputKind("a report", _matching(OUR_REPORT), is_text=True)
TOKEN_PAGE = OutputKind("a page of genotok browse", _matching(OUR_TOKEN_PAGE), is_text=True)
ARROW = OutputKind("an Arrow file", _starting(b"ARROW1"))
ARROW_STREAM = OutputKind("a stream of Arrow", _starting(b"\xff\xff\xff\xff"))
PARQUET = OutputKind("a Parquet file", _starting(b"PAR1"))
MEGATRON_INDEX = OutputKind("a Megatron index", _starting(b"MMIDIDX"))
MEGATRON = OutputKind("a file of token ids", _has_index)
BED = OutputKind("a BED file", _is_bed, is_text=True)
BEDGRAPH = OutputKind("a bedGraph file", _unpacked(BEDGRAPH_LINE), is_text=True)
RESULT_TABLE = OutputKind("a table of predictions, scores or vectors", _unpacked(RESULT_HEADER), is_text=True)
RESULT_LINES = OutputKind(
    "predictions, scores or vectors as JSON lines", _unpacked(RESULT_LINE), is_text=True
)
PLOT = OutputKind("a plot of genotok", _matching(OUR_PLOT), is_text=True)
BIGWIG = OutputKind("a bigWig file", _starting(b"\x26\xfc\x8f\x88"))
SCORED_VCF = OutputKind("a VCF with scores of genotok", _unpacked(SCORED), is_text=True)
TABIX_INDEX = OutputKind("a tabix index", _starting(GZIP))
