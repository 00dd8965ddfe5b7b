"""What ids mean, as far as files of them are concerned."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

from genotok.tokenizer import Tokenizer

__all__ = ["Vocabulary"]


@dataclass(frozen=True)
class Vocabulary:
    """The tokens of a tokenizer by id.

    Attributes:
        size: How many ids there are.
        unknown_id: The token that stands for a symbol outside the vocabulary, if there is one.
        sha256: The checksum of the tokenizer's file form.
        json: That file form.
    """

    size: int
    unknown_id: int | None
    sha256: str
    json: str

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> Vocabulary:
        """That of a tokenizer."""
        text = tokenizer.to_json()
        digest = hashlib.sha256(text.encode()).hexdigest()
        return cls(tokenizer.vocab_size, tokenizer.unknown_id, digest, text)

    @cached_property
    def strings(self) -> tuple[str, ...]:
        """What each token is called."""
        return tuple(Tokenizer.from_json(self.json).vocab)

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """How many bases each token stands for: a special token for none, the unknown token for one."""
        special = set(Tokenizer.from_json(self.json).special_tokens)
        return tuple(
            1 if index == self.unknown_id else 0 if token in special else len(token)
            for index, token in enumerate(self.strings)
        )
