"""The configuration of an encoder: a frozen, checked dataclass, and presets of sizes."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self, get_args

from genotok.files.reading import read_bytes
from genotok.model.backends import Alibi, Backend, BaseKind, SequencePooling
from genotok.model.spelling import check_spelling

__all__ = ["MODEL_TYPE", "MODEL_TYPES", "PRESETS", "EncoderConfig", "refuse_loaders"]

MODEL_TYPE = "genotok-dnabert2: import genotok.model.huggingface first"
"""`model_type` of a `config.json`: transformers quotes a type that it does not know, so it holds a hint."""

MODEL_TYPES = (MODEL_TYPE, "genotok-dnabert2")
"""That one, and the one of older folders."""

PRESETS: dict[str, dict[str, Any]] = {
    "dnabert2-117m": {"num_layers": 12, "hidden_size": 768, "num_heads": 12, "intermediate_size": 3072},
    "small-14m": {"num_layers": 6, "hidden_size": 384, "num_heads": 6, "intermediate_size": 1536},
    "mini-5m": {"num_layers": 4, "hidden_size": 256, "num_heads": 4, "intermediate_size": 1024},
    "tiny-1m": {"num_layers": 2, "hidden_size": 128, "num_heads": 2, "intermediate_size": 512},
}
"""Sizes by name: the published model, three that train on a laptop, and each of them with base features."""

_SEES_BASES = {"base_features": "kmer+conv", "pooling": "skip"}
PRESETS |= {
    "dnabert2-117m-bases": {**PRESETS["dnabert2-117m"], **_SEES_BASES},
    "small-14m-bases": {**PRESETS["small-14m"], "num_heads": 8, **_SEES_BASES},
    "mini-5m-bases": {**PRESETS["mini-5m"], "num_heads": 8, **_SEES_BASES},
    "tiny-1m-bases": {**PRESETS["tiny-1m"], "num_heads": 8, **_SEES_BASES},
}
# At least eight heads: of fewer, few have a slope for near tokens.

PUBLISHED_NAMES = {
    "num_layers": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "type_vocab_size": "type_vocab_size",
    "vocab_size": "vocab_size",
    "hidden_size": "hidden_size",
    "intermediate_size": "intermediate_size",
    "hidden_dropout": "hidden_dropout_prob",
    "attention_dropout": "attention_probs_dropout_prob",
    "classifier_dropout": "classifier_dropout",
    "layer_norm_eps": "layer_norm_eps",
    "initializer_range": "initializer_range",
}
"""Field of `EncoderConfig` to key of the published `config.json`."""

ADDED = {
    "base_features": "none",
    "base_position": False,
    "alibi": "symmetric",
    "pooling": "cls",
    "spelling": "",
}
"""Settings that the published `config.json` does not have, with the values of the published model."""

MAX_LAYERS = 1_000
MAX_PARAMETERS = 10_000_000_000
"""40 GB of weights; a configuration with more is damaged or hostile."""

POOLED_PARTS: dict[SequencePooling, int] = {"cls": 1, "mean": 1, "mean+max": 2, "skip": 4}
"""Vectors of width D that a classifier of sequences reads."""

LOADER_KEYS = (
    "quantization_config",
    "compression_config",
    "fusion_config",
    "kernel_config",
    "use_kernels",
    "distributed_config",
    "transformers_weights",
    "peft_type",
    "pruned_heads",
    "is_decoder",
    "is_encoder_decoder",
    "add_cross_attention",
)
"""Keys that make transformers load, replace or omit code and weights; refused if they are set."""

ATTENTION_KEYS = (
    "_attn_implementation",
    "attn_implementation",
    "_attn_implementation_internal",
    "_experts_implementation",
    "experts_implementation",
    "_experts_implementation_internal",
)
"""Keys that name an implementation, which transformers may download."""

PLAIN_ATTENTION = ("eager", "sdpa", "flex_attention")
"""Accepted values, which transformers has built in; all of them mean `attention` here."""


def refuse_loaders(settings: Mapping[str, Any]) -> None:
    """Raise an error if a configuration asks for other weights or for foreign code.

    Raises:
        ValueError: A key is set that must not be; names the key, and what to do.
    """
    for key in LOADER_KEYS:
        if settings.get(key):
            raise ValueError(
                f"{key}: has no meaning for this architecture; save plain weights without this key"
            )
    for key in ATTENTION_KEYS:
        value = settings.get(key)
        if value is not None and value not in PLAIN_ATTENTION:
            raise ValueError(
                f"{key}={str(value)[:60]!r}: one of {', '.join(PLAIN_ATTENTION)} is expected; remove the "
                'key ("attention" names one of ours)'
            )


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """The sizes and settings of an encoder; the defaults are those of the published model.

    Sequences may have any length: positions enter as distances only, and no table depends on the length.

    Attributes:
        vocab_size: Tokens in the vocabulary, with special tokens.
        hidden_size: Width D of a token's vector; a multiple of `num_heads`.
        num_layers: Number of layers; without any, a classifier reads a bag of token vectors.
        num_heads: Heads H of attention; each has its slope of the ALiBi bias.
        intermediate_size: Width of one half of the gated feed-forward block (its matrix is twice as wide).
        type_vocab_size: Number of segments; two for pairs of sequences.
        hidden_dropout: Dropout of embeddings, of attention's output and inside the feed-forward block.
        attention_dropout: Dropout of attention weights; the published model has none.
        classifier_dropout: Dropout before a classifier; None for `hidden_dropout`.
        layer_norm_eps: Epsilon of layer normalisation.
        initializer_range: Standard deviation of initial weights.
        attention: The backend: "auto", or one by name (see `genotok.model.attention`).
        base_features: What the bases of a token add to its embedding (see `genotok.model.bases`).
        base_position: Whether these features know the place of each base in its sequence.
        alibi: The form of the ALiBi bias (see `genotok.model.alibi`); "directional" needs even `num_heads`.
        pooling: What a classifier of sequences reads: the vector of the first token; the mean over tokens;
            mean and maximum; or ("skip") mean and maximum of the embeddings and of the last layer.
        spelling: The bases of each token, for base features (see `genotok.model.spelling`); "" if they are
            not known yet, as in a preset.
    """

    vocab_size: int = 4096
    hidden_size: int = 768
    num_layers: int = 12
    num_heads: int = 12
    intermediate_size: int = 3072
    type_vocab_size: int = 2
    hidden_dropout: float = 0.1
    attention_dropout: float = 0.0
    classifier_dropout: float | None = None
    layer_norm_eps: float = 1e-12
    initializer_range: float = 0.02
    attention: Backend = "auto"
    base_features: BaseKind = "none"
    base_position: bool = False
    alibi: Alibi = "symmetric"
    pooling: SequencePooling = "cls"
    spelling: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        for name in _COUNTS:
            number = getattr(self, name)
            is_whole = isinstance(number, int) and not isinstance(number, bool)
            least = 0 if name == "num_layers" else 1
            rule = f"a whole number of at least {least}"
            _expect(is_whole and least <= number < 1 << 40, name, number, rule)
        self._check_sizes()
        for name in _SHARES:
            share = getattr(self, name)
            if share is not None:
                _expect(_is_number(share) and 0 <= share < 1, name, share, "a share from 0 to below 1")
        for name in ("layer_norm_eps", "initializer_range"):
            value = getattr(self, name)
            _expect(_is_number(value) and 0 < value < 1, name, value, "a number between 0 and 1")
        rule = f"a multiple of num_heads={self.num_heads}"
        _expect(self.hidden_size % self.num_heads == 0, "hidden_size", self.hidden_size, rule)
        for name, known in _CHOICES.items():
            names, value = get_args(known), getattr(self, name)
            _expect(value in names, name, value, f"one of {', '.join(names)}")
        self._check_bases()

    def _check_bases(self) -> None:
        """Raise an error if a setting of bases is against its rule, or against another."""
        place = self.base_position
        _expect(isinstance(place, bool), "base_position", place, "true or false")
        rule = 'false, for base_features="none",'
        _expect(not place or self.base_features != "none", "base_position", place, rule)
        if self.alibi == "directional":
            rule = 'an even number, for alibi="directional",'
            _expect(self.num_heads % 2 == 0, "num_heads", self.num_heads, rule)
        _expect(isinstance(self.spelling, str), "spelling", self.spelling, "a text")
        if self.spelling:
            check_spelling(self.spelling, self.vocab_size)

    def _check_sizes(self) -> None:
        """Raise an error if the model is too large for any machine, before memory is allocated."""
        _expect(self.num_layers <= MAX_LAYERS, "num_layers", self.num_layers, f"at most {MAX_LAYERS:,}")
        width, inner = self.hidden_size, self.intermediate_size
        number = (self.vocab_size + self.type_vocab_size) * width
        number += self.num_layers * width * (4 * width + 3 * inner)
        if number > MAX_PARAMETERS:
            # The error names the size that exceeds the published one by the largest factor.
            usual = {name: getattr(self, name) / _PUBLISHED[name] for name in _COUNTS}
            name = max(usual, key=lambda name: usual[name])
            rule = f"a model of at most {MAX_PARAMETERS:,} parameters, and not of {number:.1e},"
            _expect(False, name, getattr(self, name), rule)

    @property
    def head_size(self) -> int:
        """Width of one head."""
        return self.hidden_size // self.num_heads

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Self:
        """The preset `name` of `PRESETS`, with `changes` to single fields.

        Raises:
            ValueError: There is no preset of that name, or a value is against its rule.
        """
        if name not in PRESETS:
            raise ValueError(f"preset={name!r}: one of {', '.join(PRESETS)} is expected")
        return cls(**{**PRESETS[name], **changes})

    @classmethod
    def from_published(cls, settings: Mapping[str, Any], attention: Backend = "auto") -> Self:
        """The configuration of a published `config.json`; keys without a meaning here are ignored.

        Raises:
            ValueError: A value is against its rule, or the activation is not the exact GELU.
        """
        activation = settings.get("hidden_act", "gelu")
        _expect(activation == "gelu", "hidden_act", activation, '"gelu", the one this architecture has')
        given = {ours: settings[theirs] for ours, theirs in PUBLISHED_NAMES.items() if theirs in settings}
        given |= {name: settings[name] for name in ADDED if name in settings}
        try:
            return cls(**given, attention=attention)
        except ValueError as error:  # the user sees the published names
            name, sign, rest = str(error).partition("=")
            raise ValueError(PUBLISHED_NAMES.get(name, name) + sign + rest) from None

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], attention: Backend = "auto") -> Self:
        """The configuration in a published `config.json`, or in the folder that holds one.

        Raises:
            ValueError: The file is not a JSON object, or a value is against its rule; names the file.
            OSError: The file cannot be read.
        """
        file = Path(path) / "config.json" if Path(path).is_dir() else Path(path)
        try:
            settings = json.loads(read_bytes(file).decode())
            if not isinstance(settings, dict):
                raise TypeError("a JSON object is expected")  # noqa: TRY301 - named below
            return cls.from_published(settings, attention)
        except (ValueError, TypeError, RecursionError) as error:
            raise ValueError(f"{file}: {error}") from None

    def to_published(self) -> dict[str, Any]:
        """The settings under the keys of `config.json`; those of `ADDED` only if not as published."""
        found = {theirs: getattr(self, ours) for ours, theirs in PUBLISHED_NAMES.items()}
        added = {name: getattr(self, name) for name in ADDED}
        return found | {name: value for name, value in added.items() if value != ADDED[name]}

    def with_changes(self, **changes: Any) -> Self:
        """A copy with some fields changed, and checked again."""
        return replace(self, **changes)


def _expect(holds: bool, name: str, value: object, rule: str) -> None:
    """Raise an error that names field, value and rule unless the rule holds."""
    if not holds:
        raise ValueError(f"{name}={repr(value)[:60]}: {rule} is expected")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf


_PUBLISHED = {one.name: one.default for one in fields(EncoderConfig) if one.type == "int"}
_COUNTS = tuple(_PUBLISHED)
_CHOICES = {"attention": Backend, "base_features": BaseKind, "alibi": Alibi, "pooling": SequencePooling}
_SHARES = ("hidden_dropout", "attention_dropout", "classifier_dropout")
