"""The spelling of a tokenizer, for models that see bases (`genotok.model.spelling`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genotok.errors import ArgumentError
from genotok.model.spelling import UNKNOWN, spelling_of
from genotok.tokenizer.special_ids import SpecialIds

if TYPE_CHECKING:
    from genotok.tokenizer import Tokenizer

__all__ = ["spelling_for"]

PROBE = "ACGTTGCAAGCTCCATGA"


def spelling_for(tokenizer: Tokenizer) -> str:
    """The bases of each token.

    Raises:
        ArgumentError: The tokens of a sequence do not spell it, since they overlap or stand for both strands;
            or the vocabulary has no such text.
    """
    special = SpecialIds.of(tokenizer)
    try:
        found = spelling_of(tokenizer.vocab, special.all, special.mask)
    except ValueError as error:
        raise ArgumentError(f"tokenizer: {error}") from None
    words = found.split(" ")
    longest = max(map(len, words))
    probe = PROBE * (1 + longest // 2)
    spelled = "".join(words[number] for number in tokenizer.encode(probe)).rstrip(UNKNOWN)
    if not probe.startswith(spelled) or len(spelled) <= len(probe) - longest:
        raise ArgumentError(
            "tokenizer: its tokens overlap or stand for both strands; base features need tokens that, put "
            "together, spell a sequence"
        )
    return found
