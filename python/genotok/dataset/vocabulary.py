"""What ids mean, as far as files of them are concerned."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genotok.tokenizer import Tokenizer

__all__ = ["Vocabulary"]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The tokens of a tokenizer by id.

    Attributes:
        strings: What each token is called; empty for an id that is not used.
        lengths: How many bases it stands for: a special token for none, the unknown token for one.
        unknown_id: The token that stands for a symbol outside the vocabulary, if there is one.
        sha256: The checksum of the tokenizer's file form.
        json: That file form.
    """

    strings: tuple[str, ...]
    lengths: tuple[int, ...]
    unknown_id: int | None
    sha256: str
    json: str

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> Vocabulary:
        """That of a tokenizer."""
        text = tokenizer.to_json()
        unknown = _unknown_token(text)
        vocab, special = tokenizer.vocab, set(tokenizer.special_tokens)
        strings = [""] * (max(vocab.values(), default=-1) + 1)
        for token, index in vocab.items():
            strings[index] = token
        lengths = (1 if token == unknown else 0 if token in special else len(token) for token in strings)
        digest = hashlib.sha256(text.encode()).hexdigest()
        unknown_id = None if unknown is None else vocab.get(unknown)
        return cls(tuple(strings), tuple(lengths), unknown_id, digest, text)


def _unknown_token(text: str) -> str | None:
    """The unknown token that a `tokenizer.json` names."""
    model = json.loads(text).get("model")
    unknown = model.get("unk_token") if isinstance(model, dict) else None
    return unknown if isinstance(unknown, str) else None
