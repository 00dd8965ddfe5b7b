"""The files of a tokenizer in a model's folder, such that transformers reads sequences as genotok does.

genotok reads labelled sequences and genomes with lower case as upper case, and puts special tokens around
them that not every tokenizer's file names. In a model's folder both stand in `tokenizer.json` itself:
replacements in front of the normalizer, and a template. So `AutoTokenizer` gives the ids that the model was
trained on. `tokenizer_config.json` has the roles of the special tokens and the longest input.

k-mers that overlap, are canonical or have more than 8 bases have no such file: theirs is genotok's own, which
`AutoTokenizer` reads once `genotok.model.huggingface` is imported.
"""

from __future__ import annotations

import json
import string
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Protocol

from genotok.errors import VocabularyError
from genotok.tokenizer import Tokenizer
from genotok.tokenizer.huggingface import CONFIG, NO_LIMIT, TOKENIZER, tokenizer_config

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["CONFIG", "NO_LIMIT", "TOKENIZER", "SpecialRoles", "folder_tokenizer", "tokenizer_files"]


class SpecialRoles(Protocol):
    """The special tokens of a model's input, as `genotok.tokenizer.special_ids.SpecialIds` has them."""

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


def tokenizer_files(
    tokenizer: Tokenizer,
    special: SpecialRoles,
    max_tokens: int | None = None,
    *,
    keep_case: bool = False,
) -> dict[str, bytes]:
    """Name and content of the files of a tokenizer in a model's folder.

    Args:
        tokenizer: As the model was trained with.
        special: What stood around its sequences.
        max_tokens: Where longer inputs were cut in training; None if none were.
        keep_case: Leave lower case as the tokenizer reads it.
    """
    text = folder_tokenizer(tokenizer, special, keep_case=keep_case).to_json()
    settings = tokenizer_config(
        _roles(tokenizer, special),
        dict(zip(tokenizer.special_tokens, tokenizer.all_special_ids, strict=True)),
        fast="model" in json.loads(text),
        max_length=max_tokens,
    )
    config = json.dumps(settings, indent=2, ensure_ascii=False) + "\n"
    return {TOKENIZER: text.encode(), CONFIG: config.encode()}


def folder_tokenizer(tokenizer: Tokenizer, special: SpecialRoles, *, keep_case: bool = False) -> Tokenizer:
    """The tokenizer whose file says by itself what training did: upper case, and the tokens around.

    One that says so already is given back as it is, so that files of genotok keep their bytes.

    Raises:
        VocabularyError: The file cannot say so.
    """
    document = json.loads(tokenizer.to_json())
    if "model" not in document:
        is_done = keep_case or document["upper_case"]
        return tokenizer if is_done else Tokenizer.from_json(json.dumps({**document, "upper_case": True}))
    normalizer = document["normalizer"]
    changes = {
        "normalizer": normalizer if keep_case else _upper_casing(normalizer, tokenizer),
        "post_processor": _template(document["post_processor"], tokenizer, special),
        "truncation": None,
        "padding": None,
    }
    if all(document.get(name) == value for name, value in changes.items()):
        return tokenizer
    found = Tokenizer.from_json(json.dumps({**document, **changes}, ensure_ascii=False))
    if found.vocab != tokenizer.vocab or found.template != ([*special.before], [*special.behind]):
        raise VocabularyError("tokenizer: cannot be written with the special tokens around a sequence")
    return found


def _upper_casing(normalizer: Any, tokenizer: Tokenizer) -> Any:
    """The normalizer with all letters made upper case before anything else."""
    steps = [] if normalizer is None else _steps(normalizer)
    found = {letter for step in takewhile(_upper_cased, steps) if (letter := _upper_cased(step))}
    # What else there is may turn letters into those of the vocabulary, as U into T.
    is_all = all(map(_upper_cased, steps))
    ordinary = set(tokenizer.vocab) - set(tokenizer.special_tokens)
    letters = "".join(ordinary) if is_all else string.ascii_uppercase
    missing = sorted({one for one in letters if one in string.ascii_uppercase} - found)
    if not missing:
        return normalizer
    return {"type": "Sequence", "normalizers": [*map(_replace, missing), *steps]}


def _steps(normalizer: Mapping[str, Any]) -> list[Any]:
    return [*normalizer["normalizers"]] if normalizer["type"] == "Sequence" else [normalizer]


def _replace(letter: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": {"String": letter.lower()}, "content": letter}


def _upper_cased(step: Mapping[str, Any]) -> str | None:
    """The letter that a step makes of its lower case, if that is all it does."""
    letter = step.get("content")
    if not isinstance(letter, str) or len(letter) != 1 or letter not in string.ascii_uppercase:
        return None
    return letter if step == _replace(letter) else None


def _template(given: Any, tokenizer: Tokenizer, special: SpecialRoles) -> Any:
    """The post-processor for what stood around sequences: the file's, unless it leaves it to the names."""
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
