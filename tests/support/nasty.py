"""Sequence files that are hard to read: random ones, spoiled ones, and ones with a feature at a chosen byte.

The random files hold what real files hold now and then: every line end, blanks and empty lines, runs of N
and of lower case, IUPAC codes, titles of any bytes, records without symbols and with the name of another.
Most of them are read, and some are refused; what a reader says of each is compared, not prescribed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

LF, CRLF, CR = b"\n", b"\r\n", b"\r"
LINE_ENDS = (LF, LF, LF, CRLF, CR)
TITLES = (
    b"a",
    b"a x",
    b"chr1 Homo sapiens",
    "café déjà vu".encode(),
    b"caf\xe9",
    b"caf\\xe9",
    b"two>three >four",
    b"",
    b" blank first",
    b"tab\tafter",
    b"@at",
    b"+plus",
    "\u2028line separator".encode(),
    b"t" * 5000,
)
FAULTS = (
    *(bytes([byte]) for byte in b"\r\n>@+ \t\0;#-*.EU1\x0c\x1a\x85\xe9\\"),
    b"\r\n",
    b"\n>z\r",
    b"\r" * 9,
    b"\n\n",
    b"\n+\n",
    b"\xef\xbb\xbf",
)


def drawn(dice: random.Random, kind: bytes, length: int) -> bytes:
    """So many symbols out of some."""
    return dice.randbytes(length).translate((kind * 256)[:256])


def symbols(dice: random.Random, length: int) -> bytes:
    """Symbols of one kind or of several, in runs."""
    kinds = (b"ACGT", b"ACGT", b"ACGT", b"acgt", b"N", b"n", b"ACGTRYKMSWBDHV", b"A", b"ACGTU-.")
    parts, left = [], length
    while left > 0:
        size = min(left, dice.choice((1, 7, 40, 300, 5000)))
        kind = kinds[0] if dice.random() < 0.6 else dice.choice(kinds)
        parts.append(drawn(dice, kind, size))
        left -= size
    return b"".join(parts)


def lines(dice: random.Random, sequence: bytes, end: bytes) -> bytes:
    """Lines of one width; now and then of any width, with blanks and empty lines between them."""
    width = dice.choice((1, 3, 60, 60, 61, 80, 1000, max(1, len(sequence))))
    if len(sequence) > 2000:
        width = max(width, 50)
    if dice.random() < 0.75:
        return b"".join(sequence[at : at + width] + end for at in range(0, len(sequence), width))
    parts, at = [], 0
    while at < len(sequence):
        size = dice.randrange(1, 2 * width + 1)
        parts.append(sequence[at : at + size] + dice.choice((b"", b"", b"", b" ", b"\t ", end)) + end)
        at += size
    return b"".join(parts)


def fasta(dice: random.Random, num_symbols: int, end: bytes) -> bytes:
    """A file of FASTA with about so many symbols."""
    parts, left = [], num_symbols
    while left > 0 or not parts:
        length = min(left, dice.choice((0, 1, 5, 60, 60, 61, 500, 20_000, num_symbols)))
        title = dice.choice(TITLES) if dice.random() < 0.3 else b"r%d" % dice.randrange(50)
        blank = dice.choice((b"", b"", b"", b"", end, b" " + end)) if parts else b""
        parts.append(b">" + title + end + blank + lines(dice, symbols(dice, length), end))
        left -= max(1, length)
    return b"".join(parts)


def fastq(dice: random.Random, num_symbols: int, end: bytes) -> bytes:
    """A file of FASTQ with about so many symbols; records may have several lines."""
    parts, left, is_plain = [], num_symbols, dice.random() < 0.5
    fixed = dice.choice((36, 100, 150))
    while left > 0 or not parts:
        length = fixed if is_plain else dice.choice((0, 1, 36, 150, 151, 3000))
        title = b"r%d" % len(parts) if is_plain else dice.choice(TITLES)
        sequence = drawn(dice, b"ACGT", length) if dice.random() < 0.8 else symbols(dice, length)
        quality = drawn(dice, b"@+>I!~5", length)
        width = length if is_plain or dice.random() < 0.6 else dice.choice((1, 10, 60))
        cut = [range(0, length, max(1, width))] * 2
        read, rated = (
            b"".join(text[at : at + width] + end for at in places) or end
            for text, places in zip((sequence, quality), cut, strict=True)
        )
        again = title if dice.random() < 0.2 else b""
        parts.append(b"@" + title + end + read + b"+" + again + end + rated)
        if not is_plain and dice.random() < 0.1:
            parts.append(end)
        left -= max(1, length)
    return b"".join(parts)


def random_file(dice: random.Random, num_symbols: int) -> bytes:
    """A file with about so many symbols, of either format, perhaps without its last line end."""
    end = dice.choice(LINE_ENDS)
    text = (fasta if dice.random() < 0.65 else fastq)(dice, num_symbols, end)
    what = dice.random()
    if what < 0.15:
        return text.removesuffix(end)
    if what < 0.2:
        return text + b">last title" + dice.choice((b"", end))
    if what < 0.25:
        return text + end * 3
    return text


def spoiled(dice: random.Random, text: bytes) -> bytes:
    """The file with one to three faults, anywhere or near its end."""
    for _ in range(dice.choice((1, 1, 2, 3))):
        at = dice.randrange(len(text) + 1) if dice.random() < 0.8 else max(0, len(text) - dice.randrange(200))
        what = dice.random()
        if what < 0.5:
            text = text[:at] + dice.choice(FAULTS) + text[at:]
        elif what < 0.7:
            text = text[:at] + dice.choice(FAULTS) + text[at + 1 :]
        elif what < 0.85:
            text = text[:at] + text[at + dice.randrange(1, 100) :]
        else:
            text = text[:at]
    return text


# -- features at a chosen byte ------------------------------------------------------------------------

FEATURES: dict[str, bytes] = {
    "a line end": b"\nACGTACGT\n",
    "a title": b"\n>b c\nACGTTGCA\n",
    "empty records": b"\n>b\n>b\n\n>c\nACGT\n",
    "an empty line": b"\n\nACGTACGT\n",
    "blanks": b"A \t CGTACGT\n",
    "N": b"N" * 70 + b"ACGTACGT\n",
    "lower case": b"acgtacgt" * 9 + b"ACGT\n",
    "an IUPAC code": b"RACGTACGT\n",
    "a title of UTF-8": "\n>é \u2028>x\nACGT\n".encode(),
    "a long title": b"\n>" + b"t" * 9000 + b"\nACGT\n",
    "the end": b"",
    "the last line end": b"\n",
    "a last title": b"\n>last",
    "a last title with its line end": b"\n>last\n",
    "a CR": b"\rACGT\n",
    "two line ends that differ": b"\r\nACGT\nACGT\r\n",
    "an amino acid": b"EACGT\n",
    "a byte that is no symbol": b"1ACGT\n",
    "NUL in a title": b"\n>b\0c\nACGT\n",
    "two faults": b"\0ACGT\n" + b"ACGTACGT\n" * 300 + b"1\n",
}
"""Each starts inside a line of bases."""


def with_feature(feature: bytes, at: int, end: bytes, width: int = 60) -> bytes:
    """FASTA in lines of one width in which the feature starts at this byte, with more bases after it."""
    feature = feature.replace(LF, end)
    head = b">a of a test" + end
    line = (b"ACGTTGCAAC" * (width // 10 + 1))[:width] + end
    whole, rest = divmod(at - len(head), len(line))
    if rest > width:  # inside a line end of two bytes
        head, whole, rest = head[: -len(end)] + b"x" * 5 + end, *divmod(at - len(head) - 5, len(line))
    text = head + line * whole + line[:rest] + feature
    return text + line * 40 if feature.endswith(end) and len(feature) > len(end) else text


def reads_with_byte(which: int, at: int, end: bytes, fault: bytes = b"") -> bytes:
    """FASTQ of equal reads in which byte `which` of a read, counted from its title, stands at byte `at`.

    A fault, if any, is put before this byte.
    """
    read = b"@r1" + end + b"ACGTTGCAACGGT" * 3 + end + b"+" + end + b"@+>!I" * 7 + b"@@@@" + end
    first, which = b"@f", which % len(read)
    rest = read[3:]
    padding = (at - which - len(first) - len(rest)) % len(read)
    head = first + b"x" * padding + rest
    num_reads = max(1, (at - which - len(head)) // len(read))
    text = head + read * num_reads
    return text[: len(text) + which] + read[:which] + fault + read[which:] + read * 40


READ_BYTES = 3 + 39 + 1 + 39
"""Bytes of a read of `reads_with_byte` without its line ends."""


def near(borders: tuple[int, ...], reach: int = 3) -> Iterator[int]:
    """The bytes around each border."""
    for border in borders:
        yield from range(border - reach, border + reach + 1)
