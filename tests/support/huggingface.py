"""Hugging Face `tokenizers` as the oracle: an independent implementation of training and encoding."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from tokenizers import Tokenizer, models, normalizers, trainers

from genotok.tokenizer import reference

Merge = tuple[str, str]


def train(
    words: Iterable[str],
    vocab_size: int,
    *,
    min_frequency: int = 0,
    special_tokens: Sequence[str] = reference.DEFAULT_SPECIAL_TOKENS,
    max_token_length: int | None = None,
) -> Tokenizer:
    """Train on words, each fed as one string; `max_token_length` is the length of the longest token.

    Hugging Face leaves out pairs whose joint length reaches the limit it is given, so it gets one more.
    """
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    options: dict[str, Any] = {} if max_token_length is None else {"max_token_length": max_token_length + 1}
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=min_frequency,
        special_tokens=list(special_tokens),
        initial_alphabet=list(reference.BASES),
        show_progress=False,
        **options,
    )
    tokenizer.train_from_iterator(words, trainer)
    return tokenizer


def merges(tokenizer: Tokenizer) -> list[Merge]:
    """Return the merges of a tokenizer in order of rank."""
    return [(left, right) for left, right in json.loads(tokenizer.to_str())["model"]["merges"]]


def vocabulary(tokenizer: Tokenizer) -> dict[str, int]:
    """Return token -> id, in the order of ids."""
    return dict(sorted(tokenizer.get_vocab().items(), key=lambda item: item[1]))


def upper_casing(tokenizer: Tokenizer) -> Tokenizer:
    """Let the tokenizer read acgt as ACGT."""
    tokenizer.normalizer = normalizers.Sequence([normalizers.Replace(base.lower(), base) for base in "ACGT"])
    return tokenizer


def encode(tokenizer: Tokenizer, text: str) -> list[int]:
    """Return the ids of a text, without special tokens around it."""
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
    return ids
