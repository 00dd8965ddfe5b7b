"""Rows of tables: one or two columns are encoded, and all are kept."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pyarrow as pa

from genotok.corpus.verdict import Composition, add_unknown, check_sequence, known_symbols
from genotok.errors import ArgumentError, GenotokWarning, SequenceFileError, SymbolError
from genotok.rows import chunks
from genotok.rows.chunks import unified
from genotok.rows.column_request import LINE, choose
from genotok.rows.source_rows import RowSource, RowSymbolCounts, RowTokenization, SourceRows, Tokens
from genotok.rows.strands import OtherStrand

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from genotok.rows.chunks import InputTable
    from genotok.rows.column_request import ColumnRequest
    from genotok.tokenizer.encoder import Progress, TokenArray

__all__ = ["TableRows"]

TEXT = {pa.string(), pa.large_string(), pa.string_view()}


class TableRows(RowSource):
    """Rows of tables that have the same columns.

    Args:
        options: How symbols become tokens.
        tables: The tables.
        wanted: The columns of sequences and labels.

    Raises:
        SequenceFileError: A table is damaged, a sequence is invalid or missing, too many symbols are unknown,
            or a row has too many or too few fields.
        SymbolError: A sequence holds a protein residue.
        ArgumentError: A column is missing, two have the same name, or the tables' columns differ.
    """

    is_repeatable = True

    def __init__(self, options: RowTokenization, tables: Sequence[InputTable], wanted: ColumnRequest) -> None:
        self.symbols = RowSymbolCounts()
        self._options, self._tables = options, tables
        self._other = (
            OtherStrand(options.tokenizer, uppercase=options.uppercase) if options.both_strands else None
        )
        first = tables[0]
        self.has_lines = all(table.unit == LINE for table in tables)
        self._chosen = choose(first, wanted, has_lines=self.has_lines)
        notes = [f"{table.path}: {note}" for table in tables if (note := self._check(table, wanted))]
        if notes:
            more = f" (and {len(notes) - 1:,} more tables like it)" if len(notes) > 1 else ""
            warnings.warn(notes[0] + more, GenotokWarning, stacklevel=3)
        self.label = self._chosen.label
        self._as_text = {*self._chosen.sequences, *([self.label] if wanted.need_label else [])}
        self.sides = len(self._chosen.sequences)
        types, self._unknown = self._survey()
        self.schema = pa.schema(list(zip(first.names, types, strict=True)))

    def _check(self, table: InputTable, wanted: ColumnRequest) -> str:
        """Check that a table has the columns of the first one; returns a warning, or ""."""
        known = self._chosen
        is_other = not known.is_data and tuple(table.names) != known.names
        chosen = known if is_other else choose(table, wanted, has_lines=self.has_lines)
        if is_other or chosen.names != known.names:
            raise ArgumentError(
                f"{table.path}: its columns are not those of {self._tables[0].path}; read it by itself"
            )
        if chosen.is_data:
            table.take_first_row(list(chosen.names))
        return chosen.note

    def _survey(self) -> tuple[list[pa.DataType], dict[str, int]]:
        """The types of the columns, and the counts of unknown symbols by kind."""
        known = known_symbols(self._options.tokenizer, uppercase=self._options.uppercase)
        types: list[pa.DataType] | None = None
        unknown = []
        for table in self._tables:
            composition = Composition()
            own = None if types is None or table.is_typed else types
            for numbers, batch in table.chunks():
                found = table.types(batch)
                if not table.is_typed:
                    found = [
                        pa.string() if name in self._as_text else kind
                        for name, kind in zip(table.names, found, strict=True)
                    ]
                own = unified(table, own, found)
                for side in self._texts(table, numbers, batch):
                    for number, text in zip(numbers.tolist(), side, strict=True):
                        check_sequence(table.path, number, text)
                        composition.add(text)
            unknown.append(composition.judge(table.path, known, self._options.allow_unknown))
            if types is not None and own != types and table.is_typed:
                raise ArgumentError(
                    f"{table.path}: its columns have other types than those of {self._tables[0].path}; "
                    "read it by itself"
                )
            types = own
        return types or [], add_unknown(unknown)

    def _texts(self, table: InputTable, numbers: NDArray[np.int64], batch: pa.RecordBatch) -> list[list[str]]:
        """The sequences of a chunk, without white space around them: one list, or two for pairs."""
        return [self._side(table, name, numbers, batch) for name in self._chosen.sequences]

    def _side(
        self, table: InputTable, name: str, numbers: NDArray[np.int64], batch: pa.RecordBatch
    ) -> list[str]:
        """The sequences of a column."""
        column = batch.column(name)
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if column.type not in TEXT and not pa.types.is_null(column.type):
            raise SequenceFileError(f"{table.path}: column {name} is {column.type}; text is expected")
        found: list[str | None] = column.to_pylist()
        texts = []
        for row, text in enumerate(found):
            stripped = None if text is None else text.strip()
            if not stripped and (stripped is None or not self._options.allow_empty):
                what = "no sequence (null)" if stripped is None else "an empty sequence; remove the row"
                raise SequenceFileError(f"{table.path}: {table.unit} {numbers[row]:,}: {what}")
            texts.append(stripped or "")
        return texts

    def batches(self, progress: Progress | None = None) -> Generator[SourceRows]:
        """All rows, in order; takes seconds, so that it reports no progress."""
        del progress
        self.symbols = RowSymbolCounts(kinds=self._unknown)
        held: list[SourceRows] = []
        rows = tokens = 0
        for table in self._tables:
            for numbers, batch in table.chunks():
                held.append(self._batch(table, numbers, batch))
                rows += len(held[-1])
                tokens += held[-1].num_tokens
                # Small tables share a batch, as a batch of a single row is slow for a model.
                if rows >= chunks.MAX_ROWS // 2 or tokens >= chunks.BATCH_SYMBOLS // 8:
                    yield SourceRows.joined(held)
                    held, rows, tokens = [], 0, 0
        if held:
            yield SourceRows.joined(held)

    def _batch(self, table: InputTable, numbers: NDArray[np.int64], batch: pa.RecordBatch) -> SourceRows:
        """Encode a chunk."""

        def place(row: int) -> str:
            return f"{table.path}, {table.unit} {numbers[row]:,}"

        try:
            texts = self._texts(table, numbers, batch)
            sides = tuple(self._tokens(side) for side in texts)
        except SymbolError as error:
            raise SymbolError(f"{table.path}: counted from {table.unit} {numbers[0]:,}: {error}") from None
        columns = [column.cast(kind) for column, kind in zip(batch.columns, self.schema.types, strict=True)]
        kept = pa.RecordBatch.from_arrays(columns, schema=self.schema)
        lines = numbers if self.has_lines else None
        others = [] if self._other is None else [self._encoded(self._other.of(side)) for side in texts]
        reverse = tuple(Tokens(found.values, found.offsets) for found in others)
        return SourceRows(kept, sides, place, lines, reverse)

    def _encoded(self, texts: list[str]) -> TokenArray:
        options = self._options
        return options.tokenizer.encode_batch(
            texts,
            add_special_tokens=options.special,
            unknown=options.unknown,
            uppercase=options.uppercase,
            threads=options.threads,
        )

    def _tokens(self, texts: list[str]) -> Tokens:
        """The tokens of sequences, which are counted."""
        found = self._encoded(texts)
        self.symbols.read += sum(map(len, texts))
        self.symbols.unknown += found.unknown
        self.symbols.lower_case += found.lower_case
        return Tokens(found.values, found.offsets)
