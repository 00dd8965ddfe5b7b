"""The special tokens that a model's input is made with, by their roles, and how they stand around it."""

# Shapes: V vocabulary.

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from genotok.errors import ArgumentError

if TYPE_CHECKING:
    from genotok.tokenizer.tokenizer import Tokenizer

__all__ = ["Ids", "SpecialIds"]

Ids = NDArray[np.int64]

NAMES = {
    "unknown": ("[UNK]", "<unk>"),
    "first": ("[CLS]", "<cls>", "<s>", "[BOS]", "<bos>"),
    "end": ("[SEP]", "<eos>", "</s>", "[EOS]"),
    "padding": ("[PAD]", "<pad>"),
    "mask": ("[MASK]", "<mask>"),
}
"""What the special tokens are called: BERT's names, and those of Nucleotide Transformer and RoBERTa."""

ROLES = {
    "unknown": ("unk_token",),
    "first": ("cls_token", "bos_token"),
    "end": ("sep_token", "eos_token"),
    "padding": ("pad_token",),
    "mask": ("mask_token",),
}
"""What Hugging Face calls them."""


@dataclass(frozen=True, slots=True)
class SpecialIds:
    """The special tokens that a model's input is made with.

    Attributes:
        unknown: `[UNK]`.
        first: `[CLS]`, in front of a sequence; None if the vocabulary has none and the file puts none there.
        end: `[SEP]`, behind a sequence; likewise.
        padding: `[PAD]`.
        mask: `[MASK]`.
        all: All special ids, sorted.
        vocab_size: V.
        before: What is put in front of a sequence: `first`, or what the tokenizer's file says.
        behind: What is put behind it: `end`, or what the tokenizer's file says.
        pair: What is put in front of two sequences, between them, and behind them; None if the file has
            no template of two.
    """

    unknown: int
    first: int | None
    end: int | None
    padding: int
    mask: int
    all: tuple[int, ...]
    vocab_size: int
    before: tuple[int, ...]
    behind: tuple[int, ...]
    pair: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]] | None

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> SpecialIds:
        """Those of a tokenizer, by their roles, then by their names (`NAMES`).

        What a foreign file puts around a sequence, if anything, is put around it here too, so that a model
        is trained on what Hugging Face will give it.

        Raises:
            ArgumentError: One that is needed is missing.
        """
        vocab, roles, template = tokenizer.vocab, tokenizer.special_roles, tokenizer.template
        found: dict[str, int | None] = {}
        for role, names in NAMES.items():
            candidates = [roles[key] for key in ROLES[role] if key in roles]
            known = next((name for name in (*candidates, *names) if name in vocab), None)
            found[role] = None if known is None else vocab[known]
        if template is None:
            before, behind = [found["first"]], [found["end"]]
        else:
            before, behind = [*template[0]], [*template[1]]
            found["first"] = next(iter(before), found["first"])
            found["end"] = next(iter(behind), found["end"])
        needed = [role for role in NAMES if template is None or role not in ("first", "end")]
        if missing := [NAMES[role][0] for role in needed if found[role] is None]:
            raise ArgumentError(
                f"tokenizer: has no {missing[0]}; a model's input needs "
                f"{', '.join(NAMES[role][0] for role in needed)}"
            )
        special = sorted(vocab[name] for name in tokenizer.special_tokens)
        front, end = (tuple(number for number in part if number is not None) for part in (before, behind))
        return cls(
            **cast("dict[str, Any]", found),
            all=tuple(special),
            vocab_size=tokenizer.vocab_size,
            before=front,
            behind=end,
            pair=(front, end, end) if template is None else tokenizer.templates.around_pair(),
        )

    def around(self, *parts: NDArray[np.integer]) -> Ids:
        """`[CLS]` one `[SEP]`, or with two parts `[CLS]` one `[SEP]` other `[SEP]`; or as the file says.

        Raises:
            ArgumentError: There are two parts, and the file has no template of two.
        """
        put = self.pair if len(parts) == 2 else (self.before, self.behind)
        if put is None:
            raise ArgumentError("tokenizer: its file has no template that puts two sequences in a row")
        pieces: list[NDArray[np.integer]] = [np.array(put[0], np.int64)]
        for part, behind in zip(parts, put[1:], strict=False):
            pieces += [part.astype(np.int64), np.array(behind, np.int64)]
        return np.concatenate(pieces)

    def within(self, ids: Ids) -> Ids:
        """The ids of a sequence without those that `around` has put around it."""
        return ids[len(self.before) : len(ids) - len(self.behind)]
