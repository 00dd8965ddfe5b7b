"""What the rows of sequence files are, and how they become tokens."""

from __future__ import annotations

import os
from collections.abc import Iterable  # noqa: TC003 - the groups' types are read when they are shown
from dataclasses import dataclass, replace
from typing import Annotated, Literal, TypedDict

from genotok.errors import ArgumentError
from genotok.files.paths import Bed, Beds, read_beds
from genotok.options.declaration import ROWS, SYMBOLS, Option
from genotok.options.fields import MAX_UNKNOWN, AllowUnknown, Stride, Uppercase, Window

__all__ = ["BATCH_BASES", "ReadKeywords", "ReadOptions", "RowKeywords", "RowOptions", "UnknownPolicy"]

BATCH_BASES = 4_000_000

UnknownPolicy = Literal["token", "split", "error"]
"""Symbols outside the vocabulary: one unknown token each; left out, which splits the sequence; an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowOptions:
    """What rows are; `Tokenizer.encode_files` explains each field.

    Raises:
        ArgumentError: A region is no string, or there are none of them.
    """

    window: Window = None
    stride: Stride = None
    region: Annotated[
        tuple[str, ...],
        Option(
            "Only this part, as samtools writes it: chr20:1-1,000,000 (from 1, both ends included), "
            "chr20:5000-, chr20:-5000; may be repeated.",
            metavar="REGION",
            panel=ROWS,
        ),
    ] = ()
    bed: Annotated[
        tuple[str | os.PathLike[str] | Bed, ...],
        Option(
            "Only the regions of this BED file, on their strand, with name and row number; may be repeated, "
            "and may be a pipe.",
            metavar="FILE",
            panel=ROWS,
        ),
    ] = ()
    bed_blocks: Annotated[
        bool,
        Option("Join the blocks of each BED line (columns 10 to 12): exons without introns.", panel=ROWS),
    ] = False
    bed_order: Annotated[
        bool,
        Option(
            "Rows in the order of the BED files, not of the sequence files; more than 64 MB of sequence wait "
            "in a temporary file.",
            panel=ROWS,
        ),
    ] = False
    reverse_complement: Annotated[
        bool,
        Option(
            "Read rows from the other strand; those on the other strand of a BED file from that of the file.",
            panel=ROWS,
        ),
    ] = False
    unknown: Annotated[
        UnknownPolicy,
        Option(
            "Symbols outside the vocabulary: the unknown token each (token), left out, cutting the row "
            "(split), or an error (error).",
            metavar="POLICY",
            panel=SYMBOLS,
        ),
    ] = "token"
    allow_unknown: AllowUnknown = MAX_UNKNOWN
    uppercase: Uppercase = False
    add_special_tokens: Annotated[
        bool, Option("Put [CLS] and [SEP] around each row, or what the tokenizer says.", panel=SYMBOLS)
    ] = False

    def __post_init__(self) -> None:
        """Give `region` and `bed` one form each."""
        object.__setattr__(self, "region", _strings("region", self.region))
        single = isinstance(self.bed, str | os.PathLike | Bed)
        object.__setattr__(self, "bed", (self.bed,) if single else tuple(self.bed or ()))

    def with_beds_read(self, files: Iterable[str]) -> RowOptions:
        """The same options with the BED files read, which may be pipes, beside the sequence files `files`.

        Raises:
            OSError, ArgumentError: As `genotok.files.paths.read_beds`.
        """
        return replace(self, bed=tuple(read_beds(self.bed, files))) if self.bed else self


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """In which batches rows are given, and what is reported of the files; for Python alone.

    Attributes:
        batch_bases: Bases in a batch, about; a longer row is a batch of its own.
        digests: Compute the GA4GH refget digest of each record, for the report.
        checksums: Compute the BLAKE3 sum of each file, for the report.
        need_bases: Refuse files of which none has a base; a part of all files may have none.
    """

    batch_bases: int = BATCH_BASES
    digests: bool = False
    checksums: bool = False
    need_bases: bool = True


class ReadKeywords(TypedDict, total=False):
    """`ReadOptions` as keywords."""

    batch_bases: int
    digests: bool
    checksums: bool
    need_bases: bool


class RowKeywords(TypedDict, total=False):
    """`RowOptions` as keywords."""

    window: int | None
    stride: int | None
    region: str | Iterable[str] | None
    bed: Beds | None
    bed_blocks: bool
    bed_order: bool
    reverse_complement: bool
    unknown: UnknownPolicy
    allow_unknown: float
    uppercase: bool
    add_special_tokens: bool


def _strings(name: str, given: object) -> tuple[str, ...]:
    """None, one or many, as a tuple; an empty list is an error, as it would mean all."""
    if given is None or given == ():
        return ()
    strings = (given,) if isinstance(given, str) else tuple(given)  # type: ignore[arg-type]
    for string in strings:
        if not isinstance(string, str):
            raise ArgumentError(f"{name}={string!r}: a string is expected, not {type(string).__name__}")
    if not strings:
        raise ArgumentError(f"{name}=[]: give at least one, or None for all")
    return strings
