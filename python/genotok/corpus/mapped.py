"""Any stretch of any word of packed files, read from mapped files.

The layout of a packed file is in `docs/reference/files.md`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from genotok import _native
from genotok.files.reading import errors_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["PackedWords"]

HEADER = 192
NUM_WORDS, CHECKSUM = slice(16, 24), slice(112, 144)

BASES = np.frombuffer(b"ACGT", np.uint8)[np.arange(256)[:, None] >> np.arange(0, 8, 2) & 3]
"""The four bases of a byte, (256, 4)."""

COMPLEMENT = bytes.maketrans(b"ACGT", b"TGCA")


class PackedWords:
    """The words of packed files, in order; their bases stay in the files.

    Memory: 24 bytes per word. Each file is read once when it is opened, to compare both of its checksums.

    Args:
        paths: The packed files.

    Attributes:
        paths: The packed files.
        checksums: The BLAKE3 sum of the words of each file, in hexadecimal digits.
        files: The file of each word, by number, (W,).
        starts: The place of the first base of each word in its file, (W,).
        lengths: The bases of each word, (W,).

    Raises:
        SequenceFileError: A file is damaged or not packed.
        OSError: A file cannot be read.
    """

    def __init__(self, paths: Sequence[str | os.PathLike[str]]) -> None:
        self.paths = [os.fspath(path) for path in paths]
        self.checksums: list[str] = []
        self._packed: list[NDArray[np.uint8]] = []
        files, starts, lengths = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for number, path in enumerate(self.paths):
            _native.packed_contents(path)  # checks the numbers that are trusted below
            with errors_name(path):
                content = np.asarray(np.memmap(path, np.uint8, mode="r"))
            num_words = int.from_bytes(content[NUM_WORDS].tobytes(), "little")
            behind = HEADER + 8 * num_words
            ends = np.frombuffer(content[HEADER:behind].tobytes(), "<u8").astype(np.int64)
            firsts = np.concatenate([[0], -(-ends[:-1] // 4) * 4])[:num_words]
            self.checksums.append(content[CHECKSUM].tobytes().hex())
            self._packed.append(content[behind:])
            files.append(np.full(num_words, number))
            starts.append(firsts)
            lengths.append(ends - firsts)
        self.files, self.starts, self.lengths = (np.concatenate(each) for each in (files, starts, lengths))

    def __len__(self) -> int:
        return len(self.lengths)

    def bases(self, word: int, first: int, end: int, *, reverse: bool = False) -> bytes:
        """The bases of a word from `first` to `end` (counted from 0, the end excluded), in upper case.

        Args:
            word: The number of the word.
            first: The first base.
            end: Where to stop, at most the word's length.
            reverse: Whether to read the other strand: the reverse complement.

        Raises:
            IndexError: The word has no such bases.
        """
        if not 0 <= first <= end <= self.lengths[word]:
            raise IndexError(f"bases {first:,} to {end:,} of a word of {self.lengths[word]:,}")
        start = int(self.starts[word]) + first
        stop = start + end - first
        packed = self._packed[self.files[word]][start >> 2 : (stop + 3) >> 2]
        found: bytes = BASES[packed].reshape(-1)[start & 3 : (start & 3) + end - first].tobytes()
        return found.translate(COMPLEMENT)[::-1] if reverse else found

    def __reduce__(self) -> tuple[Any, ...]:
        """Files are mapped again in another process."""
        return PackedWords, (self.paths,)
