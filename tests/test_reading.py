"""Every reader of sequence files against the contract in plain Python, on mutated files.

GENOTOK_MUTATED_FILES says how many, 100,000 if it says nothing. For each of them `check` has an error exactly
if the contract refuses it. Those that the contract reads are read alike by what encodes (names and symbols)
and by what trains (words and counts). A part of those that it refuses is given to both, file by file.
"""

from __future__ import annotations

import base64
import hashlib
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import genotok
from genotok import _native
from genotok.options import ReadOptions, RowOptions, RunOptions
from tests.support.reading import Refused, parse, words

NUM_FILES = int(os.environ.get("GENOTOK_MUTATED_FILES", "100000"))
BATCH = 5_000
ALONE = 64
"""One in so many refused files is also encoded and packed alone: a call for each takes most of the time."""

SEEDS = [
    b">a x\nACGT\nACGT\nAC\n>b\nNNNN\n\nacgt\n>c\n",
    b">chr1 Homo sapiens\nACGTTGCATGCAACGT\nACGTTGCATG\n>chr2\nGGGG\n",
    b">one\nACGTRYK-N.\n>two>three\nAC GT\tAC\n",
    b"@a x\nACGT\n+\nIIII\n@b\nAC\nGT\n+b\n@I\n@+\n@c\n\n+\n\n@d\nA\n+\n@\n",
    b"@r1 1:N:0\nACGTACGT\n+\nFFFFFFFF\n@r2 1:N:0\nACGTACGN\n+r2 1:N:0\nFFFF,,:#\n",
    b">caf\xe9\nACGT\n>caf\xc3\xa9\nAC\n>caf\\xe9\nA\n",
    b">p\nMKLVEF\n>q\nACGU\n",
]
LINE_ENDS = [b"\n", b"\n", b"\n", b"\r\n", b"\r", b"\r\r\n", b"\n\r", b"\r" * 8 + b"\n", b"\r" * 9 + b"\n"]
NASTY = [
    *(bytes([byte]) for byte in b"\r\n\r\n>@+ \t\0;#-*.ENU1I\x0c\x0b\x1a\x85\xe9\xc3\\"),
    b"\xe2\x80\xa8",
    b"\xef\xbb\xbf",
    b"\\x41",
    b"\r\n",
    b"\n>z\r",
    b"\r" * 9,
]


def with_line_ends(text: bytes, dice: random.Random) -> bytes:
    """A seed with line ends of one kind, or of any."""
    if dice.random() < 0.85:
        return text.replace(b"\n", dice.choice(LINE_ENDS))
    return b"".join(line + dice.choice(LINE_ENDS) for line in text.split(b"\n"))


def mutated(dice: random.Random) -> bytes:
    """A file that is near enough to a right one."""
    text = with_line_ends(dice.choice(SEEDS), dice)
    if dice.random() < 0.25:
        text += with_line_ends(dice.choice(SEEDS), dice)
    for _ in range(dice.choice((0, 0, 1, 1, 1, 2, 3))):
        at, what = dice.randrange(len(text) + 1), dice.random()
        if what < 0.5:
            text = text[:at] + dice.choice(NASTY) + text[at:]
        elif what < 0.7:
            text = text[:at] + dice.choice(NASTY)[:1] + text[at + 1 :]
        elif what < 0.8:
            text = text[:at] + text[at + dice.randrange(1, 4) :]
        elif what < 0.9:
            text = text[:at]
        elif at < len(text):
            text = text[:at] + bytes([text[at] ^ 1 << dice.randrange(8)]) + text[at + 1 :]
    return text


def expected(text: bytes) -> tuple[list[tuple[str, str]] | None, list[str] | None]:
    """The records and the words of a file, each None if it is refused."""
    records = taken = None
    try:
        parsed = parse(text)
        records = [(record.name, record.symbols) for record in parsed]
        taken = words(parsed)
    except Refused:
        pass
    return records, taken


def refget(symbols: str) -> str:
    digest = hashlib.sha512(symbols.upper().encode()).digest()[:24]
    return "SQ." + base64.urlsafe_b64encode(digest).decode()


# -- the differential test ---------------------------------------------------------------------------


