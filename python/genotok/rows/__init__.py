"""Rows of sequences from any input, and their results to any output, for every command with a model.

Inputs are FASTA and FASTQ (records or windows of them), and tables: CSV, TSV, JSON lines, Parquet; each of
them compressed or not, from a file or standard input. `open_rows` returns a `RowSource`: batches of rows with
their tokens and all their columns. `writers` writes rows with results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genotok.errors import ArgumentError
from genotok.files.paths import STANDARD_INPUT
from genotok.rows.column_request import ColumnRequest
from genotok.rows.formats import SEQUENCES, InputFormat, format_of
from genotok.rows.opening import InputFile, head_of, put_back
from genotok.rows.sequences import SequenceFiles
from genotok.rows.source_rows import (
    RowSource,
    RowSymbolCounts,
    RowTokenization,
    SourceRows,
    Tokens,
    non_empty,
)
from genotok.rows.table_rows import TableRows
from genotok.rows.tables import table_of, text_of, text_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "ColumnRequest",
    "InputFormat",
    "RowSource",
    "RowSymbolCounts",
    "RowTokenization",
    "SourceRows",
    "Tokens",
    "non_empty",
    "open_rows",
    "text_of",
    "text_rows",
]


def open_rows(
    options: RowTokenization,
    paths: Sequence[str],
    wanted: ColumnRequest | None = None,
    *,
    input_format: InputFormat | str | None = None,
) -> RowSource:
    """Open files of one kind as a source of rows; tables are read and checked completely.

    Args:
        options: What a row is, and how it becomes tokens.
        paths: The files, as `genotok.files.paths.expand` returns them; `-` is standard input.
        wanted: The columns of tables.
        input_format: The format of the files, where names and contents do not tell it.

    Raises:
        ArgumentError: Sequence files and tables are mixed, name and content of a file contradict each other,
            a column is missing, or an option does not apply to such rows.
        SequenceFileError: A table is damaged or malformed.
        SymbolError: A sequence of a table is of a protein.
        OSError: A file cannot be read.
    """
    wanted = wanted or ColumnRequest()
    stdin = head_of(STANDARD_INPUT) if STANDARD_INPUT in paths else b""
    heads = (stdin if path == STANDARD_INPUT else head_of(path) for path in paths)
    formats = [
        format_of(path, head, columns=wanted.names, given=input_format)
        for path, head in zip(paths, heads, strict=True)
    ]
    tables = [path for path, form in zip(paths, formats, strict=True) if form not in SEQUENCES]
    if not tables and options.both_strands:  # read twice, so what is no file is copied
        _check_sequence_files(paths[0], wanted)
        copies = [InputFile.of(path, stdin) for path in paths]
        return SequenceFiles(options, [copy.place for copy in copies], held=copies)
    if not tables:
        if STANDARD_INPUT in paths:
            put_back(stdin)
        _check_sequence_files(paths[0], wanted)
        return SequenceFiles(options, paths)
    if len(tables) < len(paths):
        other = next(path for path, form in zip(paths, formats, strict=True) if form in SEQUENCES)
        raise ArgumentError(f"{other}: is no table as {tables[0]} is; give the two kinds one by one")
    if options.window is not None or options.stride is not None:
        raise ArgumentError("window: records of sequence files can be cut; a row of a table is one row")
    files = (InputFile.of(path, stdin if path == STANDARD_INPUT else head_of(path)) for path in paths)
    opened = [table_of(file, form) for file, form in zip(files, formats, strict=True)]
    return TableRows(options, opened, wanted)


def _check_sequence_files(path: str, wanted: ColumnRequest) -> None:
    """Raise an error if sequence files cannot provide the requested columns."""
    if wanted.need_label or wanted.label:
        raise ArgumentError(
            f"{path}: sequence files have no labels; a table with a column of them is expected"
        )
    if wanted.sequence:
        raise ArgumentError(f"sequence={wanted.sequence[0]}: {path} has records, not columns; leave it out")
    if wanted.pairs:
        raise ArgumentError(
            f"{path}: has single sequences, and the model was trained on pairs; a table with sequence1 and "
            "sequence2 is expected"
        )
