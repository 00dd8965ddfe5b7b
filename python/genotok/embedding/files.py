"""From sequence files or tables to a file with one vector per row, in one call.

The rows are read twice. The first pass only tokenizes, which is much faster than embedding: it finds faults
anywhere in the files and rows that are too long, and counts the tokens for the progress report. Standard
input is read once.

Rows come in pieces (see `genotok.rows`); at most `MAX_ROWS` rows are held with their vectors. A piece is
embedded longest row first and written in row order. Memory does not depend on the files.
"""

from __future__ import annotations

import json
import os
import time
import warnings
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict, get_args

import numpy as np
import pyarrow as pa

from genotok import _native
from genotok.dataset.metadata import describe
from genotok.dataset.slowness import warn_if_slow
from genotok.dataset.vocabulary import Vocabulary
from genotok.errors import ArgumentError, GenotokWarning
from genotok.files.outputs import output_file
from genotok.files.paths import Files, expand
from genotok.options import RunKeywords, RunOptions, TableFormat, grouped
from genotok.options.inference import (
    EmbeddingKeywords,
    EmbeddingOptions,
    TableOutputKeywords,
    TableOutputOptions,
)
from genotok.rows import ColumnRequest, RowSource, RowTokenization, SourceRows, non_empty, open_rows
from genotok.rows.chunks import MAX_ROWS
from genotok.rows.targets import RowTarget
from genotok.rows.writers import row_writer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Unpack

    from numpy.typing import NDArray

    from genotok.embedding.embedder import Embedder
    from genotok.options import Progress

__all__ = ["EmbedKeywords", "EmbeddingReport", "embed", "embed_files"]

EMBEDDING = "embedding"
"""The column of vectors; no other column may have this name."""


class EmbedKeywords(EmbeddingKeywords, TableOutputKeywords, RunKeywords, total=False):
    """The keywords of `embed`."""


class EmbeddingReport(TypedDict):
    """What was read and written.

    Of all `symbols` of the rows, `unknown` counts those outside the vocabulary (by symbol in
    `unknown_by_kind`), and `lower_case` those of them in lower case; `empty` counts rows without symbols,
    whose vector is that of the special tokens alone. `backend` is that of attention.
    """

    output: str
    files: int
    rows: int
    empty: int
    symbols: int
    unknown: int
    unknown_by_kind: dict[str, int]
    lower_case: int
    tokens: int
    longest: int
    width: int
    pooling: str
    backend: str
    device: str
    dtype: str
    bytes: int
    seconds: float


def embed(
    embedder: Embedder,
    files: Files,
    output: str | os.PathLike[str],
    **options: Unpack[EmbedKeywords],
) -> EmbeddingReport:
    """Write one vector per row of `files` to the file `output`, atomically.

    Its columns are `record`, `start` and `end` (counted from 0, the end excluded) for sequence files,
    those of the file for tables; then `embedding`, a list of D 32-bit floats, where D is the width of
    the model; in CSV and TSV one column per number: `v0`, `v1`, ...
    Rows are in the order of the files.

    Args:
        embedder: The model.
        files: FASTA or FASTQ (plain, gzip, bgzf, xz, zstd), or tables: CSV or TSV with a header, JSON lines,
            Parquet (plain, gzip, bzip2, xz, zstd); or `-`: a path, a pattern, or an iterable of them.
        output: A name in `.parquet`, `.csv`, `.tsv` or `.jsonl` (text also with `.gz`); or `-` for standard
            output.
        column: The column of sequences in tables; None for `sequence`.
        input_format: The format of the files, if their names and contents do not say it.
        window: Cut records into rows of this many bases.
        stride: Bases from the start of one window to that of the next; None for `window`.
        unknown: Policy for symbols outside the vocabulary: the unknown token, or an error.
        uppercase: Read lower case as upper case.
        max_tokens: The longest row allowed, special tokens included; a longer one is an error, never cut.
        allow_unknown: The share of a file's symbols other than N that may be unknown (`corpus.verdict`).
        output_format: The format of the output, if its name does not say it.
        force: Replace an existing output.
        threads: Threads of tokenization; None for all cores.
        progress: Called with a dictionary as the work proceeds; an exception stops it.

    Raises:
        ArgumentError: Options contradict each other, the output exists, a row is too long, or there are no
            rows.
        SequenceFileError: A file is empty, truncated, damaged, malformed, or not of nucleotides.
        SymbolError: A symbol is a protein residue, or outside the vocabulary and `unknown="error"`.
        OSError: A file cannot be read or written.
    """
    rows, table, run = grouped("embed", options, EmbeddingOptions, TableOutputOptions, RunOptions)
    return embed_files(embedder, files, output, rows, table, run)


