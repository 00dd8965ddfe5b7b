"""A transformers tokenizer for k-mers that a Hugging Face file cannot express.

These are overlapping k-mers, canonical k-mers, and those of more than 8 bases. genotok has its own file
format for them, also called `tokenizer.json`. Importing this module registers the class with `AutoTokenizer`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, ClassVar

from transformers import PreTrainedTokenizer
from transformers.models.auto import tokenization_auto

from genotok import _native

__all__ = ["GenotokKmerTokenizer", "register"]

FILE = "tokenizer.json"


class GenotokKmerTokenizer(PreTrainedTokenizer):
    """The k-mers of a genotok file, with its ids.

    Args:
        vocab_file: The file.
        **settings: Those of `tokenizer_config.json`.
    """

    vocab_files_names: ClassVar[dict[str, str]] = {"vocab_file": FILE}
    model_input_names: ClassVar[list[str]] = ["input_ids", "attention_mask"]

    def __init__(self, vocab_file: str, **settings: Any) -> None:
        self.vocab_file = vocab_file
        self._kmers = _native.Tokenizer.from_file(vocab_file)
        self._ids = self._kmers.vocab
        self._names = {number: token for token, number in self._ids.items()}
        super().__init__(vocab_file=vocab_file, **settings)

    @property
    def vocab_size(self) -> int:
        """Number of tokens."""
        return self._kmers.vocab_size

    def get_vocab(self) -> dict[str, int]:
        """Token to id."""
        return {**self._ids, **self.added_tokens_encoder}

    def _tokenize(self, text: str, **_: Any) -> list[str]:
        return [self._names[number] for number in self._kmers.encode(text)]

    def _convert_token_to_id(self, token: str) -> int | None:
        unknown: int | None = self.unk_token_id
        return self._ids.get(token, unknown)

    def _convert_id_to_token(self, index: int) -> str:
        return self._names[index]

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """The bases of tokens: overlapping k-mers share all bases but one."""
        return self._kmers.decode([self._ids[token] for token in tokens])

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Ids with the special tokens of genotok's template around them, or around both of a pair."""
        before, behind = self._kmers.template or ([self.cls_token_id], [self.sep_token_id])
        second = [] if token_ids_1 is None else [*token_ids_1, *behind]
        return [*before, *token_ids_0, *behind, *second]

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        """Copy the file."""
        target = Path(save_directory) / (f"{filename_prefix}-{FILE}" if filename_prefix else FILE)
        if Path(self.vocab_file).resolve() != target.resolve():
            shutil.copyfile(self.vocab_file, target)
        return (str(target),)


def register() -> None:
    """Register the class with `AutoTokenizer` by its name."""
    tokenization_auto.REGISTERED_TOKENIZER_CLASSES[GenotokKmerTokenizer.__name__] = GenotokKmerTokenizer
