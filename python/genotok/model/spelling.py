"""The spelling of a vocabulary: the bases that each token stands for, as one line of text.

A model with base features (`genotok.model.bases`) reads bases from token ids alone, so it must know what its
tokens spell. Its configuration holds that as text: a word over A, C, G, T and N for each id, with spaces
between words. The text is in `config.json`, and not a tensor among the weights: a model made of a
configuration alone is then complete, files of weights hold floating-point numbers only, as before, and the
digest of a configuration covers the spelling.

N stands for a base that is not known. Each token has at least one base, so that bases on different sides of
a token are never neighbours:

| token | word |
|---|---|
| of bases | its bases; N for other symbols |
| `[MASK]` | as many N as the median token has bases, whatever it hides |
| `[UNK]`, `[CLS]`, `[SEP]`, `[PAD]`, other special tokens | N |
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from statistics import median_low

__all__ = ["UNKNOWN", "check_spelling", "resized", "spelling_of"]

BASES = frozenset("ACGT")
UNKNOWN = "N"
SYMBOLS = BASES | {UNKNOWN}
MAX_WORD = 10_000
"""Bases of a token, at most."""


def spelling_of(vocab: Mapping[str, int], special: Collection[int], mask: int) -> str:
    """The spelling of a vocabulary whose tokens, put together, spell a sequence.

    Args:
        vocab: Token to id; ids are 0 to V - 1.
        special: The ids of special tokens.
        mask: The id of `[MASK]`, one of them.

    Raises:
        ValueError: Ids have gaps, or a token is longer than 10,000 bases.
    """
    words = [""] * len(vocab)
    for token, number in vocab.items():
        if not 0 <= number < len(words):
            rule = f"one from 0 to {len(words) - 1} is expected"
            raise ValueError(f"spelling: the token {token[:20]!r} has the id {number}; {rule}")
        words[number] = UNKNOWN if number in special else _word(token)
    lengths = [len(word) for number, word in enumerate(words) if number not in special]
    words[mask] = UNKNOWN * median_low(lengths or [1])
    found = " ".join(words)
    check_spelling(found, len(words))
    return found


def check_spelling(text: str, vocab_size: int) -> None:
    """Raise an error unless a text is the spelling of `vocab_size` tokens.

    Raises:
        ValueError: It is not; names the first wrong token.
    """
    words = text.split(" ")
    if len(words) != vocab_size:
        raise ValueError(f"spelling: has {len(words):,} tokens; vocab_size={vocab_size:,} are expected")
    for number, word in enumerate(words):
        if not 0 < len(word) <= MAX_WORD or not SYMBOLS.issuperset(word):
            rule = f"1 to {MAX_WORD:,} of A, C, G, T and N are expected"
            raise ValueError(f"spelling: the token {number} is {word[:40]!r}; {rule}")


def resized(text: str, vocab_size: int) -> str:
    """The spelling of a vocabulary of another size: the bases of new tokens are not known; "" of ""."""
    if not text:
        return ""
    words = text.split(" ")[:vocab_size]
    return " ".join([*words, *[UNKNOWN] * (vocab_size - len(words))])


def _word(token: str) -> str:
    return "".join(symbol if symbol in BASES else UNKNOWN for symbol in token.upper()) or UNKNOWN
