"""What tokenizer to train."""

from __future__ import annotations

import os  # noqa: TC003 - the groups' types are read when they are shown
from collections.abc import Iterable  # noqa: TC003 - the groups' types are read when they are shown
from dataclasses import dataclass
from typing import Annotated, TypedDict

from genotok.errors import ArgumentError
from genotok.options.declaration import RUN, Option, check_numbers
from genotok.options.fields import MAX_UNKNOWN, AllowUnknown

__all__ = ["DEFAULT_SPECIAL_TOKENS", "DEFAULT_VOCAB_SIZE", "TrainKeywords", "TrainOptions"]

DEFAULT_VOCAB_SIZE = 4096
DEFAULT_SPECIAL_TOKENS = ("[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]")

VOCABULARY = "Vocabulary"
CORPUS = "Corpus"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOptions:
    """What tokenizer to train, and from where to resume; `Tokenizer.train` explains each field.

    Raises:
        ArgumentError: A number is out of range; `special_tokens` is one string.
    """

    vocab_size: Annotated[
        int,
        Option(
            "Tokens in all: special ones, four bases, merges.", flags=("--vocab", "-v"), metavar="N", min=0
        ),
    ] = DEFAULT_VOCAB_SIZE
    special_tokens: Annotated[
        tuple[str, ...],
        Option(
            "Tokens with the first ids, separated by commas; '' for none.",
            metavar="LIST",
            separator=",",
            panel=VOCABULARY,
        ),
    ] = DEFAULT_SPECIAL_TOKENS
    min_frequency: Annotated[
        int, Option("Stop when no pair occurs this often.", metavar="N", min=0, panel=VOCABULARY)
    ] = 0
    max_token_length: Annotated[
        int | None,
        Option("Longest token allowed.", metavar="BASES", min=1, default="no limit", panel=VOCABULARY),
    ] = None
    word_length: Annotated[
        int | None,
        Option(
            "Cut sequences into words of this length.", metavar="BASES", min=1, default="uncut", panel=CORPUS
        ),
    ] = None
    both_strands: Annotated[bool, Option("Count reverse complements too.", panel=CORPUS)] = False
    allow_unknown: AllowUnknown = MAX_UNKNOWN
    checkpoint: str | os.PathLike[str] | None = None
    resume: Annotated[bool, Option("Resume from FILE.checkpoint, left by Ctrl-C.", panel=RUN)] = False

    def __post_init__(self) -> None:
        """Check what is given, before anything is read."""
        tokens: object = self.special_tokens
        if isinstance(tokens, str):
            raise ArgumentError(f"special_tokens={tokens!r}: a list of strings is expected, not one string")
        object.__setattr__(self, "special_tokens", tuple(self.special_tokens))
        check_numbers(self)


class TrainKeywords(TypedDict, total=False):
    """`TrainOptions` as keywords."""

    vocab_size: int
    special_tokens: Iterable[str]
    min_frequency: int
    max_token_length: int | None
    word_length: int | None
    both_strands: bool
    allow_unknown: float
    checkpoint: str | os.PathLike[str] | None
    resume: bool
