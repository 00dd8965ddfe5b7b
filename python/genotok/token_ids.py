"""What ids mean: the vocabulary of a tokenizer, its special tokens, and what stands around a sequence."""

import json
from typing import Any, cast

from genotok import _native
from genotok.templates import Templates

__all__ = ["TokenIds"]


class TokenIds:
    """What a tokenizer knows of its ids; `Tokenizer` is one."""

    __slots__ = ("_native", "_templates")

    def __init__(self, native: _native.Tokenizer) -> None:
        self._native = native
        self._templates: Templates | None = None

    @property
    def merges(self) -> list[tuple[str, str]]:
        """The merges in order of rank, each as the two strings it joins."""
        return self._native.merges

    @property
    def vocab(self) -> dict[str, int]:
        """Token to id, in order of id: special tokens, bases, merges."""
        return self._native.vocab

    @property
    def vocab_size(self) -> int:
        """Number of tokens, special ones included."""
        return self._native.vocab_size

    @property
    def special_tokens(self) -> list[str]:
        """The special tokens in order of id.

        Those that the file adds to its model, and tokens of the vocabulary that no sequence becomes: of the
        form `[NAME]` or `<name>`, or named in `special_roles`. These are not looked for in a sequence.
        """
        return self._native.special_tokens

    @property
    def special_roles(self) -> dict[str, str]:
        """Role, such as `pad_token`, to token, as the files beside the tokenizer's say; often empty."""
        roles, vocab = self._native.roles[0], self.vocab
        return {role: token for role, token in roles.items() if token in vocab}

    @property
    def template(self) -> tuple[list[int], list[int]] | None:
        """The ids that the file puts before and behind a sequence where special tokens are asked for.

        Nothing of a file of others without a post-processor, as Hugging Face has it. None where the file
        leaves it to the names, `[CLS]` and `[SEP]`: genotok's own of before it wrote templates, those
        without such tokens, and those of k-mers that Hugging Face has no form for.
        """
        return self._native.template

    @property
    def templates(self) -> Templates:
        """What stands around one sequence and around two, with segments: the file's, or by the names."""
        if self._templates is None:
            self._templates = Templates.of(self._native.post_processor)
        return self._templates

    @property
    def truncation(self) -> dict[str, Any] | None:
        """The file's setting, which transformers writes back after use: kept, but not applied to ids."""
        return self._setting("truncation")

    @property
    def padding(self) -> dict[str, Any] | None:
        """The file's setting, which transformers writes back after use: kept, but not applied to ids."""
        return self._setting("padding")

    def _setting(self, name: str) -> dict[str, Any] | None:
        return cast("dict[str, Any] | None", json.loads(self._native.settings.get(name, "null")))
