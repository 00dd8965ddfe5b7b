"""The files that the cases read, made from one genome when a case asks for them."""

from __future__ import annotations

import gzip
import lzma
import subprocess
import sys
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Paths = tuple[str, ...]

LINE = 60
"""Symbols in a line of the files written here."""
LEVEL = 6
"""Of gzip, as the program's default."""
BGZF_BYTES = 0xFF00
"""Text in a BGZF block, as bgzip cuts it."""
PARTS = 4
READ_BASES = 150
SHORT_BASES = 36
CHUNK_BASES = 50_000_000

WRITE_ONE_RECORD = """\
import sys
from genotok import _native
path, num_bases, chunk, line = sys.argv[1], *map(int, sys.argv[2:])
with open(path, "wb") as file:
    file.write(b">simulated\\n")
    for number, start in enumerate(range(0, num_bases, chunk)):
        part = _native.simulate(min(chunk, num_bases - start), number)
        file.writelines(part[at : at + line] + b"\\n" for at in range(0, len(part), line))
"""


@dataclass(frozen=True)
class Sizes:
    """How many short records, small files and bases of them; and bases of the longest record."""

    short_records: int = 2_000_000
    small_files: int = 5000
    small_bases: int = 5000
    long_bases: int = 2_000_000_000


class Sources:
    """Sequence files in a folder, each written once.

    Attributes:
        name: The name of the first record of the genome.
        bases: Symbols of its sequence, N among them.
    """

    def __init__(self, folder: Path, genome: Path, sizes: Sizes) -> None:
        self.folder, self.sizes = folder, sizes
        packed = genome.read_bytes()
        text = gzip.decompress(packed) if packed.startswith(b"\x1f\x8b") else packed
        first, _, rest = text.partition(b"\n")
        end = rest.find(b"\n>")
        lines = rest if end < 0 else rest[: end + 1]
        self.name = first[1:].split()[0].decode()
        self.sequence = lines.replace(b"\r", b"").replace(b"\n", b"")
        self.bases = len(self.sequence)

    @cached_property
    def text(self) -> bytes:
        """The genome as FASTA: one record, lines of one width."""
        return self.record(self.name, self.sequence)

    @staticmethod
    def record(name: str, sequence: bytes) -> bytes:
        """A record of FASTA."""
        lines = (sequence[at : at + LINE] for at in range(0, len(sequence), LINE))
        return b">" + name.encode() + b"\n" + b"\n".join(lines) + b"\n"

    def write(self, name: str, data: bytes) -> str:
        """Write a file of the folder."""
        path = self.folder / name
        path.write_bytes(data)
        return str(path)

    @cached_property
    def plain(self) -> Paths:
        """The genome, plain."""
        return (self.write("plain.fa", self.text),)

    @cached_property
    def gzip(self) -> Paths:
        """The genome in one gzip member."""
        return (self.write("one-member.fa.gz", gzip.compress(self.text, LEVEL, mtime=0)),)

    @cached_property
    def bgzf(self) -> Paths:
        """The genome in BGZF."""
        return (self.write("blocks.fa.gz", bgzf(self.text)),)

    @cached_property
    def xz(self) -> Paths:
        """The genome as xz of the lowest level: the others take minutes to write."""
        return (self.write("genome.fa.xz", lzma.compress(self.text, preset=0)),)

    @cached_property
    def zstd(self) -> Paths:
        """The genome as zstd."""
        import pyarrow as pa  # noqa: PLC0415 - only for this file

        return (self.write("genome.fa.zst", pa.compress(self.text, "zstd", asbytes=True)),)

    @cached_property
    def masked(self) -> Paths:
        """The genome with half of its symbols in lower case, in runs of 300 on average."""
        symbols = np.frombuffer(self.sequence, np.uint8).copy()
        dice = np.random.default_rng(20)
        ends = np.cumsum(1 + dice.geometric(1 / 300, 2 + self.bases // 300))
        for start, end in zip(ends[0::2].tolist(), ends[1::2].tolist(), strict=False):
            symbols[start:end] |= 0x20
        return (self.write("masked.fa", self.record(self.name, symbols.tobytes())),)

    @cached_property
    def parts(self) -> list[bytes]:
        """The genome in four records, a file each."""
        size = -(-self.bases // PARTS)
        return [
            self.record(f"part{number}", self.sequence[number * size : (number + 1) * size])
            for number in range(PARTS)
        ]

    @cached_property
    def four(self) -> Paths:
        """The genome in four plain files."""
        return tuple(self.write(f"part{number}.fa", part) for number, part in enumerate(self.parts))

    @cached_property
    def four_gzip(self) -> Paths:
        """The genome in four files of one gzip member."""
        return tuple(
            self.write(f"part{number}.fa.gz", gzip.compress(part, LEVEL, mtime=0))
            for number, part in enumerate(self.parts)
        )

    @cached_property
    def fasta_reads(self) -> Paths:
        """Reads of the genome, as many bases as it has, a line each."""
        return (self.write("reads.fa", self._reads(self.bases // READ_BASES, READ_BASES, fastq=False)),)

    @cached_property
    def fastq_reads(self) -> Paths:
        """The same reads with qualities."""
        return (self.write("reads.fq", self._reads(self.bases // READ_BASES, READ_BASES, fastq=True)),)

    @cached_property
    def short_reads(self) -> Paths:
        """Many reads of few bases."""
        return (self.write("short.fa", self._reads(self.sizes.short_records, SHORT_BASES, fastq=False)),)

    @cached_property
    def small(self) -> Paths:
        """Many files of a few thousand bases."""
        folder = self.folder / "small"
        folder.mkdir()
        size = self.sizes.small_bases
        starts = np.random.default_rng(size).choice(self._starts(size), self.sizes.small_files)
        for number, start in enumerate(starts.tolist()):
            text = self.record(f"contig{number}", self.sequence[start : start + size])
            (folder / f"{number:05}.fa").write_bytes(text)
        return (str(folder / "*.fa"),)

    def copies(self, number: int, *, packed: bool) -> Paths:
        """So many names of the plain or the gzip file, with its content on disk once."""
        (path,) = self.gzip if packed else self.plain
        folder = self.folder / f"copies-{number}{'-gz' if packed else ''}"
        if not folder.exists():
            folder.mkdir()
            for copy in range(number):
                (folder / f"{copy:02}.fa{'.gz' if packed else ''}").hardlink_to(path)
        return tuple(sorted(map(str, folder.iterdir())))

    @cached_property
    def long_record(self) -> Paths:
        """One record of simulated DNA in lines of one width, written by another process."""
        path = str(self.folder / "long.fa")
        numbers = map(str, (self.sizes.long_bases, CHUNK_BASES, LINE))
        subprocess.run([sys.executable, "-c", WRITE_ONE_RECORD, path, *numbers], check=True)
        return (path,)

    def _starts(self, length: int) -> NDArray[np.int64]:
        """Starts of stretches of so many symbols, all of them bases."""
        whole = np.frombuffer(self.sequence, np.uint8)
        known = np.isin(whole, np.frombuffer(b"ACGTacgt", np.uint8))
        unknown_before = np.concatenate(([0], np.cumsum(~known)))
        return np.flatnonzero(unknown_before[length:] == unknown_before[: len(whole) - length + 1])

    def _reads(self, number: int, length: int, *, fastq: bool) -> bytes:
        """Reads of one length, from random places without unknown symbols."""
        dice = np.random.default_rng(length)
        starts = dice.choice(self._starts(length), number)
        symbols = np.lib.stride_tricks.sliding_window_view(np.frombuffer(self.sequence, np.uint8), length)
        columns = [_titles(number, b"@" if fastq else b">"), symbols[starts], _repeated(b"\n", number)]
        if fastq:
            columns += [_repeated(b"+\n" + b"I" * length + b"\n", number)]
        return np.concatenate(columns, axis=1).tobytes()


def bgzf(text: bytes, size: int = BGZF_BYTES, level: int = LEVEL) -> bytes:
    """Text in BGZF blocks of `size` bytes of text, with the end marker."""
    parts = [text[at : at + size] for at in range(0, len(text), size)]
    return b"".join(_bgzf_block(part, level) for part in [*parts, b""])


def _bgzf_block(text: bytes, level: int) -> bytes:
    """A block: a gzip member whose header has its size."""
    packer = zlib.compressobj(level, wbits=-15)
    packed = packer.compress(text) + packer.flush()
    head = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0" + (len(packed) + 25).to_bytes(2, "little")
    return head + packed + zlib.crc32(text).to_bytes(4, "little") + len(text).to_bytes(4, "little")


def _repeated(text: bytes, number: int) -> NDArray[np.uint8]:
    """A row of bytes so many times."""
    return np.broadcast_to(np.frombuffer(text, np.uint8), (number, len(text)))


def _titles(number: int, mark: bytes) -> NDArray[np.uint8]:
    """Title lines of one width: the mark, `r` and eight digits."""
    digits = np.arange(number)[:, None] // 10 ** np.arange(7, -1, -1) % 10 + ord("0")
    return np.concatenate(
        [_repeated(mark + b"r", number), digits.astype(np.uint8), _repeated(b"\n", number)], axis=1
    )
