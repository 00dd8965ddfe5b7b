"""The contigs of a FASTA file by name, read from a temporary file that is mapped into memory.

The file is read once, whatever its compression, and copied without line ends and in upper case: one byte per
base in the folder of temporary files (`TMPDIR`). Pages of it are loaded when they are used and can be dropped
by the system, so that memory does not depend on the genome.
"""

from __future__ import annotations

import mmap
import tempfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from genotok.errors import ArgumentError, SequenceFileError
from genotok.files.reading import errors_name
from genotok.rows.opening import InputFile, head_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

__all__ = ["Contig", "Reference"]

BLOCK = 1 << 22
MAX_TITLE = 1 << 20
"""Bytes of the longest title."""

SYMBOLS = b"ACGTUNRYSWKMBDHV-."
UPPER = bytes(range(256)).upper()
DROPPED = b"\r\n\t "
NAMES_SHOWN = 8


@dataclass(frozen=True, slots=True, eq=False)
class Contig:
    """A sequence of a reference; slices of it are upper-case bytes.

    Attributes:
        name: The first word of its title.
        start: Where it starts in the mapped file.
        length: Its bases.
    """

    name: str
    start: int
    length: int
    mapped: mmap.mmap | bytes

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, key: slice) -> bytes:
        """Bases, from a place to another."""
        start, end, step = key.indices(self.length)
        if step != 1:
            raise ValueError(f"step={step}: 1 is expected")
        return bytes(self.mapped[self.start + start : self.start + max(start, end)])


class Reference:
    """Contigs by name.

    Attributes:
        path: The file.
        contigs: Name to contig, in the order of the file.
    """

    def __init__(self, path: str, contigs: Mapping[str, Contig]) -> None:
        self.path, self.contigs = path, contigs

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Reference:
        """Read a FASTA file: plain, gzip, bgzf, bzip2, xz or zstd.

        Raises:
            SequenceFileError: It is empty, damaged, not FASTA or not of nucleotides; or two records share a
                name.
            OSError: It cannot be read, or its copy cannot be written.
        """
        name = str(path)
        with tempfile.TemporaryFile(prefix="genotok-") as copy:
            source = InputFile.of(name, head_of(name))
            with source.opened() as file:
                places = _copied(file, copy, name)
            copy.flush()
            has_bases = copy.tell() > 0
            with errors_name(name):
                mapped = mmap.mmap(copy.fileno(), 0, access=mmap.ACCESS_READ) if has_bases else b""
        found = {each: Contig(each, start, end - start, mapped) for each, (start, end) in places.items()}
        return cls(name, found)

    def contig(self, name: str) -> Contig:
        """The contig of a name, exactly as the file has it.

        Raises:
            ArgumentError: There is none; says which names there are.
        """
        if name not in self.contigs:
            raise ArgumentError(f"{self.path}: has no contig {name!r}; it has {self.names}")
        return self.contigs[name]

    @property
    def names(self) -> str:
        """The names of the contigs, for a message."""
        shown = ", ".join(list(self.contigs)[:NAMES_SHOWN])
        more = len(self.contigs) - NAMES_SHOWN
        return f"{shown} and {more:,} more" if more > 0 else shown


def _copied(file: IO[bytes], copy: IO[bytes], path: str) -> dict[str, tuple[int, int]]:
    """Copy the bases of a FASTA file; the start and end of each record, by name."""
    places: dict[str, tuple[int, int]] = {}
    name = ""
    for text in _whole_titles(file, path):
        first, *titled = text.split(b"\n>")
        for number, part in enumerate([first, *titled]):
            bases = part
            if number:
                title, _, bases = part.partition(b"\n")
                name = (title.decode("utf-8", "replace").split() or [""])[0]
                if not name or name in places:
                    reason = f"the name {name!r} is there twice" if name else "a record has no name"
                    raise SequenceFileError(f"{path}: {reason}; contigs are looked up by name")
                places[name] = (copy.tell(), copy.tell())
            bases = bases.translate(UPPER, DROPPED)
            if bases and not name:
                raise SequenceFileError(f"{path}: is no FASTA file; one that starts with > is expected")
            _check_symbols(bases, f"{path}: record {name}", copy.tell() - places[name][0] if name else 0)
            copy.write(bases)
            if name:
                places[name] = (places[name][0], copy.tell())
    if not places:
        raise SequenceFileError(f"{path}: is empty; a FASTA file is expected")
    return places


def _whole_titles(file: IO[bytes], path: str) -> Iterator[bytes]:
    """Pieces of a file, as if there were a line end before it; no title is in two of them."""
    rest = b"\n"
    while data := file.read(BLOCK):
        text = rest + data
        title = text.rfind(b"\n>")
        is_open = title >= 0 and text.find(b"\n", title + 2) < 0  # the title may go on
        end = title if is_open else len(text) - text.endswith(b"\n")  # the next piece may start with a title
        if len(text) - end > MAX_TITLE:
            raise SequenceFileError(f"{path}: a title is longer than {MAX_TITLE:,} bytes")
        yield text[:end]
        rest = text[end:]
    yield rest


def _check_symbols(bases: bytes, place: str, before: int) -> None:
    """Raise an error for a symbol that stands for no nucleotide; `before` bases of the record come before."""
    if wrong := bases.translate(None, SYMBOLS):
        at = before + bases.index(wrong[:1]) + 1
        symbol = wrong[:1].decode("latin-1")
        raise SequenceFileError(f"{place}: {symbol!r} at base {at:,} stands for no nucleotide")
