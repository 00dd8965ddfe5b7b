"""The reader's contract in plain Python: simple and slow, a whole file at once.

The documentation of `rust/src/io/fasta.rs` states the same contract. `parse` returns the records of a FASTA
or FASTQ file, `words` the words of records as training reads them; both raise `Refused` for what is not read.
"""

from __future__ import annotations

import re
from collections import deque
from typing import NamedTuple

LF, CR = b"\n", b"\r"
BLANKS = b" \t"
SYMBOLS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-.*"
QUALITIES = bytes(range(ord("!"), ord("~") + 1))
NO_NUCLEOTIDE = re.compile(r"[EFIJLOPQXZ*]", re.IGNORECASE)
BASES = re.compile(r"[ACGT]+")

MAX_RETURNS = 8
"""CR that may stand before the LF of a line."""
MAX_TITLE = 1 << 20
HEAD = 256 << 10
"""The first line end is looked for in so many bytes."""


class Refused(Exception):  # noqa: N818 - an answer, not an error
    """The file is not read."""


class Record(NamedTuple):
    """A record of a file."""

    name: str
    symbols: str


def parse(text: bytes) -> list[Record]:
    """The records of a file."""
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refused("UTF-16")
    text = text.removeprefix(b"\xef\xbb\xbf")
    end = line_end(text[:HEAD])
    lines = text.split(end)
    if lines[-1] == b"":
        lines.pop()  # what follows the last line end is no line
    lines = skip_blank(lines, end)
    if not lines:
        raise Refused("nothing in it")
    if lines[0].startswith(b">"):
        return list(fasta(lines, end))
    if lines[0].startswith(b"@"):
        return list(fastq(lines, end))
    raise Refused("neither > nor @ comes first")


def line_end(head: bytes) -> bytes:
    """LF, or CR if the first line ends with CR and something other than LF follows."""
    return CR if re.match(rb"[^\r\n]*+\r++[^\n]", head) else LF


def skip_blank(lines: list[bytes], end: bytes) -> list[bytes]:
    """The lines from the first on that has more than white space."""
    white = BLANKS + (CR if end == LF else b"")
    start = next((number for number, line in enumerate(lines) if line.strip(white)), len(lines))
    return lines[start:]


def content(line: bytes) -> bytes:
    """A line without the CR before its LF; of too many, one stays and is found at fault."""
    rest = line.rstrip(CR)
    return rest if len(line) - len(rest) <= MAX_RETURNS else rest + CR


def title_of(line: bytes, end: bytes) -> bytes:
    """A title without its mark and without blanks at its end."""
    title = content(line)[1:]
    if len(title) > MAX_TITLE or b"\0" in title or (CR if end == LF else LF) in title:
        raise Refused("no title")
    return title.rstrip(BLANKS)


def name_of(title: bytes) -> str:
    """The first word of a title as text: bytes that are not UTF-8 as backslash, x and two digits."""
    name = re.split(rb"[ \t]", title.lstrip(BLANKS), maxsplit=1)[0]
    pieces = re.split(rb"(\\)(?=x[0-9a-f]{2})", name)
    return "".join(
        r"\x5c" if at % 2 else part.decode(errors="backslashreplace") for at, part in enumerate(pieces)
    )


def fasta(lines: list[bytes], end: bytes) -> list[Record]:
    """The records of FASTA: blanks between symbols are skipped."""
    records: list[tuple[str, list[bytes]]] = []
    for line in lines:
        if line.startswith(b">"):
            records.append((name_of(title_of(line, end)), []))
            continue
        symbols = content(line).translate(None, BLANKS)
        if symbols.strip(SYMBOLS):
            raise Refused("not a symbol")
        records[-1][1].append(symbols)
    return [Record(name, b"".join(symbols).decode()) for name, symbols in records]


def fastq(lines: list[bytes], end: bytes) -> list[Record]:
    """The records of FASTQ: as many qualities as symbols, whatever the lines."""
    records, rest = [], deque(lines)
    white = BLANKS + (CR if end == LF else b"")
    while rest:
        if not rest[0].strip(white):
            rest.popleft()
            continue
        if not rest[0].startswith(b"@"):
            raise Refused("no title")
        title, symbols, num_qualities = title_of(rest.popleft(), end), b"", 0
        while rest and not rest[0].startswith(b"+"):
            symbols += content(rest.popleft())
        if symbols.strip(SYMBOLS) or not rest:
            raise Refused("not a symbol, or no plus line")
        if title_of(rest.popleft(), end) not in {b"", title}:
            raise Refused("another title after the plus sign")
        while num_qualities < len(symbols):
            quality = content(rest.popleft()) if rest else b""
            if not quality or quality.strip(QUALITIES):
                raise Refused("no quality, or not enough")
            num_qualities += len(quality)
        if num_qualities > len(symbols):
            raise Refused("too much quality")
        records.append(Record(name_of(title), symbols.decode()))
    return records


def words(records: list[Record]) -> list[str]:
    """The words of all records, in their order."""
    if not any(record.symbols for record in records):
        raise Refused("no symbol")
    if any(NO_NUCLEOTIDE.search(record.symbols) for record in records):
        raise Refused("no nucleotide")
    return [word for record in records for word in BASES.findall(record.symbols.upper())]


def windows(num_symbols: int, window: int | None, stride: int | None) -> list[tuple[int, int]]:
    """Where the windows of a record are; the last may be shorter, and none lies inside the one before it."""
    if window is None:
        return [(0, num_symbols)]
    places: list[tuple[int, int]] = []
    for start in range(0, num_symbols, stride or window):
        end = min(start + window, num_symbols)
        if not places or end > places[-1][1]:
            places.append((start, end))
    return places


def known_runs(symbols: str, start: int, end: int, *, uppercase: bool) -> list[tuple[int, int]]:
    """The runs of bases in a part of a record, which the policy "split" makes rows of."""
    bases = re.compile("[ACGTacgt]+" if uppercase else "[ACGT]+")
    return [found.span() for found in bases.finditer(symbols, start, end)]