class Readers:
    """The commands' readers on files in memory; what differs from the contract."""

    def __init__(self, folder: Path, tokenizer: _native.Tokenizer) -> None:
        self.packed = folder / "all.pack"
        self.paths = [str(folder / f"{number}.fa") for number in range(BATCH)]
        self.tokenizer = tokenizer
        self.differences: list[tuple[str, bytes]] = []

    def compare(self, texts: list[bytes], dice: random.Random) -> None:
        """Write files, let every reader read them, and compare."""
        answers = [expected(text) for text in texts]
        paths = self.paths[: len(texts)]
        for path, text in zip(paths, texts, strict=True):
            with open(path, "wb", buffering=0) as file:
                file.write(text)
        reports = _native.check(paths, 1, 1.0, RunOptions())
        for text, report, (records, taken) in zip(texts, reports, answers, strict=True):
            self.expect("check", text, report["errors"] == 0, taken is not None)
            if records is not None:
                found = (report["records"], report["symbols"]["total"])
                self.expect("check", text, found, (len(records), sum(len(symbols) for _, symbols in records)))
        whole = zip(paths, texts, answers, strict=True)
        readable = [
            (path, text, records)
            for path, text, (records, taken) in whole
            if records is not None and taken is not None
        ]
        self.encode([path for path, _, _ in readable], readable)
        trained = [
            (path, taken) for path, (_, taken) in zip(paths, answers, strict=True) if taken is not None
        ]
        if trained:
            self.pack([path for path, _ in trained])
            self.expect(
                "pack", b"", packed_words(self.packed), [word for _, taken in trained for word in taken]
            )
        for path, text, (_, taken) in zip(paths, texts, answers, strict=True):
            if taken is None and dice.randrange(ALONE) == 0:
                self.expect("pack", text, refuses(lambda path=path: self.pack([path])), True)
                self.expect("encode", text, refuses(lambda path=path: self.rows([path])), True)

    def expect(self, who: str, text: bytes, found: object, right: object) -> None:
        if found != right:
            self.differences.append((f"{who}: {found!r}, not {right!r}"[:500], text))

    def pack(self, paths: list[str]) -> None:
        _native.pack(paths, str(self.packed), 1.0, RunOptions())

    def rows(self, paths: list[str]) -> tuple[list[str], list[dict[str, Any]]]:
        """The names of all rows, and the digests of all records."""
        rows = RowOptions(unknown="token", uppercase=True, allow_unknown=1.0)
        read = ReadOptions(batch_bases=1_000_000, digests=True, need_bases=False)
        reader = self.tokenizer.encode_files(paths, rows, read, RunOptions())
        names = [name for batch in reader for name in batch.records]
        return names, reader.report()["digests"]

    def encode(self, paths: list[str], readable: list[tuple[str, bytes, list[tuple[str, str]]]]) -> None:
        names, digests = self.rows(paths)
        right = [(path, *record) for path, _, records in readable for record in records]
        self.expect("encode", b"", names, [name for _, name, _ in right])
        found = [(one["file"], one["record"], one["length"], one["digest"]) for one in digests]
        self.expect(
            "encode",
            b"",
            found,
            [(path, name, len(symbols), refget(symbols)) for path, name, symbols in right],
        )


def refuses(call: Callable[[], object]) -> bool:
    try:
        call()
    except (genotok.SequenceFileError, genotok.SymbolError):
        return True
    return False


def packed_words(path: Path) -> list[str]:
    """The words of a packed file."""
    data = path.read_bytes()
    number = int.from_bytes(data[16:24], "little")
    arena = data[192 + 8 * number :]
    found, start = [], 0
    for at in range(192, 192 + 8 * number, 8):
        end = int.from_bytes(data[at : at + 8], "little")
        bases = "".join(FOUR[byte] for byte in arena[start // 4 : (end + 3) // 4])
        found.append(bases[: end - start])
        start = (end + 3) // 4 * 4
    return found


FOUR = ["".join("ACGT"[byte >> shift & 3] for shift in (0, 2, 4, 6)) for byte in range(256)]


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder for many small files: in memory, where the system has that."""
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place or tmp_path) as folder:
        yield Path(folder)


@pytest.mark.timeout(120 + NUM_FILES // 500)  # seconds
def test_mutated_files_are_read_as_the_contract_says(memory: Path, train_words: Callable[..., Any]) -> None:
    dice = random.Random(17)
    readers = Readers(memory, train_words(["ACGT"], vocab_size=9))
    for done in range(0, NUM_FILES, BATCH):
        readers.compare([mutated(dice) for _ in range(min(BATCH, NUM_FILES - done))], dice)
        assert readers.differences == []
