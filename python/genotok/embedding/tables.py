"""Rows of CSV files, with all their columns kept and one of them encoded.

A file is read more than once: the first time to see that every row is whole, that its sequences are of
nucleotides, and what each column holds, which decides its type before anything is written. Whole numbers
become int64, other decimal numbers float64, everything else stays text; `007` is text. Reading takes next to
nothing beside the vectors.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import os
import re
import sys
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from genotok.embedding.sources import PIECE_LETTERS, Letters, Piece, Reading, Source
from genotok.errors import ArgumentError, SequenceFileError, SymbolError
from genotok.verdict import Composition, add_unknown, check_sequence, known_symbols

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from genotok.tokens import Progress

__all__ = ["EMBEDDING", "CsvFiles", "is_table"]

EMBEDDING = "embedding"
"""The column of vectors, which no other may be called."""

DELIMITERS = {".csv": ",", ".tsv": "\t"}
OPENERS: dict[str, Callable[[str], Any]] = {
    "": lambda path: open(path, "rb"),  # noqa: SIM115 - closed by the text file around it
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zst": lambda path: pa.input_stream(path, compression="zstd"),
}
DAMAGE = (EOFError, zlib.error, lzma.LZMAError, UnicodeDecodeError, csv.Error)
"""What a file that is not what its name says makes Python raise; and an OSError that names no file."""

WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})")
DECIMAL = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d{1,3})?")
TYPES: dict[type, pa.DataType] = {int: pa.int64(), float: pa.float64(), str: pa.string()}

Fields = list[str]


def is_table(path: str) -> bool:
    """Whether a file's name says that it is a CSV file."""
    return _ending(path)[0] in DELIMITERS


def _ending(path: str) -> tuple[str, str]:
    """The ending of what is in a file, and that of its compression."""
    stem, ending = os.path.splitext(path.lower())
    if ending in OPENERS:
        return os.path.splitext(stem)[1], ending
    return ending, ""


class CsvFiles(Source):
    """Rows of CSV or TSV files with one header.

    Args:
        reading: How letters become tokens.
        paths: The files.
        column: The column of sequences.

    Raises:
        SequenceFileError: A file is empty, damaged, not of nucleotides, or a row of it has too many fields or
            too few.
        SymbolError: A sequence holds a letter of proteins.
        ArgumentError: There is no such column, or a name stands twice, or the files' headers differ.
    """

    is_repeatable = True

    def __init__(self, reading: Reading, paths: Sequence[str], column: str) -> None:
        self.letters = Letters()
        self._reading, self._paths = reading, paths
        names = [_header(path) for path in paths]
        for path, other in zip(paths, names, strict=True):
            if other != names[0]:
                raise ArgumentError(f"{path}: its columns are not those of {paths[0]}; embed it by itself")
        self._names = _checked(paths[0], names[0], column)
        self._sequence = self._names.index(column)
        self._types, self._unknown = self._survey()
        self.schema = pa.schema(
            [(name, TYPES[kind]) for name, kind in zip(self._names, self._types, strict=True)]
        )

    def _survey(self) -> tuple[list[type], dict[str, int]]:
        """What each column holds, int, float or str; and the unknown symbols by kind."""
        types: list[type] = [int] * len(self._names)
        types[self._sequence] = str
        how, unknown = self._reading, []
        known = known_symbols(how.tokenizer, uppercase=how.uppercase)
        for path in self._paths:
            composition = Composition()
            for line, fields in _rows(path, len(self._names)):
                types = [_widened(kind, text) for kind, text in zip(types, fields, strict=True)]
                check_sequence(path, line, fields[self._sequence])
                composition.add(fields[self._sequence])
            unknown.append(composition.judge(path, known, how.allow_unknown))
        return types, add_unknown(unknown)

    def pieces(self, progress: Progress | None = None) -> Generator[Piece]:
        """All rows, in order; there is no progress to tell of, as it takes seconds."""
        del progress
        self.letters = Letters(kinds=self._unknown)
        for path in self._paths:
            held: list[tuple[int, Fields]] = []
            letters = 0
            for line, fields in _rows(path, len(self._names)):
                held.append((line, fields))
                letters += len(fields[self._sequence]) + 1
                if letters >= PIECE_LETTERS:
                    yield self._piece(path, held)
                    held, letters = [], 0
            if held:
                yield self._piece(path, held)

    def _piece(self, path: str, held: list[tuple[int, Fields]]) -> Piece:
        """Encode the rows that were read."""
        lines, rows = zip(*held, strict=True)
        how, sequences = self._reading, [fields[self._sequence] for fields in rows]
        try:
            found = how.tokenizer.encode_batch(
                sequences,
                add_special_tokens=True,
                unknown=how.unknown,
                uppercase=how.uppercase,
                threads=how.threads,
            )
        except SymbolError as error:
            raise SymbolError(f"{path}: counted from line {lines[0]:,}: {error}") from None
        self.letters.read += sum(map(len, sequences))
        self.letters.unknown += found.unknown
        self.letters.lower_case += found.lower_case
        columns = [_column(rows, number, kind) for number, kind in enumerate(self._types)]
        batch = pa.record_batch(columns, schema=self.schema)
        return Piece(batch, found.values, found.offsets, lambda row: f"{path}, line {lines[row]:,}")


def _column(rows: Iterable[Fields], number: int, kind: type) -> pa.Array:
    """One column of rows, in its type."""
    return pa.array([kind(fields[number]) for fields in rows], TYPES[kind])


def _widened(kind: type, text: str) -> type:
    """The type that holds what `kind` holds, and `text`."""
    if kind is int and WHOLE.fullmatch(text):
        return int
    return float if kind is not str and DECIMAL.fullmatch(text) else str


def _checked(path: str, names: Fields, column: str) -> Fields:
    """The names of columns, or an error that says what is wrong with them."""
    listed = ", ".join(names)
    if column not in names:
        raise ArgumentError(f"{path}: no column is called {column}; they are: {listed}")
    if len(set(names)) < len(names):
        raise ArgumentError(f"{path}: a name stands twice among its columns: {listed}")
    if EMBEDDING in names:
        raise ArgumentError(f"{path}: a column is called {EMBEDDING} already; rename it")
    return names


def _header(path: str) -> Fields:
    """The first row of a file."""
    with _opened(path) as reader:
        names: Fields = next(reader, [])
    if not any(names):
        raise SequenceFileError(f"{path}: is empty; a header with the names of the columns is expected")
    return names


def _rows(path: str, width: int) -> Iterator[tuple[int, Fields]]:
    """Line number and fields of each row below the header; empty lines are left out."""
    found = False
    with _opened(path) as reader:
        next(reader)
        for fields in reader:
            if not fields:
                continue
            if len(fields) != width:
                raise SequenceFileError(
                    f"{path}: line {reader.line_num:,}: {len(fields)} fields; the header has {width}"
                )
            found = True
            yield reader.line_num, fields
    if not found:
        raise SequenceFileError(f"{path}: has a header and no rows")


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    """A reader of the rows of a file, whatever it is compressed with; what is damaged is named."""
    ending, packing = _ending(path)
    before = csv.field_size_limit(sys.maxsize)  # a sequence may be longer than the 131,072 letters it allows
    try:
        with io.TextIOWrapper(OPENERS[packing](path), encoding="utf-8-sig", newline="") as text:
            yield csv.reader(text, delimiter=DELIMITERS[ending], strict=True)
    except (*DAMAGE, OSError) as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise
        raise SequenceFileError(f"{path}: damaged, or not what its name says ({error})") from None
    finally:
        csv.field_size_limit(before)