def embed_files(
    embedder: Embedder,
    files: Files,
    output: str | os.PathLike[str],
    rows: EmbeddingOptions,
    table: TableOutputOptions,
    run: RunOptions,
) -> EmbeddingReport:
    """`embed`, with its options as groups."""
    start = time.monotonic()
    progress = _within_memory(run, embedder.batch_bytes if embedder.device.type == "cpu" else 0)
    target = RowTarget.of(os.fspath(output), table.output_format, get_args(TableFormat))
    names = _names(target, embedder)
    inputs = expand(files)
    if rows.max_tokens < 1:
        raise ArgumentError(f"max_tokens={rows.max_tokens}: a number of at least 1 is expected")
    tokenization = RowTokenization(
        embedder.tokenizer,
        unknown=rows.unknown,
        uppercase=rows.uppercase,
        allow_unknown=rows.allow_unknown,
        window=rows.window,
        stride=rows.stride,
        threads=run.threads,
    )
    wanted = ColumnRequest(() if rows.column is None else (rows.column,), pairs=False, taken=frozenset(names))
    with warnings.catch_warnings():
        warn_if_slow(embedder.tokenizer, inputs)
        with output_file(target.path, target.kind, inputs=[*inputs, *embedder.files], force=table.force):
            source = open_rows(tokenization, inputs, wanted, input_format=rows.input_format)
            warnings.simplefilter("ignore", GenotokWarning)  # the report has what readers warn of
            schema = _schema(source.schema, names, embedder, rows)
            total = _survey(source, rows.max_tokens, progress) if source.is_repeatable else 0
            counts = _Counts(len(embedder.tokenizer.encode_batch([""], add_special_tokens=True).values))
            with row_writer(target, schema) as (writer, sink):
                pieces = _pieces(source, rows.max_tokens, None)
                for piece, vectors in _embedded(embedder, pieces, total, progress):
                    counts.add(piece)
                    writer.write(_with_vectors(piece, vectors, schema))
            num_bytes = sink.num_bytes
    return {
        "output": target.path,
        "files": len(inputs),
        "rows": counts.rows,
        "empty": counts.empty,
        "symbols": source.symbols.read,
        "unknown": source.symbols.unknown,
        "unknown_by_kind": source.symbols.kinds,
        "lower_case": source.symbols.lower_case,
        "tokens": counts.tokens,
        "longest": counts.longest,
        "width": embedder.width,
        "pooling": embedder.pooling,
        "backend": embedder.backend,
        "device": str(embedder.device),
        "dtype": embedder.dtype,
        "bytes": num_bytes,
        "seconds": time.monotonic() - start,
    }


def _within_memory(run: RunOptions, ahead: int) -> Progress | None:
    """The callback of progress, which first fails if `ahead` bytes more do not fit; now, too."""
    memory, progress = run.memory, run.progress
    if memory is None:
        return progress
    _native.check_memory(memory, ahead)

    def look(event: dict[str, object]) -> None:
        _native.check_memory(memory, ahead)
        if progress:
            progress(event)

    return look


@dataclass(slots=True)
class _Counts:
    """Rows and tokens so far; `around` is the number of special tokens of a row."""

    around: int
    rows: int = 0
    tokens: int = 0
    longest: int = 0
    empty: int = 0

    def add(self, piece: SourceRows) -> None:
        """Count a piece."""
        lengths = piece.sides[0].lengths
        self.rows += len(lengths)
        self.tokens += int(lengths.sum())
        self.longest = max(self.longest, int(lengths.max(initial=0)))
        self.empty += int(np.count_nonzero(lengths <= self.around))


def _names(target: RowTarget, embedder: Embedder) -> list[str]:
    """The columns of vectors: one of lists, or in text formats one per number."""
    is_flat = target.form in {"csv", "tsv"}
    return [f"v{number}" for number in range(embedder.width)] if is_flat else [EMBEDDING]


def _pieces(source: RowSource, max_tokens: int, progress: Progress | None) -> Iterator[SourceRows]:
    """All rows of a source, in order; an error if one is too long, or if there are none."""
    with closing(source.batches(progress)) as pieces:
        for piece in non_empty(pieces):
            lengths = piece.sides[0].lengths
            if lengths.max(initial=0) > max_tokens:
                row = int(np.argmax(lengths > max_tokens))
                raise ArgumentError(
                    f"{piece.place(row)}: {lengths[row]:,} tokens, and {max_tokens:,} are allowed; cut "
                    "records with --window, or allow more with --max-tokens"
                )
            yield piece


def _survey(source: RowSource, max_tokens: int, progress: Progress | None) -> int:
    """The number of tokens of all rows, all of which are checked."""
    return sum(piece.num_tokens for piece in _pieces(source, max_tokens, progress))


def _embedded(
    embedder: Embedder, pieces: Iterator[SourceRows], total: int, progress: Progress | None
) -> Iterator[tuple[SourceRows, NDArray[np.float32]]]:
    """Pieces of at most `MAX_ROWS` rows with their vectors (N, D); `total` is the number of tokens, or 0."""
    done = 0
    for whole in pieces:
        for piece in whole.parts(MAX_ROWS):
            tokens = piece.sides[0]
            vectors = np.empty((len(piece), embedder.width), np.float32)
            for rows, found in embedder.of_ids(tokens.ids, tokens.offsets):
                vectors[rows] = found
                done += int(tokens.lengths[rows].sum())
                if progress:
                    progress({"phase": "embedding", "tokens": done, "tokens_total": total})
            yield piece, vectors


def _with_vectors(piece: SourceRows, vectors: NDArray[np.float32], schema: pa.Schema) -> pa.RecordBatch:
    """The columns of a piece and its vectors (N, D)."""
    if EMBEDDING in schema.names:
        added = [pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])]
    else:
        added = [pa.array(column) for column in vectors.T]
    return pa.record_batch([*piece.columns.columns, *added], schema=schema)


def _schema(columns: pa.Schema, names: list[str], embedder: Embedder, rows: EmbeddingOptions) -> pa.Schema:
    """The schema of rows and vectors; its metadata says how they were made."""
    kind = pa.list_(pa.float32(), embedder.width) if names == [EMBEDDING] else pa.float32()
    settings = {name: getattr(rows, name) for name in ("window", "stride", "unknown", "uppercase")}
    about = {
        "genotok": _native.VERSION,
        "tokenizer_sha256": Vocabulary.of(embedder.tokenizer).sha256,
        "vocab_size": embedder.tokenizer.vocab_size,
        "options": {"pooling": embedder.pooling, "dtype": embedder.dtype, **settings},
    }
    return describe(pa.schema([*columns, *(pa.field(name, kind) for name in names)]), json.dumps(about))
