"""Inputs for the tests: DNA that is difficult for byte-pair encoding, and sequence files that hold it."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from hypothesis import strategies as st

from genotok.tokenizer import reference

SPECIAL_TOKENS = list(reference.DEFAULT_SPECIAL_TOKENS)
MIN_VOCAB = len(SPECIAL_TOKENS) + len(reference.BASES)
EXHAUSTING_VOCAB = 5000  # more than any corpus drawn here fills

bases = st.text(alphabet="ACGT", min_size=1, max_size=60)
few_bases = st.sampled_from(["AC", "AT", "GT", "A"]).flatmap(
    lambda alphabet: st.text(alphabet=alphabet, min_size=1, max_size=80)
)
runs = st.lists(st.tuples(st.sampled_from("ACGT"), st.integers(1, 20)), min_size=1, max_size=6).map(
    lambda parts: "".join(base * times for base, times in parts)
)
tandem_repeats = st.builds(
    lambda unit, times, rest: unit * times + rest,
    st.text(alphabet="ACGT", min_size=1, max_size=6),
    st.integers(1, 15),
    st.text(alphabet="ACGT", max_size=5),
)
palindromes = st.text(alphabet="ACGT", min_size=1, max_size=25).map(
    lambda half: half + reference.reverse_complement(half)
)
reversals = st.text(alphabet="ACGT", min_size=1, max_size=25).map(lambda half: half + half[::-1])

words = st.one_of(st.sampled_from("ACGT"), runs, tandem_repeats, few_bases, palindromes, reversals, bases)
"""One word: a single base, runs, tandem repeats, one or two different bases, palindromes, or any bases."""

vocab_sizes = st.one_of(st.integers(MIN_VOCAB, 60), st.just(EXHAUSTING_VOCAB))
min_frequencies = st.sampled_from([0, 0, 1, 2, 3, 7])
token_lengths = st.one_of(st.none(), st.integers(2, 12))


@st.composite
def corpora(draw: st.DrawFn, max_words: int = 8) -> list[str]:
    """Draw a list of words, some of them several times."""
    drawn = draw(st.lists(words, min_size=1, max_size=max_words))
    again = draw(st.lists(st.sampled_from(drawn), max_size=4))
    return drawn + again


@st.composite
def records(draw: st.DrawFn, max_records: int = 5) -> list[str]:
    """Draw the sequences of a file: words in either case, with other symbols between them; or empty."""
    gaps = st.sampled_from(["N", "NNNNNNNN", "n", "R", "y", "-"])
    drawn = []
    for _ in range(draw(st.integers(1, max_records))):
        parts = draw(st.lists(st.tuples(words, gaps, st.booleans()), max_size=4))
        drawn.append("".join((word.lower() if lower else word) + gap for word, gap, lower in parts))
    return [*drawn, draw(words)]  # at least one base, so that the file is a sequence file


def fasta(sequences: Iterable[str], line_width: int = 60, line_end: str = "\n") -> bytes:
    """Return sequences as a FASTA file with records named r0, r1, ..."""
    lines: list[str] = []
    for number, sequence in enumerate(sequences):
        lines.append(f">r{number} made for a test")
        lines += [sequence[at : at + line_width] for at in range(0, len(sequence), line_width)]
    return "".join(line + line_end for line in lines).encode()


def write_fasta(path: Path, sequences: Iterable[str], line_width: int = 60) -> str:
    """Write sequences to a FASTA file and return its path as a string."""
    path.write_bytes(fasta(sequences, line_width))
    return str(path)


def open_text(path: Path) -> IO[str]:
    """Open a plain or compressed file, by its name."""
    openers = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}
    opener = openers.get(path.suffix, open)
    return opener(path, "rt")  # type: ignore[operator, no-any-return]


def read_fasta(path: Path) -> Iterator[str]:
    """Yield the sequences of a FASTA file, by a reader that is independent of the one under test."""
    lines: list[str] | None = None
    with open_text(path) as file:
        for line in file:
            if line.startswith(">"):
                if lines is not None:
                    yield "".join(lines)
                lines = []
            elif lines is not None:
                lines.append(line.strip())
    yield "".join(lines or [])


def words_of_file(path: Path, word_length: int | None = None) -> list[str]:
    """Return the words of all records of a FASTA file."""
    return [word for sequence in read_fasta(path) for word in reference.words_of(sequence, word_length)]
