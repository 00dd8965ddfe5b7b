"""The checked contents of a model's `config.json`; keys of other architectures have no effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genotok.model import EncoderConfig
from genotok.model.config import MODEL_TYPES, refuse_loaders

__all__ = ["Settings"]

KNOWN_TYPES = (*MODEL_TYPES, "bert", None)
"""The types of this package, that of published folders (whose weights are checked), and none."""

PROBLEM_TYPES = ("single_label_classification", "regression", "multi_label_classification", None)
DTYPES = ("float32", "float16", "bfloat16", None)
SPECIAL = ("pad_token_id", "unk_token_id", "cls_token_id", "sep_token_id", "mask_token_id")
MAX_CLASSES = 100_000
HEX = set("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Settings:
    """A checked configuration.

    Attributes:
        encoder: Sizes.
        special: Ids of special tokens by key, where given.
        classes: Names of a classifier's outputs, by number.
        has_classes: Whether the file has their names or their count.
        problem_type: transformers' name for the type of the outputs; None if not given.
        architecture: The class that was saved; "" if not given.
        model_type: A type of this package, "bert" as published, or None.
        tokenizer_sha256: The digest of the vocabulary that the model was trained with, if known.
        pairs: Whether the model was trained on pairs of sequences; None if not given.
        both_strands: Whether its predictions are the mean over both strands; None if not given.
    """

    encoder: EncoderConfig
    special: Mapping[str, int]
    classes: tuple[str, ...]
    has_classes: bool
    problem_type: str | None
    architecture: str
    model_type: str | None
    tokenizer_sha256: str | None
    pairs: bool | None = None
    both_strands: bool | None = None

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Settings:
        """The settings in the object of a `config.json`.

        Raises:
            ValueError: A value is against its rule; names key, value and rule.
        """
        refuse_loaders(found)
        model_type = _one_of(found, "model_type", KNOWN_TYPES)
        for key in ("torch_dtype", "dtype"):
            _one_of(found, key, DTYPES)
        missing = [key for key in ("hidden_size", "num_hidden_layers", "vocab_size") if key not in found]
        if missing:
            raise ValueError(f"{missing[0]}: is not there; the configuration of a DNABERT-2 is expected")
        encoder = EncoderConfig.from_published(found, found.get("attention") or "auto")
        if encoder.base_features != "none" and not encoder.spelling:
            raise ValueError("spelling: is not there; base_features need the bases of each token")
        architectures = found.get("architectures")
        is_list = isinstance(architectures, list) and architectures and isinstance(architectures[0], str)
        return cls(
            encoder,
            _special(found, encoder.vocab_size),
            _classes(found),
            any(found.get(key) is not None for key in ("id2label", "num_labels")),
            _one_of(found, "problem_type", PROBLEM_TYPES),
            architectures[0] if is_list and architectures else "",
            model_type,
            _digest(found.get("tokenizer_sha256")),
            _flag(found, "pairs"),
            _flag(found, "both_strands"),
        )

    def to_published(self) -> dict[str, Any]:
        """The settings under the keys of `config.json`, and no others."""
        numbered = dict(enumerate(self.classes))
        return {
            **self.encoder.to_published(),
            "attention": self.encoder.attention,
            **self.special,
            "id2label": numbered,
            "label2id": {name: number for number, name in numbered.items()},
            "problem_type": self.problem_type,
            "tokenizer_sha256": self.tokenizer_sha256,
            "pairs": self.pairs,
            "both_strands": self.both_strands,
        }


def _one_of(found: Mapping[str, Any], key: str, known: tuple[str | None, ...]) -> Any:
    """The value of a key, checked to be a known one."""
    value = found.get(key)
    if value not in known:
        names = ", ".join(one for one in known if one)
        raise ValueError(f"{key}={repr(value)[:60]}: one of {names} is expected")
    return value


def _special(found: Mapping[str, Any], vocab_size: int) -> dict[str, int]:
    """Ids of special tokens, checked to be in the vocabulary."""
    given = {key: found[key] for key in SPECIAL if found.get(key) is not None}
    for key, value in given.items():
        if not _is_whole(value) or not 0 <= value < vocab_size:
            raise ValueError(
                f"{key}={repr(value)[:60]}: the id of a token, from 0 to {vocab_size - 1}, is expected"
            )
    return given


def _classes(found: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the classes, numbered from 0 and distinct."""
    names, count = found.get("id2label"), found.get("num_labels")
    if count is not None and not (_is_whole(count) and 1 <= count <= MAX_CLASSES):
        raise ValueError(f"num_labels={repr(count)[:60]}: a number from 1 to {MAX_CLASSES:,} is expected")
    if names is None:
        classes = tuple(f"LABEL_{number}" for number in range(2 if count is None else count))
    else:
        classes = _numbered(names)
        if count not in {None, len(classes)}:
            raise ValueError(f"num_labels={count}: id2label has {len(classes)} classes")
    numbers = found.get("label2id")
    if numbers is not None and names is not None:
        _check_inverse(numbers, classes)
    return classes


def _numbered(names: Any) -> tuple[str, ...]:
    """The values of an `id2label`, in order."""
    if not isinstance(names, dict) or not 1 <= len(names) <= MAX_CLASSES:
        raise ValueError('id2label: an object such as {"0": "no", "1": "yes"} is expected')
    classes = []
    for number in range(len(names)):
        name = names.get(str(number))
        if name is None:
            raise ValueError(f"id2label: class {number} of {len(names)} has no name; the numbers have a gap")
        if not isinstance(name, str) or not _is_text(name):
            raise ValueError(f"id2label: class {number} is {repr(name)[:60]}; a name is expected")
        classes.append(name)
    if len(set(classes)) < len(classes):
        twin = next(name for place, name in enumerate(classes) if name in classes[:place])
        raise ValueError(f"id2label: two classes are called {twin[:60]!r}; names that differ are expected")
    return tuple(classes)


def _check_inverse(numbers: Any, classes: tuple[str, ...]) -> None:
    """Raise an error unless `label2id` is the inverse of `id2label`."""
    if not isinstance(numbers, dict):
        raise ValueError("label2id: an object of names and numbers is expected")  # noqa: TRY004
    for number, name in enumerate(classes):
        if not _is_whole(numbers.get(name)) or numbers[name] != number:
            raise ValueError(f"label2id: does not say {number} for {name[:60]!r}, as id2label does")
    if len(numbers) > len(classes):
        raise ValueError(f"label2id: has {len(numbers)} names, and id2label {len(classes)}")


def _flag(found: Mapping[str, Any], key: str) -> bool | None:
    """The value of a key that is true or false, if given."""
    value = found.get(key)
    if not isinstance(value, bool | None):
        raise ValueError(f"{key}={repr(value)[:60]}: true or false is expected")  # noqa: TRY004
    return value


def _digest(value: Any) -> str | None:
    if value is not None and not (isinstance(value, str) and len(value) == 64 and set(value) <= HEX):
        raise ValueError(f"tokenizer_sha256={repr(value)[:60]}: 64 hexadecimal digits are expected")
    return value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(name: str) -> bool:
    """Whether a name is not empty, and can be encoded as UTF-8."""
    try:
        return bool(name.encode())
    except UnicodeEncodeError:  # half of a pair of surrogates, which JSON can hold
        return False
