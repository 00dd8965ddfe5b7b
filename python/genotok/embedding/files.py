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
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import numpy as np
import pyarrow as pa

from genotok.corpus.verdict import MAX_UNKNOWN
from genotok.dataset.metadata import describe
from genotok.dataset.slowness import warn_if_slow
from genotok.dataset.vocabulary import Vocabulary
from genotok.errors import ArgumentError, GenotokWarning
from genotok.files.outputs import output_file
from genotok.files.paths import Files, expand
from genotok.rows import InputFormat, Piece, RowOptions, Source, Wanted, non_empty, open_rows
from genotok.rows.chunks import MAX_ROWS
from genotok.rows.targets import Target
from genotok.rows.writers import row_writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from genotok.embedding.embedder import Embedder
    from genotok.rows.targets import OutputFormat
    from genotok.rows.writers import RowWriter
    from genotok.tokenizer.encoder import Progress

__all__ = ["MAX_TOKENS", "EmbeddingReport", "embed"]

MAX_TOKENS = 32_768
"""The default limit on a row, about 160,000 bases: the time of a row is quadratic in its length, and a whole
chromosome would take years."""

EMBEDDING = "embedding"
"""The column of vectors; no other column may have this name."""

FORMATS: tuple[OutputFormat, ...] = ("parquet", "csv", "tsv", "jsonl")


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
    *,
    column: str | None = None,
    input_format: InputFormat | None = None,
    window: int | None = None,
    stride: int | None = None,
    unknown: Literal["token", "error"] = "token",
    uppercase: bool = False,
    max_tokens: int = MAX_TOKENS,
    allow_unknown: float = MAX_UNKNOWN,
    output_format: OutputFormat | None = None,
    force: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
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
    start = time.monotonic()
    target = Target.of(os.fspath(output), output_format, FORMATS)
    names = _names(target, embedder)
    inputs = expand(files)
    if max_tokens < 1:
        raise ArgumentError(f"max_tokens={max_tokens}: a number of at least 1 is expected")
    options = RowOptions(
        embedder.tokenizer,
        unknown=unknown,
        uppercase=uppercase,
        allow_unknown=allow_unknown,
        window=window,
        stride=stride,
        threads=threads,
    )
    wanted = Wanted(() if column is None else (column,), pairs=False, taken=frozenset(names))
    with warnings.catch_warnings():
        warn_if_slow(embedder.tokenizer, inputs)
        with output_file(target.path, target.kind, inputs=[*inputs, *embedder.files], force=force):
            source = open_rows(options, inputs, wanted, input_format=input_format)
            warnings.simplefilter("ignore", GenotokWarning)  # the report has what readers warn of
            schema = _schema(source.schema, names, embedder, _settled(window, stride, unknown, uppercase))
            total = _survey(source, max_tokens, progress) if source.is_repeatable else None
            counts, num_bytes = _to_file(target, schema, embedder, source, max_tokens, total, progress)
    return {
        "output": target.path,
        "files": len(inputs),
        "rows": counts.rows,
        "empty": counts.empty,
        "symbols": source.letters.read,
        "unknown": source.letters.unknown,
        "unknown_by_kind": source.letters.kinds,
        "lower_case": source.letters.lower_case,
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


@dataclass(slots=True)
class _Counts:
    """Rows and tokens so far; `around` is the number of special tokens of a row."""

    around: int
    rows: int = 0
    tokens: int = 0
    longest: int = 0
    empty: int = 0

    def add(self, piece: Piece) -> None:
        """Count a piece."""
        lengths = piece.sides[0].lengths
        self.rows += len(lengths)
        self.tokens += int(lengths.sum())
        self.longest = max(self.longest, int(lengths.max(initial=0)))
        self.empty += int(np.count_nonzero(lengths <= self.around))


def _names(target: Target, embedder: Embedder) -> list[str]:
    """The columns of vectors: one of lists, or in text formats one per number."""
    is_flat = target.form in {"csv", "tsv"}
    return [f"v{number}" for number in range(embedder.width)] if is_flat else [EMBEDDING]


def _pieces(source: Source, max_tokens: int, progress: Progress | None) -> Iterator[Piece]:
    """All rows of a source, in order; an error if one is too long, or if there are none."""
    with closing(source.pieces(progress)) as pieces:
        for piece in non_empty(pieces):
            lengths = piece.sides[0].lengths
            if lengths.max(initial=0) > max_tokens:
                row = int(np.argmax(lengths > max_tokens))
                raise ArgumentError(
                    f"{piece.place(row)}: {lengths[row]:,} tokens, and {max_tokens:,} are allowed; cut "
                    "records with --window, or allow more with --max-tokens"
                )
            yield piece


def _survey(source: Source, max_tokens: int, progress: Progress | None) -> int:
    """The number of tokens of all rows, all of which are checked."""
    return sum(piece.num_tokens for piece in _pieces(source, max_tokens, progress))


def _to_file(
    target: Target,
    schema: pa.Schema,
    embedder: Embedder,
    source: Source,
    max_tokens: int,
    total: int | None,
    progress: Progress | None,
) -> tuple[_Counts, int]:
    """Embed all rows into a file, atomically, or into a stream; the counts, and the size in bytes."""
    with row_writer(target, schema) as (writer, sink):
        counts = _write(writer, schema, embedder, _pieces(source, max_tokens, None), total, progress)
    return counts, sink.num_bytes


def _write(
    writer: RowWriter,
    schema: pa.Schema,
    embedder: Embedder,
    pieces: Iterator[Piece],
    total: int | None,
    progress: Progress | None,
) -> _Counts:
    """Embed and write all rows."""
    counts = _Counts(len(embedder.tokenizer.encode_batch([""], add_special_tokens=True).values))
    done = 0
    for whole in pieces:
        for piece in whole.parts(MAX_ROWS):
            tokens = piece.sides[0]
            vectors = np.empty((len(piece), embedder.width), np.float32)
            for rows, found in embedder.of_ids(tokens.ids, tokens.offsets):
                vectors[rows] = found
                done += int(tokens.lengths[rows].sum())
                if progress:
                    progress({"phase": "embedding", "tokens": done, "tokens_total": total or 0})
            counts.add(piece)
            writer.write(_with_vectors(piece, vectors, schema))
    return counts


def _with_vectors(piece: Piece, vectors: NDArray[np.float32], schema: pa.Schema) -> pa.RecordBatch:
    """The columns of a piece and its vectors (N, D)."""
    if EMBEDDING in schema.names:
        added = [pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])]
    else:
        added = [pa.array(column) for column in vectors.T]
    return pa.record_batch([*piece.columns.columns, *added], schema=schema)


def _schema(columns: pa.Schema, names: list[str], embedder: Embedder, options: dict[str, Any]) -> pa.Schema:
    """The schema of rows and vectors; its metadata says how they were made."""
    kind = pa.list_(pa.float32(), embedder.width) if names == [EMBEDDING] else pa.float32()
    about = {
        "genotok": version("genotok"),
        "tokenizer_sha256": Vocabulary.of(embedder.tokenizer).sha256,
        "vocab_size": embedder.tokenizer.vocab_size,
        "options": {"pooling": embedder.pooling, "dtype": embedder.dtype, **options},
    }
    return describe(pa.schema([*columns, *(pa.field(name, kind) for name in names)]), json.dumps(about))


def _settled(window: int | None, stride: int | None, unknown: str, uppercase: bool) -> dict[str, Any]:
    """The options that decide what rows are."""
    return {"window": window, "stride": stride, "unknown": unknown, "uppercase": uppercase}
