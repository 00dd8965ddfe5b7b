"""One verdict on sequences, whoever reads them: what is no nucleotide file, and how much may be unknown.

Sequence files are judged by the native module as they are read. Tables of sequences are read in Python and
judged here, by the same rule and with the same words:

- a symbol that only proteins have is a `SymbolError` that names its place;
- no symbol at all, or no base (A, C, G, T), is a `SequenceFileError`;
- so is a share of unknown symbols above `allow_unknown`. IUPAC's ambiguity codes, gaps and U count as unknown
  where the vocabulary lacks them; N does not count, nor does lower case, unless there is nothing else; and
  fewer than 20 unknown symbols are never too many.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from genotok import _native
from genotok._native import MAX_UNKNOWN
from genotok.errors import SequenceFileError, SymbolError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from genotok.tokenizer.encoder import SequenceEncoder

__all__ = [
    "BASES",
    "MAX_UNKNOWN",
    "Composition",
    "add_unknown",
    "check_sequence",
    "describe",
    "known_symbols",
]

BASES = b"ACGTacgt"
"""What is known where there is no vocabulary."""

SYMBOLS = frozenset("ACGTURYSWKMBDHVNacgturyswkmbdhvn-.")
"""The bases, IUPAC's codes for what may be one of several, and gaps."""

PIECE = 1 << 20
"""Symbols that are counted together."""

PROTEIN = frozenset("EFIJLOPQXZefijlopqxz*")


def check_sequence(path: str, line: int, text: str) -> None:
    """See that each symbol of a sequence in a table may stand for a nucleotide.

    Raises:
        SymbolError: One is of proteins only.
        SequenceFileError: One is of no sequence.
    """
    if SYMBOLS.issuperset(text):
        return
    place, wrong = next((place, one) for place, one in enumerate(text) if one not in SYMBOLS)
    if wrong in PROTEIN:
        raise SymbolError(
            f"{path}: line {line:,}, position {place}: {wrong!r} stands for no nucleotide; this looks like "
            "protein, and genotok reads DNA"
        )
    raise SequenceFileError(
        f"{path}: line {line:,}: {wrong!r} in a sequence; symbols of DNA (ACGT, N, IUPAC) are expected"
    )


def known_symbols(encoder: SequenceEncoder, *, uppercase: bool) -> bytes:
    """The symbols that are in a vocabulary."""

    def is_known(symbol: str) -> bool:
        return not encoder.encode_batch([symbol], unknown="split", uppercase=uppercase).unknown

    return "".join(filter(is_known, sorted(SYMBOLS))).encode()


class Composition:
    """How often each symbol stands in the sequences of a table.

    Attributes:
        rows: Sequences that were counted.
    """

    def __init__(self, sequences: Iterable[str] = ()) -> None:
        self.rows = 0
        self._counts = np.zeros(256, np.int64)
        self._held: list[str] = []
        self._held_symbols = 0
        for sequence in sequences:
            self.add(sequence)

    def add(self, sequence: str) -> None:
        """Count a sequence that `check_sequence` has seen; short ones are counted together."""
        self.rows += 1
        self._held.append(sequence)
        self._held_symbols += len(sequence)
        if self._held_symbols > PIECE:
            self._settle()

    def _settle(self) -> None:
        """Count what is held."""
        symbols = np.frombuffer("".join(self._held).encode("ascii"), np.uint8)
        self._counts += np.bincount(symbols, minlength=256)
        self._held, self._held_symbols = [], 0

    @property
    def symbols(self) -> int:
        """All symbols."""
        self._settle()
        return int(self._counts.sum())

    def judge(
        self, path: str | os.PathLike[str], known: bytes = BASES, allow_unknown: float = MAX_UNKNOWN
    ) -> dict[str, int]:
        """The unknown symbols by kind, N among them.

        Args:
            path: The file, for errors.
            known: The symbols that are known.
            allow_unknown: The share of unknown symbols that is allowed.

        Raises:
            SequenceFileError: There is no base, or more is unknown than is allowed.
            ArgumentError: `allow_unknown` is no share.
        """
        self._settle()
        return _native.judge(
            os.fspath(path), self._counts.tolist(), known, rows=self.rows, allow_unknown=allow_unknown
        )


def add_unknown(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The sum of unknown symbols by kind."""
    found: dict[str, int] = {}
    for part in parts:
        for kind, count in part.items():
            found[kind] = found.get(kind, 0) + count
    return found


def describe(symbols: int, unknown: Mapping[str, int]) -> str:
    """What to say of unknown symbols, and what to do about them; "" if there are none but N and lower case.

    Args:
        symbols: All that were read.
        unknown: Those of them that are unknown, by kind.
    """
    return _native.describe_unknown(symbols, dict(unknown)) or ""
