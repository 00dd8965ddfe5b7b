"""From sequences to tokens and back: one, many, or whole files.

`SequenceEncoder` is the part of every tokenizer that does so. It gives `TokenArray` and `TokenReader`: Arrow
data that pyarrow, polars, DuckDB and others take without a copy, and numpy arrays without any of them.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, cast

from genotok._native import RecordBatch, TokenArray, TokenReader
from genotok.files.paths import Files, expand
from genotok.options import (
    BatchKeywords,
    BatchOptions,
    NullPolicy,
    Progress,
    ReadKeywords,
    ReadOptions,
    RowKeywords,
    RowOptions,
    RunKeywords,
    RunOptions,
    grouped,
)
from genotok.tokenizer.arrow import ArrowArray, ArrowStream
from genotok.tokenizer.row_report import RecordDigest, RowReport
from genotok.tokenizer.token_ids import TokenIds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "ArrowArray",
    "ArrowStream",
    "MergeStep",
    "Progress",
    "RecordBatch",
    "RecordDigest",
    "RowReport",
    "SequenceEncoder",
    "TokenArray",
    "TokenReader",
]

NO_BATCH_OPTIONS = BatchOptions()


class FileKeywords(RowKeywords, ReadKeywords, RunKeywords, total=False):
    """The keywords of `SequenceEncoder.encode_files`."""


class MergeStep(TypedDict):
    """The tokens after one merge was applied; the first step has rank None and single symbols."""

    rank: int | None
    left: str
    right: str
    tokens: list[str]


class SequenceEncoder(TokenIds):
    """What a tokenizer does with sequences; `Tokenizer` is one.

    Every method lets other Python threads run while it works and stops at Ctrl-C. Time and memory are
    linear in the symbols. The first call builds the encoder, some 0.1 s for 4,096 tokens.
    """

    __slots__ = ()

    def encode_batch(
        self,
        sequences: Iterable[str | bytes | None] | ArrowArray | ArrowStream,
        **options: Unpack[BatchKeywords],
    ) -> TokenArray:
        """The ids of many sequences, in their order, on all cores.

        Args:
            sequences: Any iterable of `str` or of `bytes` in UTF-8, or a column of Arrow strings: a
                `pyarrow.Array`, a `polars.Series` and the like, which are read where they lie. Values of a
                dictionary (a categorical, an enum) are encoded once each.
            add_special_tokens: Put special tokens around each sequence: what the file's post-processor
                says, as Hugging Face does; `[CLS]` and `[SEP]` of genotok's own files without one.
            unknown: The policy for symbols outside the vocabulary: `"token"` gives the unknown token for
                each, `"split"` leaves them out and lets no token reach across, `"error"` raises at the first.
            uppercase: Read lower case as upper case, whatever the tokenizer's file says.
            offsets: Also tell where each token starts and ends in its sequence (`spans` of the result).
            nulls: What becomes of what is missing (a null of Arrow, None, NaN, `pandas.NA`): `"error"` raises
                at the first, `"empty"` takes it as an empty sequence, `"null"` gives a null.
            threads: Threads to use; None for all cores.

        Returns:
            One list of ids for each sequence; as an Arrow array `list<uint16>`, `list<uint32>` above 65,536
            tokens, and `large_list` above 2,147,483,647 ids.

        Raises:
            SymbolError: A symbol is outside the vocabulary and `unknown="error"`, or there is no unknown
                token.
            ArgumentError: An argument is outside its rule; a sequence is missing and `nulls="error"`, or is
                not text; Arrow data is not valid.
            ResourceError: The text of a list does not fit into memory.
            TypeError: A sequence is neither `str` nor `bytes`.
        """
        return self._native.encode_batch(sequences, _batch_options("encode_batch", options))

    def count_tokens(
        self,
        sequences: Iterable[str | bytes | None] | ArrowArray | ArrowStream,
        **options: Unpack[BatchKeywords],
    ) -> "NDArray[np.int64]":
        """How many tokens each sequence has: the lengths of `encode_batch`'s lists, without making any ids.

        The options and errors are those of `encode_batch`, without `offsets`. The result is a numpy array of
        int64, with 0 for a null.
        """
        if "offsets" in options:
            raise TypeError("count_tokens() got an unexpected keyword argument 'offsets'")
        return self._native.count_tokens(sequences, _batch_options("count_tokens", options))

    def encode_files(self, files: Files, **options: Unpack[FileKeywords]) -> TokenReader:
        """The ids of sequence files, as a stream of record batches in bounded memory.

        Each row is a record, or a window or region of one: `record` (its name), `start`, `end` (counted
        from 0, the end excluded) and `input_ids`. Rows are in the order of files and records, and of regions
        as given. Without special tokens each token of a row has its place: the lengths of the tokens before
        it, from `start` on (from `end` backwards on the other strand); an unknown token is one symbol.

        Args:
            files: FASTA or FASTQ (plain, gzip, bgzf, xz, zstd) or `-`: a path, a pattern, or an iterable
                of them.
            window: Cut records or regions into windows of this many bases; the last may be shorter.
                None leaves them whole: each is then in memory as a whole.
            stride: Bases from the start of one window to that of the next; None for `window`. Less
                makes windows overlap, more leaves out what is between them.
            region: Only these parts, as samtools writes them: `"chr20:1-1,000,000"` (from 1, both ends
                included), `"chr20:5000"` (to the end), `"chr20"`; `"{HLA:01}:1-100"` for names with colons.
            bed: Only the parts in these BED files, after those of `region`; of strand `-` from the other
                strand. Rows also have `bed_row` (the number of the line with a region, from 0, through all
                files; -1 for a `region`), `name` and `strand`. Each file is read once, and may be a pipe.
            bed_blocks: Join the blocks of each line; adds `block_starts` and `block_sizes`.
            bed_order: Give rows in the order of the BED files; more than 64 MB of sequence wait on disk.
            reverse_complement: Read each row from the other strand; its place stays on that of the file.
            unknown: As in `encode_batch`; `"split"` cuts rows, so that every token keeps its place.
            uppercase: Read lower case, which marks repeats, as upper case.
            add_special_tokens: Put special tokens around each row, as in `encode_batch`.
            batch_bases: Bases in a batch, about; a longer row is a batch of its own.
            allow_unknown: The share of a file's symbols other than N that may be unknown (`corpus.verdict`).
            need_bases: Refuse files of which none has a base; a part of all files may have none.
            digests: Compute the GA4GH refget digest of each record, whole, for `report()`.
            checksums: Compute the BLAKE3 sum of each file as it is read, for `report()`; None for pipes.
            threads: Threads to encode on; None for all cores.
            progress: Called about ten times a second at most, with a dictionary; an exception stops the work.

        Returns:
            An iterator of `RecordBatch`, and a stream for `pyarrow.RecordBatchReader.from_stream`. `report()`
            tells what was found; the end warns (`GenotokWarning`) of lower case that became unknown.

        Raises:
            SequenceFileError: A file cannot be read as sequences of nucleotides, or a BED file as regions
                in them: all faults of BED files are told.
            SymbolError: A symbol stands for no nucleotide, or is unknown where that is an error.
            ArgumentError: An argument is outside its rule; a region is not in the files.
            OSError: A file cannot be read.
            KeyboardInterrupt: Ctrl-C, within a second.

        What is wrong with files is raised when they are read: by the iteration.
        """
        return self.encode_rows(files, *grouped("encode_files", options, RowOptions, ReadOptions, RunOptions))

    def encode_rows(self, files: Files, rows: RowOptions, read: ReadOptions, run: RunOptions) -> TokenReader:
        """`encode_files`, with its options as groups."""
        paths = expand(files)
        return self._native.encode_files(paths, rows.with_beds_read(paths), read, run)

    def decode(self, ids: Iterable[int], skip_special_tokens: bool = False) -> str:
        """The strings of `ids`, joined; what Hugging Face decodes, without spaces between tokens.

        k-mers that overlap become the sequence that they are of.

        Args:
            ids: Any iterable of integers, such as a list, an array, or a tensor.
            skip_special_tokens: Leave out special tokens, the unknown token among them.

        Raises:
            ArgumentError: An id is not in the vocabulary.
            TypeError: One is no integer.
        """
        if skip_special_tokens:
            return str(self.decode_batch([ids], skip_special_tokens=True)[0])
        return self._native.decode(ids)

    def decode_batch(
        self,
        lists: TokenArray | ArrowArray | ArrowStream | Iterable[Iterable[int] | None],
        *,
        skip_special_tokens: bool = False,
        nulls: NullPolicy = "error",
    ) -> list[str | Any]:
        """The strings of many lists of ids.

        Args:
            lists: A `TokenArray`, a column of Arrow lists of integers, or any iterable of iterables.
            skip_special_tokens: Leave out special tokens, as in `decode`.
            nulls: What becomes of lists that are missing: `"error"` raises at the first, `"empty"` gives an
                empty string, `"null"` gives None.

        Raises:
            ArgumentError: An id is not in the vocabulary; a list is missing and `nulls="error"`, or has
                a null in it; Arrow data is not valid, or not lists of integers.
            TypeError: A list is none of integers.
        """
        return self._native.decode_batch(lists, nulls=nulls, skip_special_tokens=skip_special_tokens)

    def explain(self, sequence: str | bytes) -> list[MergeStep]:
        """How `sequence` becomes tokens: its symbols, then the tokens after each merge applied.

        For looking at, not for speed: each step holds all tokens, so the result is quadratic in the length.
        """
        return cast("list[MergeStep]", self._native.explain(sequence))


def _batch_options(function: str, given: BatchKeywords) -> BatchOptions:
    """The options of a call: calls with the same ones, which may be many and short, share an object."""
    if not given:
        return NO_BATCH_OPTIONS
    try:
        return _made(**given)
    except TypeError:
        return grouped(function, given, BatchOptions)[0]  # an error that names the function


@lru_cache(maxsize=64, typed=True)
def _made(**given: Unpack[BatchKeywords]) -> BatchOptions:
    return BatchOptions(**given)
