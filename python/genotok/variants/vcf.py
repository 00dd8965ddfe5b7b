"""Variants as VCF has them, or as texts such as `chr20:1234:A>G`; read line by line, and checked.

A record has one or more alternatives, each of which is scored or skipped with a reason (`SKIPPED`). What is
no record is an error that names the line: a line without the columns of the header, a position that is no
number, an empty allele. Positions count from 1. REF and ALT may be in lower case. Records may be in any order
and may overlap: each alternative is a variant by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, NoReturn

from genotok.errors import ArgumentError, SequenceFileError
from genotok.variants.edits import Edit, WindowEdit, bases_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from genotok.variants.reference import Reference

__all__ = ["SKIPPED", "Fitting", "VariantRecord", "VcfReader", "of_texts", "utf8"]

MAX_LINE = 1 << 28
"""Bytes of the longest line: 256 MiB."""

COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")

SKIPPED = {
    "no_alternative": "no alternative (.)",
    "overlapping_deletion": "alleles that a deletion removes (*)",
    "symbolic": "symbolic alleles (<DEL> and the like)",
    "breakend": "breakends",
    "other_symbols": "alleles with other symbols than A, C, G, T",
    "no_change": "alternatives that are the reference",
    "too_long": "alleles longer than half a window",
    "unknown_contig": "contigs that the reference has not",
    "outside": "positions outside of their contig",
    "other_reference": "alleles REF that are not in the reference",
}
"""Why an alternative is skipped; the last three only if it is asked for, else they are errors."""

TEXT = re.compile(r"(?P<contig>.+):(?P<position>[0-9,]+):(?P<ref>[A-Za-z]+)>(?P<alt>[A-Za-z]+)")
WORD = re.compile(r"[A-Za-z]+")
SHOWN = 40


@dataclass(frozen=True, slots=True)
class VariantRecord:
    """A line of a VCF, or a text.

    Attributes:
        place: Where it stands, for messages.
        columns: All columns of the line.
    """

    place: str
    columns: Sequence[str]

    @property
    def contig(self) -> str:
        """The name of the contig."""
        return self.columns[0]

    @property
    def position(self) -> int:
        """The first base of REF, counted from 1."""
        return int(self.columns[1])

    @property
    def name(self) -> str | None:
        """The identifier; None without one."""
        return None if self.columns[2] == "." else utf8(self.columns[2])

    @property
    def ref(self) -> str:
        """The replaced bases."""
        return self.columns[3]

    @property
    def alternatives(self) -> list[str]:
        """What may stand in their place."""
        return self.columns[4].split(",")


class VcfReader:
    """The lines of a VCF.

    Attributes:
        header: The lines of the header but the last, without line ends.
        columns: The names of the columns, the last line of the header.

    Args:
        file: The decompressed file.
        path: Its name in messages.

    Raises:
        SequenceFileError: The file is no VCF, or its header is damaged.
    """

    def __init__(self, file: IO[bytes], path: str) -> None:
        self._file, self._path, self._line = file, path, 0
        self.header: list[str] = []
        self.columns: list[str] = []
        for line in self._lines():
            if self._line == 1 and not line.startswith("#"):
                kind = "is BCF; convert it (bcftools view)" if line.startswith("BCF") else "is no VCF"
                raise SequenceFileError(f"{path}: {kind}; a VCF starts with ##fileformat=VCF")
            if line.startswith("##"):
                self.header.append(line)
                continue
            self.columns = line.split("\t")
            if tuple(self.columns[: len(COLUMNS)]) != COLUMNS:
                self._fail(f"the columns {' '.join(COLUMNS)}, separated by tabs, are expected")
            return
        raise SequenceFileError(f"{path}: has no line of columns ({' '.join(COLUMNS)})")

    def records(self) -> Iterator[VariantRecord]:
        """The records, in order.

        Raises:
            SequenceFileError: A line is no record; names it.
        """
        for line in self._lines():
            if not line:
                continue
            columns = line.split("\t")
            if len(columns) != len(self.columns):
                self._fail(f"has {len(columns):,} columns; {len(self.columns):,} are expected")
            if not (columns[1].isascii() and columns[1].isdigit() and len(columns[1]) < 16):
                self._fail(f"POS is {columns[1][:SHOWN]!r}; a number is expected")
            if not WORD.fullmatch(columns[3]):
                self._fail(f"REF is {columns[3][:SHOWN]!r}; bases are expected")
            if not all(columns[4].split(",")):
                self._fail("ALT has an empty allele")
            yield VariantRecord(f"{self._path}: line {self._line:,}", columns)

    def _lines(self) -> Iterator[str]:
        """The lines without their ends; bytes that are no UTF-8 are kept."""
        while line := self._file.readline(MAX_LINE + 1):
            self._line += 1
            if len(line) > MAX_LINE:
                self._fail(f"is longer than {MAX_LINE >> 20} MiB")
            if self._line == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            yield line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")

    def _fail(self, reason: str) -> NoReturn:
        raise SequenceFileError(f"{self._path}: line {self._line:,}: {reason}")


def of_texts(texts: Sequence[str]) -> list[VariantRecord]:
    """The records of texts `contig:position:ref>alt`.

    Raises:
        ArgumentError: A text is of another form.
    """
    found = []
    for text in texts:
        parts = TEXT.fullmatch(text.strip())
        position = parts["position"].replace(",", "") if parts else ""
        if parts is None or not position or len(position) > 15:
            raise ArgumentError(
                f"variant={text[:SHOWN]}: a file, or a text such as chr20:1234:A>G is expected; write "
                "deletions and insertions with the base before them, as VCF does (chr20:1234:AC>A)"
            )
        columns = (parts["contig"], position, ".", parts["ref"], parts["alt"], ".", ".", ".")
        found.append(VariantRecord(text.strip(), columns))
    return found


class Fitting:
    """Puts the alternatives of records into windows of a reference.

    Args:
        reference: The reference.
        window: Bases of a window.
        skip_unfitting: Skip what does not fit the reference, instead of an error.
    """

    def __init__(self, reference: Reference, window: int, *, skip_unfitting: bool = False) -> None:
        self._reference, self._window, self._skip = reference, window, skip_unfitting

    def alternatives(self, record: VariantRecord) -> list[WindowEdit | str]:
        """Each alternative of a record in its window, or the reason why it is skipped.

        Raises:
            SequenceFileError: The contig is unknown, the position outside, or REF not what stands there.
        """
        ref = record.ref.upper()
        found: list[WindowEdit | str] = [self._reason(ref, each) for each in record.alternatives]
        if all(found):
            return found
        if unfitting := self._unfitting(record, ref):
            return [each or unfitting for each in found]
        contig, start = self._reference.contigs[record.contig], record.position - 1
        for number, each in enumerate(record.alternatives):
            if not found[number]:
                edit = Edit(start, start + len(ref), each.upper())
                found[number] = WindowEdit.around(contig, edit, self._window)
        return found

    def _reason(self, ref: str, alternative: str) -> str:
        """Why an alternative cannot be scored, whatever the reference; "" if it can."""
        kinds = {".": "no_alternative", "*": "overlapping_deletion", "<*>": "symbolic"}
        if alternative in kinds:
            return kinds[alternative]
        if alternative.startswith("<"):
            return "symbolic"
        if any(mark in alternative for mark in "[]."):
            return "breakend"
        after = alternative.upper()
        if not _is_bases(ref) or not _is_bases(after):
            return "other_symbols"
        if ref == after:
            return "no_change"
        changed = WindowEdit.trimmed(ref, after)
        return "too_long" if max(map(len, changed[:2])) > self._window // 2 else ""

    def _unfitting(self, record: VariantRecord, ref: str) -> str:
        """Why a record does not fit the reference; "" if it does."""
        contig = self._reference.contigs.get(record.contig)
        if contig is None:
            reason = f"has no contig {record.contig[:SHOWN]!r}; it has {self._reference.names}"
            return self._fail(record, "unknown_contig", reason)
        start, end = record.position - 1, record.position - 1 + len(ref)
        if start < 0 or end > len(contig):
            place = f"{record.contig}:{record.position:,} of {len(ref):,} bases"
            return self._fail(
                record, "outside", f"has not {place}: {record.contig} has {len(contig):,} bases"
            )
        there = bases_of(contig, start, end)
        if there != ref:
            place = f"{record.contig}:{record.position:,}"
            reason = f"has {there[:SHOWN]} at {place}, and REF is {ref[:SHOWN]}; is it of another assembly?"
            return self._fail(record, "other_reference", reason)
        return ""

    def _fail(self, record: VariantRecord, kind: str, reason: str) -> str:
        if self._skip:
            return kind
        raise SequenceFileError(
            f"{record.place}: {self._reference.path} {reason} (--unfitting skip leaves such variants out)"
        )


def utf8(text: str) -> str:
    """A text without the bytes that are no UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _is_bases(allele: str) -> bool:
    return not allele.translate(BASES_DROPPED)


BASES_DROPPED = str.maketrans("", "", "ACGT")
