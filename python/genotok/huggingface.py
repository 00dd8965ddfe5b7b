"""Tokenizers to and from the classes of Hugging Face, through the file that both read.

`tokenizers` and `transformers` are not needed by genotok; they are imported when one of their classes is
asked for.
"""

import json
import os
from importlib import import_module
from pathlib import Path
from typing import Any

from genotok.errors import ArgumentError

__all__ = ["fast_tokenizer", "file_at", "file_of"]

# What each role is called in vocabularies; the first that there is takes it.
_ROLES = {
    "unk_token": ("[UNK]", "<unk>"),
    "cls_token": ("[CLS]", "<cls>"),
    "sep_token": ("[SEP]", "<sep>"),
    "pad_token": ("[PAD]", "<pad>"),
    "mask_token": ("[MASK]", "<mask>"),
    "bos_token": ("[BOS]", "<s>", "<bos>"),
    "eos_token": ("[EOS]", "</s>", "<eos>"),
}
_WHAT_IS_TAKEN = (
    "a PreTrainedTokenizerFast, a tokenizers.Tokenizer, or the path of a tokenizer.json or of a folder "
    "with one is expected"
)


def fast_tokenizer(text: str, given: dict[str, str]) -> Any:  # noqa: ANN401  its class may not be there
    """The `transformers.PreTrainedTokenizerFast` of the text of a file.

    Tokens get the roles `given`, and those with well-known names theirs, and are special from then on;
    `model_max_length` is left unset, for only a model knows it.
    """
    try:
        transformers: Any = import_module("transformers")
        tokenizers: Any = import_module("tokenizers")
    except ImportError as error:
        raise ImportError(
            "Tokenizer.to_hf needs transformers, which is not installed: pip install transformers"
        ) from error
    model, added = (json.loads(text)[part] for part in ("model", "added_tokens"))
    known = {token["content"] for token in added} | set(model["vocab"])
    roles = {
        role: next(name for name in names if name in known)
        for role, names in _ROLES.items()
        if not known.isdisjoint(names)
    }
    unknown = model.get("unk_token")
    if unknown is not None and len(unknown) > 1:  # a letter with a role would be found before it is merged
        roles["unk_token"] = unknown
    roles |= {role: token for role, token in given.items() if role in _ROLES and token in known}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizers.Tokenizer.from_str(text), **roles)


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
    return found / "tokenizer.json" if found.is_dir() else found
