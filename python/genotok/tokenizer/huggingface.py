"""Tokenizers to and from the classes of Hugging Face, through the file that both read.

`tokenizers` and `transformers` are not needed by genotok; they are imported when one of their classes is
asked for.
"""

import json
import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from genotok.errors import ArgumentError
from genotok.files.reading import open_reading

__all__ = [
    "CONFIG",
    "NO_LIMIT",
    "TOKENIZER",
    "fast_tokenizer",
    "file_at",
    "file_of",
    "max_length_at",
    "tokenizer_config",
]

TOKENIZER = "tokenizer.json"
CONFIG = "tokenizer_config.json"

NO_LIMIT = int(1e30)
"""What transformers writes for a tokenizer without a longest input."""
MAX_LIMIT = 10**20
"""A longest input above it is none."""

FAST = "PreTrainedTokenizerFast"
KMERS = "GenotokKmerTokenizer"
"""The class of `genotok.model.huggingface` for k-mers that no file of Hugging Face can express."""

MAX_BYTES = 1 << 24

_WHAT_IS_TAKEN = (
    "a PreTrainedTokenizerFast, a tokenizers.Tokenizer, or the path of a tokenizer.json or of a folder "
    "with one is expected"
)


def fast_tokenizer(text: str, roles: dict[str, str]) -> Any:  # noqa: ANN401  its class may not be there
    """The `transformers.PreTrainedTokenizerFast` of the text of a file.

    Tokens get the roles, and are special from then on; `model_max_length` is left unset, for only a model
    knows it.
    """
    try:
        transformers: Any = import_module("transformers")
        tokenizers: Any = import_module("tokenizers")
    except ImportError as error:
        raise ImportError(
            "Tokenizer.to_hf needs transformers, which is not installed: pip install transformers"
        ) from error
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizers.Tokenizer.from_str(text), **roles)


def tokenizer_config(
    roles: Mapping[str, str], specials: Mapping[str, int], *, fast: bool, max_length: int | None
) -> dict[str, Any]:
    """The contents of the `tokenizer_config.json` beside a tokenizer.json, by which `AutoTokenizer` reads it.

    Args:
        roles: Role, such as `pad_token`, to token. One of a single character would be found in sequences, and
            is left out.
        specials: All special tokens, with their ids.
        fast: Whether the tokenizer.json is one that Hugging Face reads.
        max_length: Tokens of the longest input; None if there is no longest.
    """
    known = {role: roles[role] for role in sorted(roles) if len(roles[role]) > 1}
    others = [token for token in specials if token not in known.values() and len(token) > 1]
    plain = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False, "special": True}
    # Of a file that is not its own, transformers does not know the special tokens.
    added = {str(number): {"content": token, **plain} for token, number in specials.items()}
    return {
        "tokenizer_class": FAST if fast else KMERS,
        **({} if fast else {"added_tokens_decoder": added}),
        **known,
        **({"extra_special_tokens": others} if others else {}),
        "model_input_names": ["input_ids", "attention_mask"],  # DNABERT-2 is trained without segments
        "model_max_length": NO_LIMIT if max_length is None else max_length,
        "padding_side": "right",
        "truncation_side": "right",
        "clean_up_tokenization_spaces": False,
    }


def max_length_at(path: Path) -> int | None:
    """The longest input that the `tokenizer_config.json` beside a tokenizer.json names, if it names one.

    The file was read with the tokenizer, for its special tokens, so it is an object of JSON.
    """
    beside = path.with_name(CONFIG)
    if path.name != TOKENIZER or not beside.is_file():
        return None
    with open_reading(beside) as file:
        found = json.loads(file.read(MAX_BYTES)).get("model_max_length")
    is_length = isinstance(found, int) and not isinstance(found, bool) and 0 < found < MAX_LIMIT
    return found if is_length else None


def file_of(source: object) -> str:
    """The text of the file that is in an object of `tokenizers` or `transformers`."""
    backend = getattr(source, "backend_tokenizer", source)
    to_str = getattr(backend, "to_str", None)
    if not callable(to_str):
        raise ArgumentError(f"x={type(source).__name__}: {_WHAT_IS_TAKEN}")
    return str(to_str())


def file_at(path: str | os.PathLike[str]) -> Path:
    """The tokenizer.json at a path, or the one in a folder."""
    found = Path(path)
    return found / TOKENIZER if found.is_dir() else found
