"""The reader's contract in plain Python: a whole file at once, nothing fast, nothing clever.

The essay of `rust/src/io/fasta.rs` says the same in words. `parse` gives the records of a FASTA or FASTQ
file, or raises `Refused`; `words` gives what training takes of them, or raises it too.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LF, CR = b"\n", b"\r"
BLANKS = b" \t"
LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-.*"
QUALITIES = bytes(range(ord("!"), ord("~") + 1))
NO_NUCLEOTIDE = re.compile(r"[EFIJLOPQXZ*]", re.IGNORECASE)
BASES = re.compile(r"[ACGT]+")

MOST_RETURNS = 8
"""CR that may stand before the LF of a line."""
LONGEST_TITLE = 1 << 20
HEAD = 256 << 10
"""The first line end is looked for in so many bytes."""


class Refused(Exception):  # noqa: N818 - it is an answer and no fault
    """The file is not read."""


class Record(NamedTuple):
    """A record of a file."""

    name: str
    letters: str


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
    return rest if len(line) - len(rest) <= MOST_RETURNS else rest + CR


def title_of(line: bytes, end: bytes) -> bytes:
    """A title without its mark and without blanks at its end."""
    title = content(line)[1:]
    if len(title) > LONGEST_TITLE or b"\0" in title or (CR if end == LF else LF) in title:
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
    """The records of FASTA: blanks between letters are skipped."""
    records: list[tuple[str, list[bytes]]] = []
    for line in lines:
        if line.startswith(b">"):
            records.append((name_of(title_of(line, end)), []))
            continue
        letters = content(line).translate(None, BLANKS)
        if letters.strip(LETTERS):
            raise Refused("not a letter")
        records[-1][1].append(letters)
    return [Record(name, b"".join(letters).decode()) for name, letters in records]


def fastq(lines: list[bytes], end: bytes) -> list[Record]:
    """The records of FASTQ: as many qualities as letters, whatever the lines."""
    records = []
    while lines := skip_blank(lines, end):
        if not lines[0].startswith(b"@"):
            raise Refused("no title")
        title, letters, num_qualities = title_of(lines.pop(0), end), b"", 0
        while lines and not lines[0].startswith(b"+"):
            letters += content(lines.pop(0))
        if letters.strip(LETTERS) or not lines:
            raise Refused("not a letter, or no plus line")
        if title_of(lines.pop(0), end) not in {b"", title}:
            raise Refused("another title after the plus sign")
        while num_qualities < len(letters):
            quality = content(lines.pop(0)) if lines else b""
            if not quality or quality.strip(QUALITIES):
                raise Refused("no quality, or not enough")
            num_qualities += len(quality)
        if num_qualities > len(letters):
            raise Refused("too much quality")
        records.append(Record(name_of(title), letters.decode()))
    return records


def words(records: list[Record]) -> list[str]:
    """The words of all records, in their order."""
    if not any(record.letters for record in records):
        raise Refused("no letter")
    if any(NO_NUCLEOTIDE.search(record.letters) for record in records):
        raise Refused("no nucleotide")
    return [word for record in records for word in BASES.findall(record.letters.upper())]
