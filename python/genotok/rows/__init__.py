"""Rows of sequences from any input, and their results to any output: for every command with a model.

Inputs are FASTA and FASTQ (records or windows of them), and tables: CSV, TSV, JSON lines, Parquet; any of
them compressed, or on standard input. `open_rows` gives a `Source`: rows in pieces, with tokens and all
columns. `writers` writes rows with results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genotok.errors import ArgumentError
from genotok.files.paths import STANDARD_INPUT
from genotok.rows.formats import SEQUENCES, InputFormat, format_of
from genotok.rows.opening import InputFile, head_of, put_back
from genotok.rows.pieces import Letters, Piece, RowTokenization, Source, Tokens, non_empty
from genotok.rows.sequences import SequenceFiles
from genotok.rows.table_rows import TableRows
from genotok.rows.tables import table_of, text_of, text_rows
from genotok.rows.wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "InputFormat",
    "Letters",
    "Piece",
    "RowTokenization",
    "Source",
    "Tokens",
    "Wanted",
    "non_empty",
    "open_rows",
    "text_of",
    "text_rows",
]


def open_rows(
    options: RowTokenization,
    paths: Sequence[str],
    wanted: Wanted | None = None,
    *,
    input_format: InputFormat | str | None = None,
) -> Source:
    """The rows of files of one kind; of tables, all is read once and checked.

    Args:
        options: What rows are, and how they become tokens.
        paths: The files, as `genotok.files.paths.expand` gives them; `-` is standard input.
        wanted: The columns of tables.
        input_format: What the files are, where their names and contents do not say it.

    Raises:
        ArgumentError: Sequence files and tables are mixed, name and content of a file contradict each other,
            a column is missing, or an option is none of such rows.
        SequenceFileError: A table is not what it should be.
        SymbolError: A sequence of a table is of proteins.
        OSError: A file cannot be read.
    """
    wanted = wanted or Wanted()
    stdin = head_of(STANDARD_INPUT) if STANDARD_INPUT in paths else b""
    heads = (stdin if path == STANDARD_INPUT else head_of(path) for path in paths)
    formats = [
        format_of(path, head, columns=wanted.names, given=input_format)
        for path, head in zip(paths, heads, strict=True)
    ]
    tables = [path for path, form in zip(paths, formats, strict=True) if form not in SEQUENCES]
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


def _check_sequence_files(path: str, wanted: Wanted) -> None:
    """An error if what is wanted of rows is nothing that sequence files have."""
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
