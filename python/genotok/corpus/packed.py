"""Packed corpora: sequences at 2 bits per base in one file or in shards, ready to be mapped into memory."""

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple, NotRequired, TypedDict, Unpack, cast

from genotok import _native
from genotok.errors import SequenceFileError
from genotok.files.paths import MANIFEST, Files, expand
from genotok.files.reading import open_reading
from genotok.options import PackKeywords, PackOptions, Progress, RunKeywords, RunOptions, grouped
from genotok.options.packing import DEFAULT_SHARD_SIZE

__all__ = [
    "DEFAULT_SHARD_SIZE",
    "PackReport",
    "Word",
    "is_packed_file",
    "is_packed_folder",
    "pack",
    "pack_shards",
    "verify_packed",
    "verify_shards",
    "words_of",
    "write_shards",
]

MAGIC = b"GENOTOK\x1a"


class PackingKeywords(PackKeywords, RunKeywords, total=False):
    """The keywords of `pack_shards`."""


class PackReport(TypedDict):
    """What was packed; `skipped` counts the symbols outside A, C, G and T by kind.

    Of a folder, `shards` and `bytes` are those of all that is in it now, the rest is what was added.
    """

    output: str
    bytes: int
    files: int
    records: int
    words: int
    bases: int
    skipped: dict[str, int]
    fingerprint: str
    shards: NotRequired[int]


def pack(
    files: Files,
    output: str | os.PathLike[str],
    *,
    allow_unknown: float = _native.MAX_UNKNOWN,
    threads: int | None = None,
    memory: int | None = None,
    progress: Progress | None = None,
) -> PackReport:
    """Write the words of `files` to the packed file `output`, atomically.

    A packed file takes a quarter of a byte per base and is read by `Tokenizer.train` in place of the sequence
    files it was made of, without parsing, with the same result.

    Args:
        files: FASTA or FASTQ (plain, gzip, bgzf, xz, zstd) or `-`: a path, a pattern, or an iterable of them.
        output: The file to write; one that is there is replaced.
        allow_unknown: The share of a file's symbols other than N that may be unknown (`corpus.verdict`).
        threads: Threads to use; None for all cores.
        memory: Bytes that the process may hold; None for what it takes.
        progress: Called about ten times a second at most, with a dictionary; an exception stops the work.

    Raises:
        SequenceFileError: A file is empty, cut short, damaged or malformed.
        SymbolError: A sequence holds symbols of no nucleotide code: it looks like protein.
        ResourceError: It would take more than `memory`.
        OSError: A file cannot be read or written.
    """
    run = RunOptions(threads=threads, memory=memory, progress=progress)
    report = _native.pack(expand(files), os.fspath(output), allow_unknown, run)
    return cast("PackReport", report)


def pack_shards(
    files: Files,
    folder: str | os.PathLike[str],
    **options: Unpack[PackingKeywords],
) -> PackReport:
    """Write the words of `files` to a folder of packed files, for corpora that are larger than memory.

    A shard holds words of one input, and is cut where a word ends. `manifest.json`, written last, has the
    checksums of inputs and shards; beside each shard stands where its words came from. `Tokenizer.train`
    takes the folder in place of the files, with the same result. Memory: for each thread a shard's, and
    that of the longest word.

    Args:
        files: FASTA or FASTQ (plain, gzip, bgzf, xz, zstd): a path, a pattern, or an iterable of them.
        folder: A new folder, or one to add to.
        shard_size: Bases after which a new shard is started.
        append: Add to the shards that are there.
        allow_unknown: As for `pack`.
        threads: Files to read at a time; None for all cores.
        progress: Called about ten times a second at most, with a dictionary; an exception stops the work.

    Raises:
        SequenceFileError: A file is not what it should be, or in the folder already; the folder is in use.
        SymbolError: A sequence holds symbols of no nucleotide code.
        OSError: A file cannot be read or written; nothing that is half-written stays in the corpus.
    """
    return write_shards(files, folder, *grouped("pack_shards", options, PackOptions, RunOptions))


def write_shards(
    files: Files, folder: str | os.PathLike[str], packing: PackOptions, run: RunOptions
) -> PackReport:
    """`pack_shards`, with its options as groups."""
    if packing.shard_size is None:
        packing = replace(packing, shard_size=DEFAULT_SHARD_SIZE)
    return cast("PackReport", _native.pack_shards(expand(files), os.fspath(folder), packing, run))


def verify_shards(folder: str | os.PathLike[str]) -> list[str]:
    """Every defect of a folder of packed shards, a line each: `file: what is wrong`. Reads all of it.

    Raises:
        SequenceFileError: Its manifest is damaged.
        OSError: There is none.
    """
    return [f"{path}: {reason}" for path, reason in _native.verify_shards(os.fspath(folder))]


def verify_packed(path: str | os.PathLike[str]) -> list[str]:
    """The defect of one packed file, a line; none if both of its checksums hold. Reads all of it.

    Raises:
        OSError: It cannot be read.
    """
    try:
        _native.packed_contents(os.fspath(path))
    except SequenceFileError as error:
        return [str(error)]
    return []


def is_packed_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as packed files do."""
    try:
        with open_reading(path) as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def is_packed_folder(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder has a manifest of packed shards, to judge by how it starts."""
    try:
        with open_reading(os.path.join(folder, MANIFEST)) as file:
            return b'"genotok packed corpus"' in file.read(200)
    except OSError:
        return False


class Word(NamedTuple):
    """Where a word came from: a record of the input, and a half-open range of its symbols, counted from 0."""

    record: str
    start: int
    end: int


def words_of(shard: str | os.PathLike[str]) -> Iterator[Word]:
    """Where the words of a packed shard came from, in their order.

    Raises:
        SequenceFileError: The file beside the shard is damaged.
        OSError: It cannot be read.
    """
    path = f"{os.fspath(shard).removesuffix('.pack')}.words.tsv.zst"
    for line in _native.read_places(path).splitlines():
        record, start, end = line.rsplit("\t", 2)
        yield Word(record, int(start), int(end))
