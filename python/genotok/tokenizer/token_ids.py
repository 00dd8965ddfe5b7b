"""What ids mean: the vocabulary of a tokenizer, its special tokens, and what stands around a sequence."""

import json
from typing import Any, cast

from genotok import _native
from genotok.tokenizer.templates import Templates

__all__ = ["ROLES", "TokenIds"]

ROLES = {
    "unk_token": ("[UNK]", "<unk>"),
    "cls_token": ("[CLS]", "<cls>"),
    "sep_token": ("[SEP]", "<sep>"),
    "pad_token": ("[PAD]", "<pad>"),
    "mask_token": ("[MASK]", "<mask>"),
    "bos_token": ("[BOS]", "<s>", "<bos>"),
    "eos_token": ("[EOS]", "</s>", "<eos>"),
}
"""What each role is called in vocabularies; the first that there is takes it."""


class TokenIds:
    """What a tokenizer knows of its ids; `Tokenizer` is one.

    Attributes:
        model_max_length: Tokens of the longest input of the model that it belongs to, as the
            `tokenizer_config.json` says that `from_pretrained` finds; None if there is no longest.
    """

    __slots__ = ("_native", "_roles", "_templates", "model_max_length")

    def __init__(self, native: _native.Tokenizer) -> None:
        self._native = native
        self.model_max_length: int | None = None
        self._roles: dict[str, str] | None = None
        self._templates: Templates | None = None

    @property
    def merges(self) -> list[tuple[str, str]]:
        """The merges in order of rank, each as the two strings it joins."""
        return self._native.merges

    @property
    def vocab(self) -> dict[str, int]:
        """Token to id, in order of id: special tokens, bases, merges."""
        return self._native.vocab

    def get_vocab(self) -> dict[str, int]:
        """Token to id: `vocab`, by the name that it has in transformers."""
        return self.vocab

    def text_table(self) -> dict[str, Any]:
        """What each character of a text becomes, as a table that a program in another language can carry out.

        Returns:
            `ascii`: a kind and an id for each of 128 characters. Kinds are `"symbol"` (of words; the id is
            that of its token, of k-mers its code), `"alone"` (a token that nothing joins), `"unknown"`,
            `"dropped"`, and `"unsure"` (texts with it are not covered). `others`: the same for all other
            characters, or why texts with them are not covered. `drops_other_space`, `fuses_unknown`; `added`:
            string, id, whether it takes white space on its left and right, and whether it is found after the
            others; `kmers`: k, overlap, canonical and the id of the first, or None.

        Raises:
            VocabularyError: The file says more than a table can; says what.
        """
        return self._native.text_table()

    @property
    def unknown_id(self) -> int | None:
        """The id of symbols outside the vocabulary; None if they are errors."""
        return self._native.unknown_id

    @property
    def vocab_size(self) -> int:
        """Number of tokens, special ones included."""
        return self._native.vocab_size

    def token_to_id(self, token: str) -> int | None:
        """The id of a token; None if the vocabulary has no such token.

        The first call lists the tokens, unless they are k-mers, whose ids are computed.
        """
        return self._native.token_to_id(token)

    def id_to_token(self, id: int) -> str | None:  # noqa: A002  the name that it has in `tokenizers`
        """The token of an id; None if the vocabulary has no such id.

        Raises:
            ArgumentError: The id is below 0.
            TypeError: It is no integer.
        """
        return self._native.id_to_token(id)

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
        roles = self._native.roles[0]
        return {role: token for role, token in roles.items() if self.token_to_id(token) is not None}

    @property
    def roles(self) -> dict[str, str]:
        """Role to token, for the seven roles of transformers: as the files beside say, or by the name.

        Unknown symbols become `unk_token`, unless that is itself a single symbol.
        """
        if self._roles is None:
            known = ((role, [*filter(self._has, names)]) for role, names in ROLES.items())
            roles = {role: names[0] for role, names in known if names}
            number = self._native.unknown_id
            unknown = "" if number is None else self.id_to_token(number)
            if unknown and len(unknown) > 1:
                roles["unk_token"] = unknown
            given = {role: token for role, token in self.special_roles.items() if role in ROLES}
            self._roles = roles | given
        return dict(self._roles)

    def _has(self, token: str) -> bool:
        return self.token_to_id(token) is not None

    def _id(self, role: str) -> int | None:
        token = self.roles.get(role)
        return None if token is None else self.token_to_id(token)

    @property
    def unk_token(self) -> str | None:
        """The token of unknown symbols; None if there is none."""
        return self.roles.get("unk_token")

    @property
    def unk_token_id(self) -> int | None:
        """The id of `unk_token`; None if there is none."""
        return self._id("unk_token")

    @property
    def cls_token(self) -> str | None:
        """The token that stands in front of a sequence; None if there is none."""
        return self.roles.get("cls_token")

    @property
    def cls_token_id(self) -> int | None:
        """The id of `cls_token`; None if there is none."""
        return self._id("cls_token")

    @property
    def sep_token(self) -> str | None:
        """The token that stands behind a sequence; None if there is none."""
        return self.roles.get("sep_token")

    @property
    def sep_token_id(self) -> int | None:
        """The id of `sep_token`; None if there is none."""
        return self._id("sep_token")

    @property
    def pad_token(self) -> str | None:
        """The token that fills rows up; None if there is none."""
        return self.roles.get("pad_token")

    @property
    def pad_token_id(self) -> int | None:
        """The id of `pad_token`; None if there is none."""
        return self._id("pad_token")

    @property
    def mask_token(self) -> str | None:
        """The token that hides a token from the model; None if there is none."""
        return self.roles.get("mask_token")

    @property
    def mask_token_id(self) -> int | None:
        """The id of `mask_token`; None if there is none."""
        return self._id("mask_token")

    @property
    def bos_token(self) -> str | None:
        """The token that begins a text; None if there is none."""
        return self.roles.get("bos_token")

    @property
    def bos_token_id(self) -> int | None:
        """The id of `bos_token`; None if there is none."""
        return self._id("bos_token")

    @property
    def eos_token(self) -> str | None:
        """The token that ends a text; None if there is none."""
        return self.roles.get("eos_token")

    @property
    def eos_token_id(self) -> int | None:
        """The id of `eos_token`; None if there is none."""
        return self._id("eos_token")

    @property
    def all_special_ids(self) -> list[int]:
        """The ids of `special_tokens`, in order."""
        return [number for token in self.special_tokens if (number := self.token_to_id(token)) is not None]

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
