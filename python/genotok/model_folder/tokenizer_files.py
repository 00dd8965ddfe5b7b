"""The files of a tokenizer in a model's folder, with which transformers reads sequences as genotok does.

In training genotok reads lower case as upper case, and adds special tokens around sequences that not every
tokenizer's file names. In a model's folder `tokenizer.json` does both, by replacements in front of the
normalizer and by a template, so that `AutoTokenizer` gives the ids that the model was trained on.
`tokenizer_config.json` has the roles of the special tokens and the longest input.

k-mers that overlap, are canonical or have more than 8 bases cannot be expressed in such a file. Theirs is in
genotok's own format, which `AutoTokenizer` reads after `import genotok.model.huggingface`.
"""

from __future__ import annotations

import json
import string
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Protocol

from genotok.errors import VocabularyError
from genotok.tokenizer import Tokenizer
from genotok.tokenizer.huggingface import CONFIG, NO_LIMIT, TOKENIZER, tokenizer_config

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["CONFIG", "NO_LIMIT", "TOKENIZER", "FolderTokenizer", "SpecialRoles"]


class SpecialRoles(Protocol):
    """The special tokens of a model's input, such as `genotok.tokenizer.special_ids.SpecialIds`."""

    @property
    def unknown(self) -> int: ...  # noqa: D102
    @property
    def first(self) -> int | None: ...  # noqa: D102
    @property
    def end(self) -> int | None: ...  # noqa: D102
    @property
    def padding(self) -> int: ...  # noqa: D102
    @property
    def mask(self) -> int: ...  # noqa: D102
    @property
    def before(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def behind(self) -> tuple[int, ...]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class FolderTokenizer:
    """A tokenizer as a model's folder keeps it.

    Attributes:
        tokenizer: The tokenizer that the model was trained with.
        special: The special tokens around its sequences.
        max_tokens: The length to which inputs were cut in training; None if they were not.
        keep_case: Whether to read lower case as the tokenizer does, not as upper case.
    """

    tokenizer: Tokenizer
    special: SpecialRoles
    max_tokens: int | None = None
    keep_case: bool = False

    def files(self) -> dict[str, bytes]:
        """Name and content of the tokenizer's files.

        Raises:
            VocabularyError: A file cannot express the special tokens.
        """
        text = self.self_contained().to_json()
        settings = tokenizer_config(
            _roles(self.tokenizer, self.special),
            dict(zip(self.tokenizer.special_tokens, self.tokenizer.all_special_ids, strict=True)),
            fast="model" in json.loads(text),
            max_length=self.max_tokens,
        )
        config = json.dumps(settings, indent=2, ensure_ascii=False) + "\n"
        return {TOKENIZER: text.encode(), CONFIG: config.encode()}

    def self_contained(self) -> Tokenizer:
        """The tokenizer with upper-casing and special tokens in its file.

        One that has them already is returned unchanged, so that files of genotok keep their bytes.

        Raises:
            VocabularyError: A file cannot express the special tokens.
        """
        document = json.loads(self.tokenizer.to_json())
        if "model" not in document:
            if self.keep_case or document["upper_case"]:
                return self.tokenizer
            return Tokenizer.from_json(json.dumps({**document, "upper_case": True}))
        normalizer = document["normalizer"]
        changes = {
            "normalizer": normalizer if self.keep_case else _upper_casing(normalizer, self.tokenizer),
            "post_processor": _template(document["post_processor"], self.tokenizer, self.special),
            "truncation": None,
            "padding": None,
        }
        if all(document.get(name) == value for name, value in changes.items()):
            return self.tokenizer
        found = Tokenizer.from_json(json.dumps({**document, **changes}, ensure_ascii=False))
        template = ([*self.special.before], [*self.special.behind])
        if found.vocab != self.tokenizer.vocab or found.template != template:
            raise VocabularyError("tokenizer: cannot be written with the special tokens around a sequence")
        return found


def _upper_casing(normalizer: Any, tokenizer: Tokenizer) -> Any:
    """The normalizer with steps in front of it that make all symbols upper case."""
    steps = [] if normalizer is None else _steps(normalizer)
    found = {symbol for step in takewhile(_upper_cased, steps) if (symbol := _upper_cased(step))}
    # Other steps may turn symbols into those of the vocabulary, as U into T.
    is_all = all(map(_upper_cased, steps))
    ordinary = set(tokenizer.vocab) - set(tokenizer.special_tokens)
    symbols = "".join(ordinary) if is_all else string.ascii_uppercase
    missing = sorted({one for one in symbols if one in string.ascii_uppercase} - found)
    if not missing:
        return normalizer
    return {"type": "Sequence", "normalizers": [*map(_replace, missing), *steps]}


def _steps(normalizer: Mapping[str, Any]) -> list[Any]:
    return [*normalizer["normalizers"]] if normalizer["type"] == "Sequence" else [normalizer]


def _replace(symbol: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": {"String": symbol.lower()}, "content": symbol}


def _upper_cased(step: Mapping[str, Any]) -> str | None:
    """The symbol that a step makes upper case, if it does nothing else."""
    symbol = step.get("content")
    if not isinstance(symbol, str) or len(symbol) != 1 or symbol not in string.ascii_uppercase:
        return None
    return symbol if step == _replace(symbol) else None


def _template(given: Any, tokenizer: Tokenizer, special: SpecialRoles) -> Any:
    """The post-processor for the special tokens: that of the file, if it names them."""
    if tokenizer.template is not None:
        return given
    names = {number: token for token, number in tokenizer.vocab.items()}

    def tokens(ids: Iterable[int], segment: int) -> list[Any]:
        return [{"SpecialToken": {"id": names[number], "type_id": segment}} for number in ids]

    first: list[Any] = [
        *tokens(special.before, 0),
        {"Sequence": {"id": "A", "type_id": 0}},
        *tokens(special.behind, 0),
    ]
    second = [{"Sequence": {"id": "B", "type_id": 1}}, *tokens(special.behind, 1)]
    used = {names[number]: number for number in (*special.before, *special.behind)}
    return {
        "type": "TemplateProcessing",
        "single": first,
        "pair": [*first, *second],
        "special_tokens": {name: {"id": name, "ids": [used[name]], "tokens": [name]} for name in used},
    }


def _roles(tokenizer: Tokenizer, special: SpecialRoles) -> dict[str, Any]:
    """Role to token."""
    names = {number: token for token, number in tokenizer.vocab.items()}
    ids = {
        "unk_token": special.unknown,
        "cls_token": special.first,
        "sep_token": special.end,
        "pad_token": special.padding,
        "mask_token": special.mask,
    }
    found = {role: names[number] for role, number in ids.items() if number is not None}
    return {**tokenizer.special_roles, **found}
