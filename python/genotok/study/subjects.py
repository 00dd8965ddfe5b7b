"""The tokenizers of a study: from files, truncated, or k-mers by name.

Names of k-mers: `bases`, `kmer:6` (overlapping, as DNABERT), `kmer:6:no-overlap` (non-overlapping, as
Nucleotide Transformer), `kmer:6:canonical`, and both at once.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from genotok.errors import ArgumentError, SymbolError
from genotok.tokenizer import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

__all__ = [
    "MAX_VOCAB",
    "Subject",
    "is_kmer_name",
    "kmer_names",
    "named_kmers",
    "tokenizer_file",
    "truncations",
]

MAX_VOCAB = 1 << 20
"""A study lists the vocabulary; larger ones, of 10-mers and more, are refused."""

PROBE = "ACGTTGCATCAGGTAC" * 2
"""Long enough to see whether neighbouring k-mers overlap."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A tokenizer, and what a study has to know of it.

    Attributes:
        name: What it is called in tables.
        tokenizer: The tokenizer.
        kind: "bpe" or "k-mers".
        lengths: Bases of each token, by id; 0 for special tokens and those of symbols that are no bases.
        unknown: The id of the unknown token; None if it has none.
        overlap: Bases that a token shares with the next: k - 1 for overlapping k-mers, else 0.
        origin: The name of the tokenizer that it was truncated from; its own if it is whole.
    """

    name: str
    tokenizer: Tokenizer
    kind: str
    lengths: NDArray[np.int64]
    unknown: int | None
    overlap: int
    origin: str

    @classmethod
    def of(cls, name: str, tokenizer: Tokenizer, *, origin: str | None = None) -> Self:
        """Look at a tokenizer.

        Raises:
            ArgumentError: It has more than 1,048,576 tokens.
        """
        if tokenizer.vocab_size > MAX_VOCAB:
            raise ArgumentError(
                f"tokenizer={name}: {tokenizer.vocab_size:,} tokens; a study takes {MAX_VOCAB:,} at most"
            )
        lengths = np.zeros(tokenizer.vocab_size, dtype=np.int64)
        for token, index in tokenizer.vocab.items():
            lengths[index] = 0 if token.strip("ACGT") else len(token)
        spans = tokenizer.encode_batch([PROBE], offsets=True).spans
        if spans is None or len(spans) < 2:
            raise ArgumentError(f"tokenizer={name}: its tokens have no places in a sequence")
        return cls(
            name=name,
            tokenizer=tokenizer,
            kind="bpe" if tokenizer.merges else "k-mers",
            lengths=lengths,
            unknown=_unknown_id(tokenizer, int(lengths.max())),
            overlap=max(int(spans[0, 1] - spans[1, 0]), 0),
            origin=name if origin is None else origin,
        )

    @property
    def num_base_tokens(self) -> int:
        """Tokens that stand for bases."""
        return int(np.count_nonzero(self.lengths))

    def describe(self) -> dict[str, object]:
        """What a record says of it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "vocab_size": self.tokenizer.vocab_size,
            "base_tokens": self.num_base_tokens,
            "longest_token_bases": int(self.lengths.max()),
            "overlap_bases": self.overlap,
        }


def _unknown_id(tokenizer: Tokenizer, longest: int) -> int | None:
    """The id of a symbol that no vocabulary has."""
    try:
        ids = tokenizer.encode("*" * longest)
    except SymbolError:
        return None
    return ids[0] if ids else None


def named_kmers(name: str) -> Subject:
    """The k-mers of a name such as `kmer:6:no-overlap`, or `bases`.

    Raises:
        ArgumentError: The name says something else.
    """
    if name == "bases":
        return Subject.of(name, Tokenizer.kmer(1))
    head, *rest = name.split(":")
    number, *words = rest or [""]
    known = {"overlap", "no-overlap", "canonical"}
    if head != "kmer" or not number.isdecimal() or not 1 <= int(number) <= 8 or not known.issuperset(words):
        raise ArgumentError(
            f"tokenizer={name}: 'bases', or 'kmer:K' with K from 1 to 8 and ':no-overlap' or ':canonical' "
            "behind it, is expected"
        )
    return Subject.of(
        name, Tokenizer.kmer(int(number), overlap="no-overlap" not in words, canonical="canonical" in words)
    )


def kmer_names(kmers: str) -> Iterator[str]:
    """The names of k-mers in a list such as `6,3:canonical,bases`; a bare number is both kinds."""
    for part in (part.strip() for part in kmers.split(",") if part.strip()):
        if part == "bases":
            yield part
        elif part.isdecimal():
            yield from (f"kmer:{part}", f"kmer:{part}:no-overlap")
        else:
            yield part if part.startswith("kmer:") else f"kmer:{part}"


def is_kmer_name(given: str) -> bool:
    """Whether `given` names k-mers, and not a tokenizer's file."""
    return given == "bases" or given.startswith("kmer:")


def tokenizer_file(given: str) -> tuple[str, str]:
    """Name and path of a tokenizer given as `NAME=FILE` or `FILE`, which is named without its ending."""
    name, equals, path = given.partition("=")
    if equals and name and not os.path.exists(given):
        return name, path
    return os.path.basename(given).removesuffix(".json"), given


def truncations(subject: Subject, sizes: Iterable[int]) -> list[Subject]:
    """The tokenizer cut down to each of the sizes, and itself last; `name@size` are their names.

    Raises:
        ArgumentError: A size is not below its own, or too small.
    """
    whole = subject.tokenizer
    small = [size for size in sorted(set(sizes)) if size != whole.vocab_size]
    for size in small:
        if size > whole.vocab_size:
            raise ArgumentError(f"vocab={size}: {subject.name} has {whole.vocab_size:,} tokens, not more")
    cut = [Subject.of(f"{subject.name}@{size}", whole.truncate(size), origin=subject.name) for size in small]
    return [*cut, subject]
