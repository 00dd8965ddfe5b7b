"""Packed corpora: sequences at two bits a base in one file, ready to be mapped into memory."""

import os
from typing import TypedDict, cast

from genotok import _native
from genotok.inputs import Files, expand
from genotok.tokens import Progress

__all__ = ["PackReport", "pack"]


class PackReport(TypedDict):
    """What was packed; `skipped` counts the letters outside A, C, G and T by kind."""

    output: str
    bytes: int
    files: int
    records: int
    words: int
    bases: int
    skipped: dict[str, int]
    fingerprint: str


def pack(
    files: Files,
    output: str | os.PathLike[str],
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> PackReport:
    """Write the words of `files` to the packed file `output`, whole or not at all.

    A packed file takes a quarter of a byte per base and is read by `Tokenizer.train` in place of the sequence
    files it was made of, without parsing, with the same result.

    Args:
        files: FASTA or FASTQ (plain, gzip, bgzf, xz, zstd) or `-`: a path, a pattern, or an iterable of them.
        output: The file to write; one that is there is replaced.
        threads: Threads to use; None for all cores.
        progress: Called about ten times a second at most, with a dictionary; an exception stops the work.

    Raises:
        SequenceFileError: A file is empty, cut short, damaged or malformed.
        SymbolError: A sequence holds letters of no nucleotide code: it looks like protein.
        OSError: A file cannot be read or written.
    """
    report = _native.pack(expand(files), os.fspath(output), threads=threads, progress=progress)
    return cast("PackReport", report)
