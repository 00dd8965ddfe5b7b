"""Tokenizers to and from the classes of Hugging Face, through the file that both read.

`tokenizers` and `transformers` are not needed by genotok; they are imported when one of their classes is
asked for.
"""

import json
import os
from importlib import import_module
from pathlib import Path
from typing import Any

from genotok.errors import ArgumentError, VocabularyError

__all__ = ["fast_tokenizer", "file_of"]

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
_MAX_BYTES = 64 << 20
_WHAT_IS_TAKEN = (
    "a PreTrainedTokenizerFast, a tokenizers.Tokenizer, or the path of a tokenizer.json or of a folder "
    "with one is expected"
)


def fast_tokenizer(text: str) -> Any:  # noqa: ANN401  transformers may not be there to name its class
    """The `transformers.PreTrainedTokenizerFast` of the text of a file.

    Tokens with well-known names get their roles, and are special from then on; `model_max_length` is left
    unset, for only a model knows it.
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
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizers.Tokenizer.from_str(text), **roles)


def file_of(source: object) -> str:
    """The text of the file that is in `source`: a path, or an object of `tokenizers` or `transformers`.

    Without `truncation` and `padding`: like `transformers`, genotok leaves them to the call.
    """
    if isinstance(source, str | os.PathLike):
        text = _read(Path(source))
    else:
        backend = getattr(source, "backend_tokenizer", source)
        to_str = getattr(backend, "to_str", None)
        if not callable(to_str):
            raise ArgumentError(f"x={type(source).__name__}: {_WHAT_IS_TAKEN}")
        text = str(to_str())
    return _without_cutting(text)


def _read(path: Path) -> str:
    """The text of a tokenizer.json, or of the one in a folder."""
    path = path / "tokenizer.json" if path.is_dir() else path
    if path.stat().st_size > _MAX_BYTES:
        raise VocabularyError(f"{path}: a tokenizer.json of more than {_MAX_BYTES} bytes is not read")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise VocabularyError(f"{path}: this is not text, so not a tokenizer.json") from None


def _without_cutting(text: str) -> str:
    """The file without truncation and padding; a text that has none, or that is no such file, as it is."""
    try:
        document = json.loads(text, object_pairs_hook=_each_key_once)
    except (ValueError, RecursionError):
        return text
    if not isinstance(document, dict) or not any(document.get(key) for key in ("truncation", "padding")):
        return text
    return json.dumps({**document, "truncation": None, "padding": None})


def _each_key_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        raise ValueError("a key comes twice")
    return entries
